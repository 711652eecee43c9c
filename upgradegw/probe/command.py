"""The command: connect, ask, judge, leave in order; the exit status says how it went."""

from __future__ import annotations

import json
import sys
from typing import TextIO

from upgradegw.probe import verdicts, websocket
from upgradegw.probe.arguments import Wish, read
from upgradegw.probe.asking import Answered, ask_http1, ask_http2
from upgradegw.probe.connecting import Deadline, NoAnswer, ProbeFailed, Wire, connect, speaks_tls
from upgradegw.probe.transcript import Transcript, visible

#: Seconds that a server has to report and to answer a Close; it has already done what was asked.
_PATIENCE = 2.0

SWITCHED, NOT_SWITCHED = 0, 1


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words behind ``probe``.

    Returns:
        The exit status: 0 if the server switched, else 1.

    Raises:
        SystemExit: The command line is wrong (status 2), or asks for help.
    """
    wish = read(arguments)
    try:
        return probe(wish, sys.stdout, sys.stderr)
    except BrokenPipeError:  # whoever reads the transcript has read enough
        sys.stdout = None  # or Python would complain of it at its end
        return NOT_SWITCHED


def probe(wish: Wish, out: TextIO, errors: TextIO) -> int:
    """Ask what is wished for.

    Args:
        wish: What to ask.
        out: Gets the transcript, and the verdict if it is good.
        errors: Gets one line if it is not.

    Returns:
        The exit status.
    """
    transcript, deadline = Transcript(out), Deadline(wish.timeout)
    try:
        wire = connect(wish, transcript, deadline)
        try:
            return _ask(wish, wire, transcript, deadline, errors)
        finally:
            wire.close()
    except NoAnswer as failed:
        tls = not wish.secure and speaks_tls(wish, deadline)
        return _not_switched("the server speaks TLS here: use https:// or wss://" if tls else str(failed), errors)
    except ProbeFailed as failed:
        return _not_switched(str(failed), errors)
    except BrokenPipeError:
        raise  # of standard output
    except OSError as error:
        return _not_switched(f"the connection failed: {error}", errors)


def _not_switched(text: str, errors: TextIO) -> int:
    print(f"upgradegw probe: {visible(text)}", file=errors)
    return NOT_SWITCHED


def _ask(wish: Wish, wire: Wire, transcript: Transcript, deadline: Deadline, errors: TextIO) -> int:
    answered = (ask_http2 if wish.http2 else ask_http1)(wish, wire, transcript)
    verdict = verdicts.judge(wish, answered.response, answered.body, answered.key)
    if not verdict.switched:
        return _not_switched(verdict.text, errors)
    spent = deadline.spent
    if wish.is_websocket:
        _report(answered, transcript)
        _close(answered, transcript)
    transcript.plain(f"{verdict.text} after {spent}")
    return SWITCHED


def _report(answered: Answered, transcript: Transcript) -> None:
    """Show what upgradegw's demonstration says that it saw, if it was asked to say."""
    if answered.response.get_all(b"sec-websocket-protocol") != [websocket.REPORTING]:
        return
    found = answered.frame(websocket.TEXT, _PATIENCE)
    if found is not None:
        _show_report(found, transcript)


def _show_report(content: bytes, transcript: Transcript) -> None:
    try:
        report = json.loads(content)
    except (ValueError, RecursionError):
        return
    if isinstance(report, dict):
        said = ", ".join(f"{name}: {json.dumps(value)}" for name, value in report.items())
        transcript.note(f"the server saw {said}")


def _close(answered: Answered, transcript: Transcript) -> None:
    """End the WebSocket in order (RFC 6455 section 7.1.1)."""
    answered.send(websocket.close_frame())
    content = answered.frame(websocket.CLOSE, _PATIENCE)
    code = "nothing" if content is None else str(int.from_bytes(content[:2], "big")) if content else "no code"
    transcript.note(f"closed: 1000 sent, {code} received")
