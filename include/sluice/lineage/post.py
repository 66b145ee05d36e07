"""One JSON document by HTTP POST, and why it did not arrive."""

import http.client
import urllib.error
import urllib.request
from typing import Any

from sluice.media_types import JSON

TIMEOUT_SECONDS = 10.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET and lose what it carries."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def post_json(url: str, document: str) -> str | int | None:
    """Send it once. None when it arrived; else the status that came back, or the kind of failure."""
    request = urllib.request.Request(url, data=document.encode(), method="POST", headers={"Content-Type": JSON})
    try:
        urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT_SECONDS).close()
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except (OSError, http.client.HTTPException) as error:  # the second: no answer in HTTP, or an address that is none
        return type(error.reason if isinstance(error, urllib.error.URLError) else error).__name__
    return None
