"""Requests a second that ``h2`` takes and answers without any I/O: ``python h2_alone.py SECONDS``, a line of JSON.

One connection with streams one behind the other: decode the request, encode the head of its response and its content.
The client's side is made beforehand, so that only the server's counts.
"""

from __future__ import annotations

import json
import sys
import time

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived

#: Requests that are made beforehand, each with its connection's compression state.
_BATCH = 2000

_REQUEST = [(":method", "GET"), (":scheme", "http"), (":path", "/plain"), (":authority", "127.0.0.1")]
_REQUEST += [("user-agent", "h2load nghttp2/1.52.0")]
_RESPONSE = [(":status", "200"), ("server", "h2"), ("content-length", "12"), ("content-type", "text/html")]


def _requests() -> tuple[bytes, list[bytes]]:
    client = H2Connection(H2Configuration(client_side=True))
    client.initiate_connection()
    first = client.data_to_send()
    made = []
    for number in range(_BATCH):
        client.send_headers(2 * number + 1, _REQUEST, end_stream=True)
        made.append(client.data_to_send())
    return first, made


def main(seconds: float) -> None:
    """Run, and tell."""
    first, made = _requests()
    done, used = 0, 0.0
    while used < seconds:
        server = H2Connection(H2Configuration(client_side=False))
        server.initiate_connection()
        server.receive_data(first)
        server.data_to_send()
        began = time.process_time()
        for request in made:
            for event in server.receive_data(request):
                if isinstance(event, RequestReceived):
                    server.send_headers(event.stream_id, _RESPONSE)
                    server.send_data(event.stream_id, b"hello, world", end_stream=True)
            server.data_to_send()
        used += time.process_time() - began
        done += _BATCH
    sys.stdout.write(json.dumps({"count": done, "per_second": done / used, "server_us": used / done * 1e6}) + "\n")


if __name__ == "__main__":
    main(float(sys.argv[1]))
