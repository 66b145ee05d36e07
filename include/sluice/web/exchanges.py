"""Exchanges over HTTP: what crossed, one of them with its six answers, its receipt, its lineage."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from sluice.media_types import JOSE_JSON, PDF, PEM
from sluice.settings import get_settings
from sluice.terms import Decision, Direction
from sluice.times import from_when
from sluice.web.access import Onlooker
from sluice.web.cases import LARGEST_PAGE
from sluice.web.cursor import cursor_of, place_of
from sluice.web.model import PRINCIPAL
from sluice.web.problem import problems
from sluice.web.read_model import DayOrMoment, ExchangePage, ExchangeShown, TraceShown
from sluice.web.reading import reading

router = APIRouter(prefix="/exchanges", tags=["exchanges"])


@router.get("", response_model=ExchangePage)
def list_(
    onlooker: Onlooker,
    principal: Annotated[str | None, Query(pattern=PRINCIPAL, description="Only of this principal.")] = None,
    direction: Direction | None = None,
    decision: Annotated[Decision | None, Query(description="`open` for those that wait.")] = None,
    since: Annotated[
        DayOrMoment | None, Query(description="Opened at or after: a Brussels date, or a moment with its zone.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
) -> dict[str, Any]:
    """List exchanges, newest first, a page at a time."""
    from sluice.exchange.describe import describe_line
    from sluice.exchange.read import list_exchanges

    before = place_of(cursor) if cursor else None
    with reading() as conn:
        found = list_exchanges(
            conn,
            principal=principal,
            direction=direction,
            decision=decision,
            since=from_when(since) if since else None,
            limit=limit + 1,
            before=before,
        )
    page = found[:limit]
    return {
        "exchanges": [describe_line(line) for line in page],
        "next_cursor": cursor_of(page[-1].opened_at, page[-1].id) if len(found) > limit else None,
    }


@router.get(
    "/receipt-key.pem",
    response_class=Response,
    responses={200: {"description": "Ed25519, PEM.", "content": {PEM: {"schema": {"type": "string"}}}}},
)
def receipt_key(onlooker: Onlooker) -> Response:
    """Fetch the public key that receipts are checked with; its fingerprint is on paper."""
    return key_file()


@router.get("/{exchange_id}", response_model=ExchangeShown, responses=problems(404))
def show(exchange_id: UUID, onlooker: Onlooker) -> dict[str, Any]:
    """Show an exchange: the six answers, verdict and counts, the entry of the ledger."""
    from sluice.exchange.describe import describe
    from sluice.exchange.read import show_exchange

    with reading() as conn:
        return describe(show_exchange(conn, str(exchange_id)))


@router.get("/{exchange_id}/lineage", response_model=TraceShown, responses=problems(404))
def lineage(exchange_id: UUID, onlooker: Onlooker) -> dict[str, Any]:
    """Show what a closed exchange is made of and what was made of it."""
    from sluice.lineage.graph import describe
    from sluice.lineage.trace import trace_exchange

    with reading() as conn:
        return describe(trace_exchange(conn, str(exchange_id)))


@router.get(
    "/{exchange_id}/receipt.json",
    response_class=Response,
    responses={
        200: {"description": "A flattened JWS (RFC 7515).", "content": {JOSE_JSON: {"schema": {"type": "object"}}}},
        **problems(404),
    },
)
def receipt_json(exchange_id: UUID, onlooker: Onlooker) -> Response:
    """Fetch the signed receipt, byte for byte as the principal has it: `sluice receipt verify` checks it."""
    return receipt_file(exchange_id, JOSE_JSON)


@router.get(
    "/{exchange_id}/receipt.pdf",
    response_class=Response,
    responses={
        200: {"description": "For people.", "content": {PDF: {"schema": {"type": "string", "format": "binary"}}}},
        **problems(404),
    },
)
def receipt_pdf(exchange_id: UUID, onlooker: Onlooker) -> Response:
    """Fetch the receipt for people, whose hash the signed one holds."""
    return receipt_file(exchange_id, PDF)


def key_file() -> Response:
    """Return the public key of receipts as a file."""
    from sluice.keys import Keyring

    headers = {"Content-Disposition": 'attachment; filename="receipt-key.pem"'}
    return Response(Keyring.open(get_settings()).public_pem, media_type=PEM, headers=headers)


def receipt_file(exchange_id: UUID, media_type: str) -> Response:
    """Return a receipt as a file, byte for byte as the principal has it. Raises NotFound while there is none."""
    from sluice.exchange.receipt import read_receipt
    from sluice.lake.s3.objects import ObjectStore

    settings = get_settings()
    ending: Literal["pdf", "json"] = "pdf" if media_type == PDF else "json"
    with reading() as conn:
        content = read_receipt(settings, conn, ObjectStore(settings), str(exchange_id), ending)
    headers = {"Content-Disposition": f'attachment; filename="{exchange_id}.{ending}"'}
    return Response(content, media_type=media_type, headers=headers)
