"""The outer layer of the API and the pages: takes only small bodies of a known kind, and lets nothing be cached.

Airflow and its server log the exceptions of an app, with their values. So no exception gets out: a failure is logged as
a type and a place, and answered as a problem.
"""

import logging
from collections.abc import Callable, Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sluice.errors import Ref, SluiceError, told_of
from sluice.media_types import JSON
from sluice.web.errors import NotJson, TooLarge
from sluice.web.problem import problem_of

log = logging.getLogger(__name__)
LARGEST_BYTES = 64 << 10
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class Guard:
    """ASGI middleware around a whole app.

    headers: set on every answer that does not have its own. tell: makes the answer for an error that got this far.
    takes: the accepted media types of bodies.
    """

    def __init__(
        self,
        app: ASGIApp,
        headers: Mapping[str, str] = HEADERS,
        tell: Callable[[Scope, SluiceError], ASGIApp] = lambda scope, error: problem_of(error),
        takes: frozenset[str] = frozenset({JSON}),
    ) -> None:
        self.app, self.headers, self.tell, self.takes = app, headers, tell, takes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def tell(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                headers.update({name: value for name, value in self.headers.items() if name not in headers})
            await send(message)

        failure: SluiceError
        try:
            body = await _read(receive)
            if body is None:
                return  # nobody waits for an answer
            _check_media_type(scope, body, self.takes)
            await self.app(scope, _replay(body, receive), tell)
            return
        except SluiceError as error:
            failure = error
        except Exception as error:
            log.error("%s", told_of(error)[1])
            failure = SluiceError()
        if not begun:
            await self.tell(scope, failure)(scope, receive, tell)


async def _read(receive: Receive) -> bytes | None:
    """Read the whole body; None if the client went away before its end. Raises TooLarge as soon as it is too large."""
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        more = message.get("more_body", False)
        if size > LARGEST_BYTES:
            raise TooLarge(Ref("bytes at most", LARGEST_BYTES))
    return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a receive function that gives the body once, then what comes after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def _check_media_type(scope: Scope, body: bytes, takes: frozenset[str]) -> None:
    """Accept only JSON, for the API. A form of another site cannot send JSON, and a script of one must ask (CORS)."""
    said = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    is_sent = bool(body) or scope["method"] == "POST"
    if scope["method"] not in SAFE_METHODS and is_sent and said not in takes:
        raise NotJson
