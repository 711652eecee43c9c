"""The source as data: our modules, their syntax trees and imports, and the texts of the tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: The folders that hold what a person wrote, and the names of those that a tool makes among them.
FOLDERS = ("upgradegw", "twisted", "tests", "docs", ".ci")
MADE = frozenset({"__pycache__", "_build"})


def _modules() -> dict[str, Path]:
    found = {}
    for path in sorted((ROOT / "upgradegw").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


#: Our modules by dotted name, and what stands in them.
MODULES = _modules()
TREES = {name: ast.parse(path.read_text()) for name, path in MODULES.items()}


def unit(module: str) -> str:
    """Return the folder or top-level module that a module of ours belongs to; the package itself is one."""
    return module.split(".")[1] if "." in module else module


def imports(name: str) -> Iterator[tuple[int, str]]:
    """Yield each module that a module of ours imports anywhere in its text, with the line."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno} imports relatively"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield node.lineno, full if full in MODULES else str(node.module)


def own_imports() -> dict[str, set[str]]:
    """Return which modules of ours each module of ours imports."""
    return {name: {target for _, target in imports(name) if target in MODULES} for name in MODULES}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def texts(*suffixes: str) -> list[Path]:
    """Return the files that a person wrote, by suffix."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    found += [path for path in ROOT.iterdir() if not path.name.startswith(".coverage")]
    return sorted(path for path in found if path.is_file() and not MADE & set(path.parts) and path.suffix in suffixes)
