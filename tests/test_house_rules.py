"""What our files look like: whose private names they use, how long they are, and what words they use."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator

from tests.source_tree import MODULES, ROOT, TREES, functions, texts, unit

#: Where private attributes of others may be named.
MAY_NAME_PRIVATE = {
    "twisted": ("takeover", "tls.layer", "reactor.timers", "reactor.watching", "reactor.binding"),
    "OpenSSL": ("tls.memory",),
    "autobahn": ("protocols.websocket",),
    "h2": ("http2.frames",),
}

#: And one attribute of a socket's transport, which has no public name for what it still has to send.
UNSENT = ("upgradegw.transports", "_tempDataLen")

#: Private modules that may be imported all the same. The PROXY protocol's wrapper has no public name, and only it can
#: tell the address of the connection from the address that the PROXY header claims.
MAY_IMPORT = {("upgradegw.web.clients", "twisted.protocols.haproxy._wrapper.HAProxyProtocolWrapper")}

#: Words that RFC 9110 does not use for what they are often used for.
NOT_OUR_WORDS = re.compile("handler|manager|engine|processor|hijack|payload|backend", re.IGNORECASE)

#: Where a text was written is no part of it. Spelled so that this file does not match itself.
OF_ONE_MACHINE = re.compile(
    r"(^|[^a-z.])/(wo[r]k|fa[r]m|ro[o]t|tm[p]/(bench|studio|w\b|pk\b))/"
    r"|\b(DESIG[N]|SPE[C]|CONFORMANC[E]|THREAT[S]|STYL[E]|SPEE[D]|PEER[S])(\.md\b| §)"
    r"|\bshare[d]/seeds|\bissue [0-9]+\b",
    re.MULTILINE,
)


def private(name: str) -> bool:
    """Tell whether a name is private; ``__dunder__`` and Enum's ``_sunder_`` names are the language's."""
    return name.startswith("_") and not name.endswith("_")


def may_name_private(module: str, owner: str) -> bool:
    """Tell whether a module of ours may name private attributes of a package."""
    own = module.removeprefix("upgradegw.")
    return any(own == allowed or own.startswith(allowed + ".") for allowed in MAY_NAME_PRIVATE.get(owner, ()))


def private_uses(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield each private attribute that is read or written on any object."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and private(node.attr):
            yield node.lineno, node.attr


def private_definitions(tree: ast.AST) -> set[str]:
    """Return the private names that a module makes: functions, classes, variables and attributes of ``self``."""
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    names |= {node.name for node in functions(tree)}
    made = {id(node) for new in functions(tree) if new.name == "__new__" for node in ast.walk(new)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if id(node) in made or (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}):
                names.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)  # perhaps an entry of __slots__
    return {name for name in names if private(name)}


def test_private_attributes_of_others_stay_in_their_files() -> None:
    """Outside of ``takeover`` and ``protocols.websocket``, a private attribute is one that the same unit defines."""
    defined: dict[str, set[str]] = {}
    for name, tree in TREES.items():
        defined.setdefault(unit(name), set()).update(private_definitions(tree))
    wrong = [
        f"{name}:{line} names {attribute}"
        for name, tree in TREES.items()
        if not any(may_name_private(name, owner) for owner in MAY_NAME_PRIVATE)
        for line, attribute in private_uses(tree)
        if attribute not in defined[unit(name)] and (name, attribute) != UNSENT
    ]
    assert wrong == []


def test_private_modules_of_others_are_not_imported() -> None:
    """A module or name with a leading underscore is another project's to change."""
    wrong = []
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                source = getattr(node, "module", None)
                for alias in node.names:
                    full = f"{source}.{alias.name}" if source else alias.name
                    owner = full.split(".")[0]
                    if owner not in MAY_NAME_PRIVATE and owner not in {"zope", "httptools"}:
                        continue  # the standard library's and ours
                    allowed = may_name_private(name, owner) or (name, full) in MAY_IMPORT
                    if any(map(private, full.split("."))) and not allowed:
                        wrong.append(f"{name}:{node.lineno} {full}")
    assert wrong == []


def private_names_of(found: type) -> set[str]:
    """Return the private attributes that a class's text names; none where it has no text."""
    try:
        text = textwrap.dedent(inspect.getsource(found))
    except (OSError, TypeError):
        return set()
    return {attribute for _, attribute in private_uses(ast.parse(text))}


def test_subclasses_share_no_private_name_with_their_bases() -> None:
    """A subclass of Twisted's or Autobahn's neither uses nor by accident redefines what is private to its base."""
    wrong = []
    for name in MODULES:
        module = importlib.import_module(name)
        for found in vars(module).values():
            if not inspect.isclass(found) or found.__module__ != name:
                continue
            for base in found.__mro__[1:]:
                owner = base.__module__.split(".")[0]
                if owner in MAY_NAME_PRIVATE and not may_name_private(name, owner):
                    common = private_names_of(found) & private_names_of(base)
                    wrong += [f"{name}.{found.__name__} names {base.__name__}.{each}" for each in sorted(common)]
    assert wrong == []


def test_files_are_short_or_say_why() -> None:
    """A file of more than 300 lines says in its docstring why it has more than 300 lines."""
    wrong = []
    for path in texts(".py"):
        lines = len(path.read_text().splitlines())
        if lines > 300 and "300 lines" not in (ast.get_docstring(ast.parse(path.read_text())) or ""):
            wrong.append(f"{path.relative_to(ROOT)}: {lines} lines")
    assert wrong == []


def length(node: ast.stmt) -> int:
    """Return the number of a statement's lines."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_functions_are_short() -> None:
    """A function of the package fits on a screen: 40 lines, its arguments and its docstring not counted."""
    wrong = []
    for name, tree in TREES.items():
        for node in functions(tree):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = sum(map(length, body)) if body else 0
            if lines > 40:
                wrong.append(f"{name}:{node.lineno} {node.name}: {lines} lines")
    assert wrong == []


def test_names_are_those_of_the_rfcs() -> None:
    """Modules, classes and functions of ours are named in the terms of RFC 9110; overridden names are Autobahn's."""
    wrong = [name for name in MODULES if NOT_OUR_WORDS.search(name)]
    for name, tree in TREES.items():
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        for node in [*classes, *functions(tree)]:
            dictated = may_name_private(name, "autobahn") and re.match("_?(on|send)[A-Z]|_?[a-z]+_payload", node.name)
            if NOT_OUR_WORDS.search(node.name) and not dictated:
                wrong.append(f"{name}:{node.lineno} {node.name}")
    assert wrong == []


def test_no_text_tells_where_it_was_written() -> None:
    """No path of the machine and no name of a note that only its writers have."""
    wrong = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in texts(".py", ".md", ".toml", ".html", ".conf", ".txt", ".service", ".sh", ".js", "")
        for match in OF_ONE_MACHINE.finditer(path.read_text(errors="replace"))
    ]
    assert wrong == []
