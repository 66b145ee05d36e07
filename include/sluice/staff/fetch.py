"""Fetch the rows of an e-learning system over HTTP: one request, no redirect, a size limit."""

import http.client
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from sluice.errors import Ref
from sluice.media_types import JSON
from sluice.staff.model import StaffFile, StaffSourceRefused
from sluice.staff.read import LARGEST_BYTES

TIMEOUT_SECONDS = 30
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, which would send the token to another host."""

    def redirect_request(self, *_: object) -> None:
        return None


def is_url(source: str) -> bool:
    """Whether a source is a URL rather than a file."""
    return source.startswith(("https://", "http://"))


def fetch(url: str, token: str | None) -> StaffFile:
    """Fetch the JSON of an e-learning system. token: bearer token, sent only over https or to this machine.

    Raises StaffSourceRefused with the host and the HTTP status or kind of failure.
    """
    token = (token or "").strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        raise StaffSourceRefused(Ref("host", "none"), Ref("failure", "no address")) from None
    host = Ref("host", parts.hostname or "none")
    if token and parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise StaffSourceRefused(host, Ref("rule", "token over https only"))
    headers = {"Accept": JSON, **({"Authorization": f"Bearer {token}"} if token else {})}
    answer = _ask(urllib.request.Request(url, headers=headers))
    if isinstance(answer, bytes):
        return StaffFile(answer, "e_learning")
    raise StaffSourceRefused(host, answer)


def _ask(request: urllib.request.Request) -> bytes | Ref:
    """The body, or what went wrong, without quoting the server's answer."""
    opener = urllib.request.build_opener(_Stay)
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            body: bytes = response.read(LARGEST_BYTES + 1)
            is_whole = len(body) > LARGEST_BYTES or not response.length
    except urllib.error.HTTPError as error:
        error.close()
        return Ref("status", error.code)
    except (OSError, http.client.HTTPException, ValueError) as error:  # the last: an invalid address or token
        return Ref("failure", type(error).__name__)
    return body if is_whole else Ref("failure", "answer cut short")
