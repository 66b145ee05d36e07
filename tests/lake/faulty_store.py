"""A small proxy in front of a real S3 that loses answers, as networks do.

The Host header goes through as it came, so that signatures stay valid.
"""

import contextlib
import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

HOP_BY_HOP = frozenset({"connection", "expect", "keep-alive", "transfer-encoding"})
PATIENCE_SECONDS = 1.0
"""How long a client of :func:`impatient` waits for an answer."""


class Fault(StrEnum):
    """What happens to one request, such as an error in place of its answer."""

    OWN_412 = "412 after own success"
    TIMEOUT = "timeout after commit"
    RESET = "reset after commit"
    ERROR_500 = "500 after commit"
    BUSY_503 = "503 before commit"
    LATE_504 = "504 of a gateway after commit"
    MANY_429 = "429 before commit"
    CUT = "answer cut in the middle"


@dataclass
class Proxy:
    """The next request of ``method`` after ``skip`` others meets ``fault``, once; ``met`` counts those that did."""

    upstream: str
    port: int = 0
    method: str = "PUT"
    fault: Fault | None = None
    skip: int = 0
    met: int = 0
    between: Callable[[], object] = lambda: None
    """Done where an answer is cut, before the client knows."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def arm(self, fault: Fault, skip: int = 0, method: str = "PUT") -> None:
        self.fault, self.skip, self.method = fault, skip, method

    def take(self, method: str) -> Fault | None:
        """The fault that this request meets, if any."""
        with self.lock:
            if method != self.method or self.fault is None:
                return None
            self.skip -= 1
            if self.skip >= 0:
                return None
            fault, self.fault = self.fault, None
            self.met += 1
            return fault


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        self._pass()

    do_PUT = do_HEAD = do_POST = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        pass

    def _pass(self) -> None:
        proxy: Proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = proxy.take(self.command)
        if fault is Fault.BUSY_503:
            return self._say(503, _error("SlowDown"))
        if fault is Fault.MANY_429:
            return self._say(429, _error("TooManyRequests"))
        status, headers, content = self._ask(proxy, body)
        match fault:
            case Fault.OWN_412:
                self._say(412, _error("PreconditionFailed"))
            case Fault.ERROR_500:
                self._say(500, _error("InternalError"))
            case Fault.LATE_504:
                self._say(504, b"<html>gateway timeout</html>", [("Content-Type", "text/html")])
            case Fault.TIMEOUT:
                self.server.closing.wait(3 * PATIENCE_SECONDS)
                self._reset()
            case Fault.RESET:
                self._reset()
            case Fault.CUT:
                self._say(status, content, headers, len(content) // 2)
                proxy.between()
                self._reset()
            case _:
                self._say(status, content, headers)

    def _ask(self, proxy: Proxy, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        line = http.client.HTTPConnection(urlsplit(proxy.upstream).netloc, timeout=60)
        with contextlib.closing(line):
            line.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    line.putheader(name, value)
            line.endheaders(body or None)
            answer = line.getresponse()
            return answer.status, answer.getheaders(), answer.read()

    def _say(
        self, status: int, content: bytes, headers: list[tuple[str, str]] | None = None, cut: int | None = None
    ) -> None:
        self.send_response_only(status)
        length = str(len(content))
        for name, value in headers or [("Content-Type", "application/xml")]:
            if self.command == "HEAD" and name.lower() == "content-length":
                length = value
            elif name.lower() not in HOP_BY_HOP | {"content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[:cut])
            self.wfile.flush()

    def _reset(self) -> None:
        """Hang up as a network does: RST, no FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RD)


def _error(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>of the test</Message></Error>".encode()


@contextmanager
def faulty(upstream: str) -> Iterator[Proxy]:
    """A proxy before an S3 endpoint; closed afterwards."""
    proxy = Proxy(upstream)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        server.proxy, server.closing = proxy, threading.Event()  # type: ignore[attr-defined]
        proxy.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            server.closing.set()  # type: ignore[attr-defined]
            server.shutdown()


def impatient(patch: pytest.MonkeyPatch) -> None:
    """The product's clients wait a second for an answer, not a minute."""
    import botocore.config

    made = botocore.config.Config
    patch.setattr(botocore.config, "Config", lambda **said: made(**said | {"read_timeout": PATIENCE_SECONDS}))
