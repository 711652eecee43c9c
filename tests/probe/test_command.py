"""The probe against servers that say one thing each: what it shows, what it makes of it, and how it leaves."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from tests.certificates import CertificateFiles, self_signed
from tests.probe.support import CLOSE_FRAME, Once, answering, read_head, run, scripted, switching


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    """A certificate for localhost that is its own authority."""
    return self_signed(tmp_path_factory.mktemp("certificate"))


def test_both_sides_are_shown() -> None:
    """The request stands behind ``>``, the answer behind ``<``, the connection behind ``*``."""
    with scripted(switching(b"X-More: a\xffb")) as port:
        probed = run(f"ws://127.0.0.1:{port}/ws?a", "-H", "Cookie: a=b", "--origin", "http://a.example")
    lines = probed.printed.splitlines()
    assert lines[0].startswith(f"* connected to 127.0.0.1:{port} from 127.0.0.1:")
    asked = [line for line in lines if line.startswith(">")]
    assert asked[0] == "> GET /ws?a HTTP/1.1"
    assert {f"> Host: 127.0.0.1:{port}", "> Upgrade: websocket", "> Sec-WebSocket-Version: 13"} <= set(asked)
    assert {"> Cookie: a=b", "> Origin: http://a.example"} <= set(asked)
    assert "< HTTP/1.1 101 Switching Protocols" in lines
    assert r"< X-More: a\xffb" in lines
    assert lines[-2] == "* closed: 1000 sent, 1000 received"
    assert lines[-1].startswith("ok: switched to websocket (no subprotocol, no extension) after ")
    assert (probed.status, probed.error) == (0, "")


def test_a_close_in_order() -> None:
    """The Close that is sent is masked and says 1000; an answer to it is waited for, and told as it is."""
    heard: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        switching(behind=b"\x81\x02hi")(Once(connection))  # type: ignore[arg-type]
        heard.append(connection.recv(65536))
        connection.sendall(b"\x88\x00")

    with scripted(talk) as port:
        assert "* closed: 1000 sent, no code received" in run(f"ws://127.0.0.1:{port}/").printed
    ((first, length, *rest),) = heard
    assert (first, length) == (0x88, 0x82)
    assert bytes(a ^ b for a, b in zip(rest[4:], rest[:4], strict=False)) == b"\x03\xe8"


def test_another_protocol_is_not_spoken_to() -> None:
    """Behind a switch to a token of one's own nothing is sent."""
    heard: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 101 x\r\nUpgrade: feed/2\r\nConnection: upgrade\r\n\r\nhello")
        heard.append(connection.recv(65536))

    with scripted(talk) as port:
        probed = run(f"http://127.0.0.1:{port}/", "--token", "feed/2")
    assert probed.verdict.startswith("ok: switched to feed/2 after ")
    assert heard == [b""]


def test_the_report_of_the_demonstration() -> None:
    """What an upgradegw demonstration says that it saw is shown, if its subprotocol was offered."""
    report = b'{"client": "192.0.2.1", "http_version": "HTTP/1.1"}'
    behind = bytes([0x81, len(report)]) + report + CLOSE_FRAME
    with scripted(switching(b"Sec-WebSocket-Protocol: demo.upgradegw", behind=behind)) as port:
        probed = run(f"ws://127.0.0.1:{port}/", "--subprotocol", "demo.upgradegw")
    assert '* the server saw client: "192.0.2.1", http_version: "HTTP/1.1"' in probed.printed


@pytest.mark.parametrize("content", [b"no JSON", b"[1]", b"\xff", b"[" * 20000])
def test_a_report_that_is_none(content: bytes) -> None:
    """What merely looks like a report is passed over."""
    behind = b"\x81\x7e" + len(content).to_bytes(2, "big") + content + CLOSE_FRAME
    with scripted(switching(b"Sec-WebSocket-Protocol: demo.upgradegw", behind=behind)) as port:
        probed = run(f"ws://127.0.0.1:{port}/", "--subprotocol", "demo.upgradegw")
    assert (probed.status, "the server saw" in probed.printed) == (0, False)


