"""Send one JSON document by HTTP POST."""

import http.client
import urllib.error
import urllib.request
from typing import Any

from sluice.media_types import JSON

TIMEOUT_SECONDS = 10.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a redirected POST would become a GET and lose its body."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def post_json(url: str, document: str) -> str | int | None:
    """Send a document once. None when it arrived; else the HTTP status, or the type of the failure."""
    request = urllib.request.Request(url, data=document.encode(), method="POST", headers={"Content-Type": JSON})
    try:
        urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT_SECONDS).close()
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except (OSError, http.client.HTTPException) as error:  # the latter: no HTTP answer, or an invalid address
        return type(error.reason if isinstance(error, urllib.error.URLError) else error).__name__
    return None
