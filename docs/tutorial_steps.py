"""What a tutorial asks its reader to do: the files, the commands and what they print, read from the page.

``follow.py`` says how a page has to be written for this, and does the steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

_FENCE = re.compile(r"(?P<marks>`{3,}|~{3,}|:{3,})(?P<info>.*)")
_DIRECTIVE = re.compile(r"\{(?P<name>[\w-]+)\}\s*(?P<argument>.*)")
_REMARK = re.compile(r"<!-- follow: (?P<what>stop|skip|until \"(?P<until>[^\"]+)\") -->")


class LostError(Exception):
    """The page does not lead on; the message begins with the number of the line."""


@dataclass(frozen=True, slots=True)
class Write:
    """A file to be written."""

    line: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Run:
    """Commands to be run.

    Attributes:
        line: Where they stand on the page.
        commands: The text of the block.
        until: What a command that stays in the foreground prints when it is ready; None for all others.
        printed: What the page says is printed; None if it does not say.
    """

    line: int
    commands: str
    until: str | None
    printed: str | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Ctrl-C in the terminal that was opened last."""

    line: int


Step = Write | Run | Stop


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its line on the page, what it is, its options and its text."""

    line: int
    kind: str
    argument: str
    options: dict[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line outside of the blocks."""

    line: int
    text: str


def read_page(text: str) -> Iterator[Block | Line]:
    """Yield the blocks of a page and the other lines that are not empty.

    Raises:
        LostError: A block has no end.
    """
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        begun = number
        number += 1
        opening = _FENCE.fullmatch(lines[begun])
        if opening is None:
            if lines[begun].strip():
                yield Line(begun + 1, lines[begun])
            continue
        end = re.compile(rf"{opening['marks'][0]}{{{len(opening['marks'])},}}\s*")
        while number < len(lines) and not end.fullmatch(lines[number]):
            number += 1
        if number == len(lines):
            raise LostError(f"{begun + 1}: this block has no end")
        yield _block(begun + 1, opening["info"].strip(), lines[begun + 1 : number])
        number += 1


def _block(line: int, info: str, inside: list[str]) -> Block:
    directive = _DIRECTIVE.fullmatch(info)
    options = {}
    while directive and inside and (option := re.fullmatch(r":([\w-]+):\s*(.*)", inside[0])):
        options[option[1]] = option[2]
        inside = inside[1:]
    if options and inside and not inside[0].strip():
        inside = inside[1:]
    kind, argument = (directive["name"], directive["argument"]) if directive else (info, "")
    return Block(line, kind, argument, options, "".join(f"{each}\n" for each in inside))


def steps(page: Path) -> list[Step]:
    """Return what a tutorial asks for, in its order.

    Raises:
        LostError: It cannot be followed.
    """
    found: list[Step] = []
    remark: re.Match[str] | None = None
    commands_before = False
    for each in read_page(page.read_text()):
        if isinstance(each, Line):
            if remark is not None:
                raise LostError(f"{each.line}: a block must stand right behind what is said to whoever follows")
            remark, commands_before = _remark(each), False
            if remark is not None and remark["what"] == "stop":
                found.append(Stop(each.line))
                remark = None
            continue
        last, commands_before_this, commands_before = (found[-1] if found else None), commands_before, False
        if each.kind == "text" and commands_before_this and isinstance(last, Run):
            found[-1] = replace(last, printed=each.text)
        elif "caption" in each.options:
            found.append(Write(each.line, each.options["caption"], _content(page, each)))
        elif each.kind == "sh" and not (remark and remark["what"] == "skip"):
            found.append(Run(each.line, each.text, remark["until"] if remark else None))
            commands_before = True
        remark = None
    return found


def _remark(line: Line) -> re.Match[str] | None:
    if not line.text.startswith("<!-- follow"):
        return None
    remark = _REMARK.fullmatch(line.text.rstrip())
    if remark is None:
        raise LostError(f"{line.line}: nobody can follow {line.text!r}")
    return remark


def _content(page: Path, block: Block) -> str:
    if block.kind != "literalinclude":
        return block.text
    if set(block.options) - {"caption", "language"}:
        raise LostError(f"{block.line}: a file with a name is shown in full, as it is")
    return (page.parent / block.argument).read_text()
