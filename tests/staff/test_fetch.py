"""The e-learning system over HTTP, against a real server of this test."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from sluice.staff.fetch import fetch, is_url
from sluice.staff.model import StaffSourceRefused

ROWS = b'{"rows": []}'


class Learning(ThreadingHTTPServer):
    """Answers ``status`` with ``body``; keeps the tokens it was shown."""

    status, body, cut = 200, ROWS, 0
    tokens: list[str | None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/export?since=1"


class Handler(BaseHTTPRequestHandler):
    server: Learning

    def do_GET(self) -> None:
        self.server.tokens.append(self.headers["Authorization"])
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(self.server.body) + self.server.cut))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def learning() -> Iterator[Learning]:
    server = Learning(("127.0.0.1", 0), Handler)
    server.tokens = []
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_rows_come_with_the_bearer_token(learning: Learning) -> None:
    file = fetch(learning.url, "s3cret")
    assert (file.body, file.source, learning.tokens) == (ROWS, "e_learning", ["Bearer s3cret"])


def test_a_token_with_a_line_end_as_files_of_secrets_have_it_is_the_token(learning: Learning) -> None:
    assert fetch(learning.url, "s3cret\n").body == ROWS
    fetch(learning.url, "\n")
    assert learning.tokens == ["Bearer s3cret", None]


@pytest.mark.parametrize(
    ("path", "token"), [("/é", None), ("/a b", None), ("/rows", "s3cret\nother"), ("/rows", "s3cr\u20act")]
)
def test_what_cannot_be_asked_is_an_error_of_ours_without_a_token_in_it(
    learning: Learning, path: str, token: str | None
) -> None:
    with pytest.raises(StaffSourceRefused, match=r"SLU-511 .*failure") as caught:
        fetch(f"http://127.0.0.1:{learning.server_port}{path}", token)
    assert learning.tokens == [] and "s3cr" not in f"{caught.value!r} {caught.value.__context__!r}"


@pytest.mark.parametrize("url", ["https://[foo/", "https://[::1]x/"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(StaffSourceRefused, match="SLU-511"):
        fetch(url, None)


def test_without_a_token_none_is_sent(learning: Learning) -> None:
    fetch(learning.url, None)
    assert learning.tokens == [None]


@pytest.mark.parametrize("status", [302, 401, 404, 500])
def test_any_other_answer_is_an_error_with_its_status_and_is_never_followed(learning: Learning, status: int) -> None:
    learning.status, learning.body = status, b"Jan Peeters is not allowed"
    with pytest.raises(StaffSourceRefused, match=f"SLU-511 .*status {status}") as caught:
        fetch(learning.url, "s3cret")
    assert len(learning.tokens) == 1
    assert "s3cret" not in str(caught.value) and "Peeters" not in str(caught.value)


def test_half_an_answer_is_no_answer(learning: Learning) -> None:
    learning.cut = 10
    with pytest.raises(StaffSourceRefused, match="failure"):
        fetch(learning.url, None)


def test_nobody_there_is_an_error_not_an_empty_list() -> None:
    with pytest.raises(StaffSourceRefused, match="failure URLError"):
        fetch("http://127.0.0.1:1/", None)


def test_a_token_does_not_leave_this_machine_in_clear() -> None:
    with pytest.raises(StaffSourceRefused, match="token over https only"):
        fetch("http://elearning.example/rows", "s3cret")


def test_what_is_an_address() -> None:
    assert is_url("https://x/") and is_url("http://x/") and not is_url("exams.csv")
