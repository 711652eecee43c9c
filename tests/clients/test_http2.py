"""curl, nghttp and h2load as clients that speak HTTP/2: by prior knowledge, by Upgrade, and over TLS."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import CertificateFiles
from tests.clients.curl import WRITTEN, address, curl, split
from tests.clients.proxies import haproxy
from tests.clients.support import assert_no_traceback, run_tool, tool
from tests.support.process import PATIENCE, Server, environment, serving
from upgradegw.http2.frames import PREFACE

HERE = Path(__file__).parent
ROUTE = "--app-dir", str(HERE), "--resource", "/=http2_content:Content"


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of content, on TCP."""
    with serving(*ROUTE, "--access-log", "off", folder=tmp_path_factory.mktemp("content")) as server:
        yield server
    assert_no_traceback(server)


@pytest.fixture(scope="module")
def secure_content(certificate: CertificateFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same on TLS."""
    tls = "--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key)
    with serving(*ROUTE, *tls, "--access-log", "off", folder=tmp_path_factory.mktemp("secure_content")) as server:
        yield server
    assert_no_traceback(server)


@contextlib.contextmanager
def taking_offers() -> Iterator[str]:
    """Run a site that takes every direct offer of h2c; the value is its address."""
    command = [sys.executable, str(HERE / "http2_content.py")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment()) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        logged = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0, logged
    assert "Traceback" not in logged, logged


def versions(printed: str) -> list[list[str]]:
    """Return status, version of HTTP and new connections of each response that curl printed."""
    return [line.split()[:3] for line in re.findall(r"^\d{3} \S+ \d+ \d+$", printed, flags=re.MULTILINE)]


def test_curl_by_prior_knowledge(demonstration: Server) -> None:
    """H2-01: HTTP/2 from the first byte on."""
    # Not two requests: curl 7.88 fails to use a connection of prior knowledge again.
    printed = curl("--http2-prior-knowledge", "-i", "-w", WRITTEN, address(demonstration, "/"))
    assert versions(printed) == [["200", "2", "1"]]
    ((status, fields, text),) = split(printed)
    assert status.startswith("HTTP/2 200")
    assert not {"connection", "transfer-encoding", "upgrade"} & set(fields)
    assert "</html>" in text
    demonstration.await_line(r'"GET / HTTP/2" 200 .* "curl/.* id=\w+/1\b')


def test_head_and_what_is_not_there(demonstration: Server) -> None:
    """HEAD has the length and no content; an unknown path is 404, a method that a page does not have 405."""
    page, nothing = address(demonstration, "/"), address(demonstration, "/nothing")
    ((status, fields, text), *_) = split(curl("--http2-prior-knowledge", "-I", page))
    assert (status.split()[1], text) == ("200", "")
    assert int(fields["content-length"]) > 0
    printed = curl("--http2-prior-knowledge", "-o", "/dev/null", "-w", WRITTEN, nothing, "-d", "a=b")
    assert versions(printed) == [["404", "2", "1"]]


def test_a_path_for_upgrades_only(demonstration: Server) -> None:
    """H2-06: no 426, which would need Upgrade; 400 with words that name extended CONNECT."""
    ((status, fields, text),) = split(curl("--http2-prior-knowledge", "-i", address(demonstration, "/ws")))
    assert status.split()[:2] == ["HTTP/2", "400"]
    assert "upgrade" not in fields
    assert "extended CONNECT" in text


def test_curl_by_upgrade(demonstration: Server) -> None:
    """HC-01, HC-06: the demonstration takes curl's offer; the request is answered on stream 1, the next one on 3."""
    page = address(demonstration, "/")
    printed = curl("--http2", "-i", "-w", WRITTEN, page, page)
    assert versions(printed) == [["200", "2", "1"], ["200", "2", "0"]]
    (switched, fields, _), *answers = split(printed)
    assert switched.split()[1] == "101"
    assert (fields["upgrade"], fields["connection"].lower()) == ("h2c", "upgrade")
    assert [status.split()[:2] for status, _, _ in answers] == [["HTTP/2", "200"]] * 2
    demonstration.await_line(r'"GET / HTTP/2" 200 .* "curl/.* id=\w+/1\b')
    demonstration.await_line(r'"GET / HTTP/2" 200 .* "curl/.* id=\w+/3\b')


def test_curl_over_tls(secure_demonstration: Server, certificate: CertificateFiles) -> None:
    """H2-02: ALPN picks h2 for those who know it, and http/1.1 for the others."""
    url = f"https://localhost:{secure_demonstration.port}/"
    trusting = "--cacert", str(certificate.cert), "-o", "/dev/null", "-w", WRITTEN
    printed = curl("--http2", *trusting, url, "-o", "/dev/null", url)
    assert versions(printed) == [["200", "2", "1"], ["200", "2", "0"]]
    assert versions(curl("--http1.1", *trusting, url)) == [["200", "1.1", "1"]]
    assert versions(curl("--http2", "--no-alpn", *trusting, url)) == [["200", "1.1", "1"]]


@pytest.mark.parametrize("size", [0, 12, 100_000, 1_000_000])
def test_content_by_prior_knowledge(content: Server, tmp_path: Path, size: int) -> None:
    """H2-03: what is posted arrives, over many frames and windows, and so does as much in the answer."""
    file = tmp_path / "content"
    file.write_text("0123456789" * (size // 10) + "x" * (size % 10))
    posted = curl("--http2-prior-knowledge", "--data-binary", f"@{file}", address(content, "/"))
    assert len(posted) == len("HTTP/2 ") + size
    assert posted == f"HTTP/2 {file.read_text()}"


@pytest.mark.parametrize("size", [12, 1_000_000])
def test_content_over_tls(secure_content: Server, certificate: CertificateFiles, tmp_path: Path, size: int) -> None:
    """The same over TLS."""
    file = tmp_path / "content"
    file.write_text("x" * size)
    url = f"https://localhost:{secure_content.port}/"
    posted = curl("--http2", "--cacert", str(certificate.cert), "--data-binary", f"@{file}", url)
    assert len(posted) == len("HTTP/2 ") + size
    assert posted == f"HTTP/2 {file.read_text()}"


@pytest.mark.parametrize("size", [12, 100_000])
def test_content_by_upgrade(tmp_path: Path, size: int) -> None:
    """HC-09: content that comes with the offer is read before the switch, and is the content of stream 1."""
    file = tmp_path / "content"
    file.write_text("x" * size)
    with taking_offers() as url:
        printed = curl("--http2", "-i", "--data-binary", f"@{file}", url)
    *before, (switched, _, _), (status, _, text) = split(printed)
    assert [line.split()[1] for line, _, _ in before] in ([], ["100"])  # curl asks first if the content is long
    assert (switched.split()[1], status.split()[:2]) == ("101", ["HTTP/2", "200"])
    assert text == f"HTTP/2 {file.read_text()}"


def nghttp(*arguments: str) -> str:
    """Run nghttp, which writes what it sends and receives; return that without colours."""
    done = run_tool([tool("nghttp"), "--null-out", "--verbose", "--timeout=20", "--no-verify-peer", *arguments])
    assert done.returncode == 0, done.stderr
    assert "[ERROR]" not in done.stdout, done.stdout
    return re.sub(r"\x1b\[[\d;]*m", "", done.stdout)


def test_nghttp_by_prior_knowledge(demonstration: Server) -> None:
    """H2-01: the server's first frame is SETTINGS, and it acknowledges the client's."""
    printed = nghttp(address(demonstration, "/"))
    assert re.findall(r"\] recv (\w+(?: frame)?|\(stream_id=\d+\) :status: \d+)", printed)[0] == "SETTINGS frame"
    assert re.search(r"recv SETTINGS frame <length=0, flags=0x01", printed)
    assert "recv (stream_id=13) :status: 200" in printed
    assert "GOAWAY frame" not in printed.partition("send GOAWAY frame")[0]


@pytest.mark.parametrize("windows", [(), ("-w", "6"), ("-w", "2", "-W", "16")], ids=["wide", "63 bytes", "3 bytes"])
def test_nghttp_by_upgrade(demonstration: Server, windows: tuple[str, ...]) -> None:
    """HC-01, HC-05, HC-06: the switch, SETTINGS first, the answer on stream 1 within the window of HTTP2-Settings."""
    printed = nghttp("--upgrade", *windows, address(demonstration, "/"))
    assert "HTTP Upgrade success" in printed
    _, _, behind = printed.partition("HTTP Upgrade success")
    assert re.findall(r"\] recv (\w+) frame", behind)[0] == "SETTINGS"
    assert "recv (stream_id=1) :status: 200" in behind
    assert re.search(r"recv DATA frame <length=\d+, flags=0x01, stream_id=1>", behind)


def test_nghttp_over_tls(secure_demonstration: Server) -> None:
    """H2-02: the same over TLS."""
    printed = nghttp(address(secure_demonstration, "/"))
    assert "The negotiated protocol: h2" in printed
    assert ":status: 200" in printed


def test_too_much_content_is_413(content: Server, tmp_path: Path) -> None:
    """A-27: 2 MiB are refused before they have come, and the whole answer arrives."""
    # Not by curl: 7.88 forgets an answer that RST_STREAM follows, as RFC 9113 section 8.1 has it.
    file = tmp_path / "content"
    file.write_bytes(bytes(2 << 20))
    printed = nghttp("--data", str(file), address(content, "/"))
    assert "recv (stream_id=13) :status: 413" in printed
    assert re.search(r"recv DATA frame <length=\d+, flags=0x01, stream_id=13>", printed)
    assert "error_code=NO_ERROR(0x00)" in printed.partition("recv RST_STREAM frame")[2]


@pytest.mark.parametrize("size", [12, 100_000])
def test_h2load(content: Server, secure_content: Server, size: int) -> None:
    """Thousands of requests, fifty at a time on each of fifty connections, and none of them fails."""
    for server, requests in ((content, 10_000), (secure_content, 2_000)):
        number = requests if size == 12 else requests // 10
        clients = ["-n", str(number), "-c", "50", "-m", "50"]
        done = run_tool([tool("h2load"), *clients, address(server, f"/{size}")], timeout=3 * PATIENCE)
        assert done.returncode == 0, done.stderr
        expected = f"{number} done, {number} succeeded, 0 failed, 0 errored, 0 timeout"
        assert expected in done.stdout, done.stdout
        assert f"status codes: {number} 2xx, 0 3xx, 0 4xx, 0 5xx" in done.stdout, done.stdout
        assert re.search(rf"traffic: .* \({number * size}\) data", done.stdout), done.stdout


OFFER = (
    b"GET /5 HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
)


def test_an_offer_that_a_proxy_passes_on(content: Server, tmp_path: Path) -> None:
    """A-01: HAProxy passes an offer on and adds nothing that would tell; a configured listener does not switch."""
    with haproxy(tmp_path, content.port, "", mode="http") as port:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(OFFER)
            answer = b""
            while not answer.endswith(b"xxxxx"):
                piece = connection.recv(4096)
                assert piece, answer
                answer += piece
            assert answer.startswith(b"HTTP/1.1 200 ")
            connection.sendall(PREFACE + bytes(9))
            rest = b""
            while piece := connection.recv(4096):
                rest += piece
        assert rest == b"" or rest.startswith(b"HTTP/1.1 4")


def test_whoever_takes_every_offer(tmp_path: Path) -> None:
    """A-01: with ``always`` the same client speaks HTTP/2 past the proxy: what the default is there to prevent."""
    with (
        serving(*ROUTE, "--h2c-upgrade", "always", "--access-log", "off", folder=tmp_path) as server,
        haproxy(tmp_path, server.port, "", mode="http") as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
    ):
        connection.sendall(OFFER)
        assert connection.recv(4096).startswith(b"HTTP/1.1 101 ")