def test_a_refusal() -> None:
    """A refusal's content is shown, escaped, and the verdict is one line on standard error."""
    answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 12\r\n\r\ngo \x1b[1maway"
    with scripted(answering(answer)) as port:
        probed = run(f"ws://127.0.0.1:{port}/")
    assert r"| go \x1b[1maway" in probed.printed
    assert probed.status == 1
    assert probed.error == (
        "upgradegw probe: not switched: 403 Forbidden: the server does not let you in; if it wants to be asked by a"
        " page, try --origin\n"
    )


def test_interim_responses_are_shown() -> None:
    """CL-04: a 100 or 103 before the answer is shown and passed over."""
    answer = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    with scripted(answering(answer)) as port:
        probed = run(f"ws://127.0.0.1:{port}/")
    assert "< HTTP/1.1 103 Early Hints\n< Link: x\n<\n< HTTP/1.1 404 Not Found\n" in probed.printed


def test_a_refusal_that_does_not_end() -> None:
    """The content of a refusal is waited for until the deadline, and no longer."""
    with scripted(answering(b"HTTP/1.1 404 Not Found\r\n\r\nhalf", wait=True)) as port:
        probed = run(f"ws://127.0.0.1:{port}/", "--timeout", "0.2")
    assert "| half" in probed.printed
    assert "nothing at /" in probed.verdict


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        (answering(b""), "closed the connection without an answer"),
        (answering(b"", wait=True), "does not answer; --timeout gives it more time"),
        (answering(b"SSH-2.0-x\r\n"), "does not speak HTTP/1.1: it sent SSH-2.0-x"),
        (answering(b"\x15\x03\x03\x00\x02\x02\x46"), "speaks TLS here, and was spoken to without: use https://"),
        (
            answering(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
            "speaks HTTP/2 here, and was asked in HTTP/1.1: try --http2",
        ),
        (answering(b"HTTP/1.1 101 x\nUpgrade: websocket\n\n"), "LF alone"),
    ],
)
def test_what_is_no_answer(talk: object, words: str) -> None:
    """A server that speaks something else, or nothing, is told apart from one that refuses."""
    with scripted(talk) as port:  # type: ignore[arg-type]
        probed = run(f"ws://127.0.0.1:{port}/", "--timeout", "0.5")
    assert probed.status == 1
    assert probed.error.count("\n") == 1
    assert words in probed.verdict


def test_a_refusal_that_is_broken_off() -> None:
    """A refusal counts, even if its connection breaks within the content."""

    def talk(connection: socket.socket) -> None:
        answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n")(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    with scripted(talk) as port:
        assert "nothing at /" in run(f"ws://127.0.0.1:{port}/").verdict


