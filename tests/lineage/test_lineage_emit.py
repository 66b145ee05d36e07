"""An event arrives whole, or the outbox is told."""

import json
import resource
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from documents.samples import a_record
from sluice.lineage.emit import emit
from sluice.lineage.events import closed_event
from sluice.lineage.model import EventInvalid, EventNotSent, EventRefused, ReceiverDown, TargetInvalid
from sluice.settings import Settings

pytestmark = pytest.mark.slow

EVENT = closed_event(a_record(), "d1" * 32, Settings(environment="test"))


@pytest.fixture
def receiver():
    """A local OpenLineage receiver that answers with ``receiver.status`` and keeps what it got."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.received.append((self.path, self.headers["Content-Type"], body))
            self.send_response(self.server.status)
            if self.server.status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.received, server.status = [], 201
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("path", "seen"), [("", "/api/v1/lineage"), ("/", "/api/v1/lineage"), ("/ol?a=b", "/ol?a=b")])
def test_a_receiver_gets_the_event_as_it_is(receiver, path, seen):
    emit(EVENT, f"http://127.0.0.1:{receiver.server_port}{path}")

    assert receiver.received == [(seen, "application/json", EVENT.encode())]


@pytest.mark.parametrize("status", [302, 401, 403, 404, 405, 407, 408, 429, 503])
def test_an_answer_that_any_event_would_get_is_about_the_receiver(receiver, status):
    receiver.status = status

    with pytest.raises(ReceiverDown, match=rf"SLU-472 .*answer {status}"):
        emit(EVENT, f"http://127.0.0.1:{receiver.server_port}")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_answer_about_this_event_is_told_apart(receiver, status):
    receiver.status = status

    with pytest.raises(EventRefused, match=rf"SLU-475 .*answer {status}"):
        emit(EVENT, f"http://127.0.0.1:{receiver.server_port}")


def test_a_receiver_that_is_away_is_told_to_the_outbox(receiver):
    port = receiver.server_port
    receiver.shutdown()
    receiver.server_close()

    with pytest.raises(EventNotSent, match="ConnectionRefusedError"):
        emit(EVENT, f"http://127.0.0.1:{port}")


def test_many_writers_never_mix_their_lines(tmp_path):
    target = tmp_path / "with space" / "events.ndjson"
    url = target.as_uri()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: emit(EVENT, url), range(80)))

    lines = target.read_text().splitlines()
    assert lines == [EVENT] * 80
    assert json.loads(lines[0])["eventType"] == "COMPLETE"


def test_a_file_that_cannot_be_written_is_told_to_the_outbox(tmp_path):
    with pytest.raises(EventNotSent, match="target file"):
        emit(EVENT, tmp_path.as_uri())


def test_a_line_that_a_full_disk_tore_does_not_spoil_the_one_that_is_tried_again(tmp_path):
    path = tmp_path / "events.ndjson"
    size = len(EVENT.encode()) + 1
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    emit(EVENT, path.as_uri())
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, limits[1]))
        with pytest.raises(ReceiverDown, match=f"only 10 of {size} bytes"):
            emit(EVENT, path.as_uri())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    for _ in range(2):
        emit(EVENT, path.as_uri())

    assert path.read_text().splitlines() == [EVENT, EVENT[:10], EVENT, EVENT]


def test_nowhere_is_a_target_too():
    emit(EVENT, None)


@pytest.mark.parametrize("url", ["ftp://host/x", "file://host/x", "file:relative", "events.ndjson", "http://"])
def test_a_target_that_cannot_be_understood_is_refused(url):
    with pytest.raises(TargetInvalid, match="SLUICE_LINEAGE_URL"):
        emit(EVENT, url)


def test_an_invalid_event_never_leaves(receiver):
    with pytest.raises(EventInvalid):
        emit(EVENT.replace('"COMPLETE"', '"DONE"'), f"http://127.0.0.1:{receiver.server_port}")

    assert receiver.received == []
