"""The preflight believes no server: one that answers 200 to everything is found out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError
from pydantic import SecretStr

from sluice.errors import Exit, ServiceMissing
from sluice.services import buckets
from sluice.services.model import StoreUnfit
from sluice.settings import Settings


class Store(BaseHTTPRequestHandler):
    """A small S3: real versions and conditions, each of which can be broken."""

    protocol_version = "HTTP/1.1"
    broken: frozenset[str] = frozenset()
    versions: dict[str, list[bytes]]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "crc" in self.broken and any("crc32" in f"{header}".lower() for header in self.headers.items()):
            return self._answer(400)
        held = self.versions.setdefault(urlsplit(self.path).path, [])
        if held and "If-None-Match" in self.headers and "If-None-Match" not in self.broken:
            return self._answer(412)
        if "If-Match" in self.headers and "If-Match" not in self.broken:
            return self._answer(412)
        if "versions" in self.broken:
            held.clear()
        held.append(body)
        return self._answer(200)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query, keep_blank_values=True)
        if "versions" in query:
            (key,) = query["prefix"]
            held = self.versions.get(f"/evidence/{key}", [])
            lines = (f"<Version><Key>{key}</Key><VersionId>{i}</VersionId></Version>" for i in range(len(held)))
            return self._answer(200, f"<ListVersionsResult>{''.join(lines)}</ListVersionsResult>".encode())
        return self._answer(200, self.versions[url.path][int(query["versionId"][0])])

    def do_DELETE(self) -> None:
        return self._answer(204)

    def log_message(self, format: str, *args: object) -> None:
        return

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def store(*broken: str) -> Iterator[Settings]:
    handler = type("Handler", (Store,), {"broken": frozenset(broken), "versions": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield settings(server.server_port)
        server.shutdown()


CREDENTIAL = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}


def settings(port: int) -> Settings:
    key = SecretStr("x")
    return Settings(s3_endpoint=f"http://127.0.0.1:{port}", s3_access_key=key, s3_secret_key=key)


def test_a_store_that_keeps_its_promises_passes() -> None:
    with store() as good:
        buckets.check_store(good)


@pytest.mark.slow
def test_a_store_that_refuses_what_boto3_adds_is_proven_as_it_is_used() -> None:
    """Since 2025 that is a CRC, which servers of before may not know."""
    with store("crc") as older:
        buckets.check_store(older)
        by_itself = boto3.client("s3", endpoint_url=older.s3_endpoint, region_name="x", **CREDENTIAL)
        with pytest.raises(ClientError, match="400"):
            by_itself.put_object(Bucket="evidence", Key="control", Body=b"1")


@pytest.mark.slow
@pytest.mark.parametrize("promise", ["If-None-Match", "If-Match", "versions"])
def test_a_store_that_only_says_yes_is_refused(promise: str) -> None:
    with store(promise) as bad, pytest.raises(StoreUnfit, match=f"SLU-112 .*promise {promise}") as refused:
        buckets.check_store(bad)
    assert refused.value.exit is Exit.MISSING


def test_a_store_that_does_not_answer_is_missing() -> None:
    with pytest.raises(ServiceMissing, match="s3"):
        buckets.missing_buckets(settings(1))


@pytest.mark.stores
def test_the_embedded_store_passes_and_the_probe_is_gone(store_settings: Settings) -> None:
    buckets.check_store(store_settings)
    assert buckets.missing_buckets(store_settings) == []
