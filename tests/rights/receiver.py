"""A receiver of webhooks for tests: HTTP on a port of this machine, of the standard library alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer


@dataclass
class Receiver:
    """What came in, and what it answers."""

    url: str = ""
    status: int = 200
    received: list[bytes] = field(default_factory=list)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """An open receiver; closed afterwards."""
    there = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if there.status == 200:
                there.received.append(body)
            self.send_response(there.status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing of it on the screen of the tests."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        there.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield there
        server.shutdown()
        thread.join(10)