def test_a_server_that_breaks_off() -> None:
    """A reset instead of an answer is told."""

    def talk(connection: socket.socket) -> None:
        connection.recv(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    with scripted(talk) as port:
        assert "broke the connection off" in run(f"ws://127.0.0.1:{port}/").verdict


def test_nobody_there(tmp_path: Path) -> None:
    """A port where nobody listens, a name without an address, a socket that is not there: each in words."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert f"127.0.0.1:{port} refused the connection" in run(f"ws://127.0.0.1:{port}/").verdict
    assert "no address for the name nowhere.invalid" in run("ws://nowhere.invalid/").verdict
    missing = str(tmp_path / "x.sock")
    assert f"no connection to {missing}: no such file" in run("ws://a/", "--unix-socket", missing).verdict


def test_a_unix_socket(tmp_path: Path) -> None:
    """The connection goes to the socket, the request to what the URL names."""
    path = str(tmp_path / "x.sock")
    with scripted(switching(), path) as _:
        probed = run("ws://app.example/ws", "--unix-socket", path)
    assert probed.status == 0
    assert f"* connected to {path} from a UNIX socket" in probed.printed
    assert "> Host: app.example\n" in probed.printed


# --- TLS.


def over_tls(certificate: CertificateFiles, talk: object, alpn: tuple[str, ...] = ("http/1.1",)) -> object:
    """Return a server of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    context.set_alpn_protocols(list(alpn))

    def speak(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            talk(secure)  # type: ignore[operator]

    return speak


def test_tls(certificate: CertificateFiles) -> None:
    """Version, cipher, ALPN, the certificate's names and its end, and that it was checked."""
    with scripted(over_tls(certificate, switching())) as port:  # type: ignore[arg-type]
        probed = run(f"wss://localhost:{port}/", "--cacert", str(certificate.cert))
    assert probed.status == 0
    assert "* TLSv1.3, TLS_AES_256_GCM_SHA384; ALPN agreed on http/1.1\n" in probed.printed
    assert "* certificate of CN=localhost, for localhost, 127.0.0.1\n" in probed.printed
    assert " UTC; trusted, and the name is right\n" in probed.printed


def test_a_certificate_that_is_not_trusted(certificate: CertificateFiles) -> None:
    """The reason is told, and two ways on; -k is one of them."""
    with scripted(over_tls(certificate, switching())) as port:  # type: ignore[arg-type]
        refused, passed = run(f"wss://localhost:{port}/"), run(f"wss://localhost:{port}/", "-k")
    assert refused.verdict == (
        "the certificate is not to be trusted: self-signed certificate; --cacert FILE trusts one more, -k all"
    )
    assert (refused.status, passed.status) == (1, 0)
    assert "; not checked (-k)" in passed.printed


def test_a_certificate_of_another_name(certificate: CertificateFiles) -> None:
    """The name that was asked for, and that it is the name, is told."""
    with scripted(over_tls(certificate, switching())) as port:  # type: ignore[arg-type]
        probed = run(f"wss://127.0.0.2:{port}/", "--cacert", str(certificate.cert))
        assert "127.0.0.2" in probed.verdict or "refused the connection" in probed.verdict


def test_tls_and_cleartext_confused(certificate: CertificateFiles) -> None:
    """TLS to a cleartext port, and the reverse, are found out, and told with what to write instead."""
    with scripted(
        lambda connection: connection.sendall(connection.recv(1) and b"HTTP/1.1 400 Bad Request\r\n")
    ) as port:
        assert "does not speak TLS here: use http:// or ws://" in run(f"wss://127.0.0.1:{port}/").verdict
    silent = over_tls(certificate, lambda _: None)

    def hang_up(connection: socket.socket) -> None:
        if connection.recv(1, socket.MSG_PEEK) == b"\x16":
            silent(connection)  # type: ignore[operator]

    with scripted(hang_up) as port:
        assert run(f"ws://127.0.0.1:{port}/").verdict == "the server speaks TLS here: use https:// or wss://"


def test_a_file_of_authorities_that_is_none(tmp_path: Path) -> None:
    """``--cacert`` is read before anything is sent."""
    with scripted(answering(b"")) as port:
        assert "--cacert" in run(f"wss://127.0.0.1:{port}/", "--cacert", str(tmp_path / "none")).verdict


# --- HTTP/2 with those who do not speak it.


def test_no_http_2(certificate: CertificateFiles) -> None:
    """Over TLS ALPN tells that there is none; on cleartext an answer in HTTP/1.1, or none."""
    with scripted(over_tls(certificate, answering(b""), ("http/1.1",))) as port:  # type: ignore[arg-type]
        assert "try without --http2" in run(f"wss://localhost:{port}/", "--http2", "-k").verdict
    with scripted(answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")) as port:
        probed = run(f"ws://127.0.0.1:{port}/", "--http2")
        assert probed.verdict == "the server answers HTTP/2 in HTTP/1.1: try without --http2"
    with scripted(answering(b"")) as port:
        probed = run(f"ws://127.0.0.1:{port}/", "--http2", "--timeout", "0.3")
        assert "may not speak HTTP/2 here" in probed.verdict
    with scripted(answering(bytes(40))) as port:
        assert "is no HTTP/2" in run(f"ws://127.0.0.1:{port}/", "--http2").verdict


def test_no_extended_connect() -> None:
    """EC-01: a server that does not announce extended CONNECT is not asked."""
    with scripted(answering(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", wait=True)) as port:
        probed = run(f"ws://127.0.0.1:{port}/", "--http2")
    assert "no extended CONNECT (RFC 8441)" in probed.verdict
    assert "> " not in probed.printed


def test_a_server_that_ends_http_2() -> None:
    """A GOAWAY in place of an answer is told by its name."""
    hello = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00" + b"\x00\x08\x00\x00\x00\x01"
    goaway = b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + bytes(4) + b"\x00\x00\x00\x0b"
    with scripted(answering(hello + goaway, wait=True)) as port:
        probed = run(f"ws://127.0.0.1:{port}/", "--http2")
    assert probed.verdict == "the server ended the stream without an answer (ENHANCE_YOUR_CALM)"


def test_a_server_with_no_room_for_a_stream() -> None:
    """A limit of no stream at all is told, not run into."""
    hello = b"\x00\x00\x0c\x04\x00\x00\x00\x00\x00" + b"\x00\x08\x00\x00\x00\x01" + b"\x00\x03" + bytes(4)
    with scripted(answering(hello, wait=True)) as port:
        probed = run(f"ws://127.0.0.1:{port}/", "--http2")
    assert "lets nobody open a stream" in probed.verdict
