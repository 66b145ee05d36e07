"""Give a person the answer to a request over HTTP. No login: the token in the address is a secret of its own.

The code, the second word of a link, comes as the password of HTTP Basic authentication, so that a browser asks for it
and no log of addresses has it; the user name does not matter. A request that lacks token or code gets the same 401.
"""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Path, Response

from sluice.answers.link_model import LinkOver, LinkRefused
from sluice.db import connect
from sluice.media_types import ZIP
from sluice.settings import get_settings
from sluice.web.problem import problem_of, problems

router = APIRouter(prefix="/answers", tags=["answers"])
ASKS = {"WWW-Authenticate": 'Basic realm="code", charset="UTF-8"'}
LONGEST = 200
SCHEME, ABOUT = "code", "The second word of a link, as password; any name."


@router.get(
    "/{token}",
    response_class=Response,
    responses={
        200: {
            "description": "The package, a ZIP archive.",
            "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(401, 404, 410),
    },
    openapi_extra={"security": [{SCHEME: []}]},
)
def fetch(
    token: Annotated[str, Path(max_length=LONGEST, description="The secret in the link.")],
    authorization: Annotated[
        str | None, Header(max_length=4 * LONGEST, description="Basic; the password is the code.")
    ] = None,
) -> Response:
    """Fetch the answer to a request. Each use is counted and logged; a few wrong codes close the link."""
    from sluice.answers.link import check_words, take_out
    from sluice.exchange.house import open_house

    code = _code(authorization)
    if code is None:
        return problem_of(LinkRefused(), 401, ASKS)
    now = datetime.now(UTC)
    try:
        with connect(get_settings()) as conn:
            answer = check_words(conn, token, code, now)
        with open_house(get_settings()) as house:
            found = take_out(house, token, answer, now)
    except LinkRefused as error:
        return problem_of(error, 401, ASKS)
    except LinkOver as error:
        return problem_of(error, 410)
    headers = {
        "Content-Disposition": f'attachment; filename="{found.name}"',
        "Digest": f"sha-256={_digest(found.sha256)}",
    }
    return Response(found.content, media_type=ZIP, headers=headers)


def _code(authorization: str | None) -> str | None:
    """Return the password of HTTP Basic authentication; None for anything else."""
    scheme, _, said = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        words = base64.b64decode(said, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    _, colon, code = words.partition(":")
    return code if colon and code else None


def _digest(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()
