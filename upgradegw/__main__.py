"""``python -m upgradegw`` and the console script: twistd in the foreground without a pid file, or the probe."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run ``twistd -n --pidfile= upgradegw`` with this process's arguments, or ``probe`` if that is the first."""
    if sys.argv[1:2] == ["probe"]:
        from upgradegw.probe.command import main as probe  # noqa: PLC0415 - only one of the two is wanted

        try:
            sys.exit(probe(sys.argv[2:]))
        except KeyboardInterrupt:
            sys.exit(128 + signal.SIGINT)
    from twisted.scripts import twistd  # noqa: PLC0415 - importing upgradegw must stay cheap for twistd's plugin list

    sys.argv[:] = ["twistd", "-n", "--pidfile=", "upgradegw", *sys.argv[1:]]
    try:
        twistd.run()
    except KeyboardInterrupt:  # it came before the reactor ran, which turns Ctrl-C into an orderly stop
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
