"""Change one number in a signed document, to show that it is refused for its signature and nothing else."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import rfc8785


def rewritten(jws: bytes, change: Callable[[dict[str, Any]], object] = lambda said: None) -> bytes:
    """Return a flattened JWS in the same form, with ``change`` made to its payload, under its old signature."""
    document = json.loads(jws)
    said = json.loads(urlsafe_b64decode(document["payload"] + "=="))
    change(said)
    document["payload"] = urlsafe_b64encode(rfc8785.dumps(said)).rstrip(b"=").decode()
    return rfc8785.dumps(document)
