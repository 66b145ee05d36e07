"""Style and script of the pages: a fixed table of files, named by their content, that require the login as well."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from sluice.web.errors import NothingThere

router = APIRouter(prefix="/assets")
FOLDER = Path(__file__).parent / "assets"
TYPES: Final = MappingProxyType(
    {
        "sluice.css": "text/css",
        "theme.js": "text/javascript",
        "keys.js": "text/javascript",
        "picture.css": "text/css",
        "picture.js": "text/javascript",
    }
)
KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, and the name it is requested by, which changes with the content: so it can be cached for ever."""

    name: str
    media_type: str
    content: bytes


@cache
def table() -> dict[str, Asset]:
    """Return every asset by the name of its file."""
    found = {}
    for name, media_type in TYPES.items():
        content = (FOLDER / name).read_bytes()
        stem, dot, ending = name.rpartition(".")
        found[name] = Asset(f"{stem}.{sha256(content).hexdigest()[:12]}{dot}{ending}", media_type, content)
    return found


@router.get("/{name}")
def asset(name: str) -> Response:
    """One file of the table. Raises NothingThere."""
    for each in table().values():
        if each.name == name:
            return Response(each.content, media_type=each.media_type, headers=KEPT)
    raise NothingThere
