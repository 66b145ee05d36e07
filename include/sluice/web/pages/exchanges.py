"""Pages of exchanges: what crossed, newest first, and a whole exchange with its six answers."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from sluice.documents.model import Answer
from sluice.documents.six import parts_played
from sluice.exchange.catalogue import find_gone
from sluice.exchange.read import ExchangeLine, find_beside, list_exchanges, pick_principals, show_exchange
from sluice.keys import Keyring
from sluice.ledger.sign import key_id
from sluice.media_types import JOSE_JSON, PDF
from sluice.settings import get_settings
from sluice.terms import Decision, Direction, ExchangeId
from sluice.times import BRUSSELS, from_when
from sluice.web.access import Onlooker
from sluice.web.asked import Beginning, find_exchange
from sluice.web.cursor import cursor_of, place_of
from sluice.web.exchanges import key_file, receipt_file
from sluice.web.pages.asked import InReach, Named, Unless
from sluice.web.pages.lineage import shown_on_exchange
from sluice.web.pages.on_page import answers_of, does_hold, section_of
from sluice.web.pages.view import reader_of, render, shares
from sluice.web.reading import reading

router = APIRouter(prefix="/exchanges")
PARAMETERS = frozenset({"principal", "direction", "decision", "since", "number", "cursor", "lang", "listed"})
ON_A_PAGE = 25
CROSSING: Final = tuple(each for each in Direction if each not in (Direction.STAFF, Direction.NOTICE))
"""Directions that an exchange can have: staff files and notices have roles and ledger entries, but no exchange."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What the list is narrowed to. ``listed``: whether a page was reached from the list, and so keeps it."""

    principal: str | None
    direction: Direction | None
    decision: Decision | None
    since: date | None
    listed: bool

    @property
    def query(self) -> dict[str, Any]:
        """Return the filter as parameters of an address."""
        whole = asdict(self)
        return {name: whole[name] for name in ("principal", "direction", "decision", "since")}

    @property
    def terms(self) -> dict[str, Any]:
        """Return the filter as the catalogue takes it."""
        return {**self.query, "since": from_when(self.since) if self.since else None}

    def of(self, principal: str) -> dict[str, Any]:
        """Return the filter for the page of one exchange: without the list, it shows only its own principal."""
        return self.terms if self.listed else {"principal": principal}


def _filter(
    principal: Annotated[Named | None, Unless] = None,
    direction: Annotated[Direction | None, Unless] = None,
    decision: Annotated[Decision | None, Unless] = None,
    since: Annotated[date | None, Unless, InReach] = None,
    listed: bool = False,
) -> Filter:
    return Filter(principal, direction, decision, since, listed)


Wanted = Annotated[Filter, Depends(_filter)]


@router.get("")
def list_(
    request: Request,
    onlooker: Onlooker,
    wanted: Wanted,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """A page of the list."""
    with reading() as conn:
        before = place_of(cursor) if cursor else None
        found = list_exchanges(conn, **wanted.terms, limit=ON_A_PAGE + 1, before=before)
        principals = pick_principals(conn)
    lines = found[:ON_A_PAGE]
    older = cursor_of(lines[-1].opened_at, lines[-1].id) if len(found) > ON_A_PAGE else None
    return render(
        request,
        "exchanges.html",
        "exchanges",
        days=[(day, list(group)) for day, group in groupby(lines, lambda line: local(line.opened_at).date())],
        wanted=wanted.query,
        principals=principals,
        directions=CROSSING,
        decisions=list(Decision),
        older=older,
        counts=_counts,
        local=local,
    )


@router.get("/find")
def find(request: Request, onlooker: Onlooker, number: Beginning) -> Response:
    """To the exchange whose number begins so. Raises NothingThere."""
    to = reader_of(request).link(f"/exchanges/{find_exchange(number)}")
    return Response(status_code=303, headers={"Location": to})


@router.get("/receipt-key.pem")
def receipt_key(onlooker: Onlooker) -> Response:
    """The public key that receipts are checked with."""
    return key_file()


@router.get("/{exchange_id}")
def show(request: Request, onlooker: Onlooker, exchange_id: UUID, wanted: Wanted) -> Response:
    """One exchange: its verdict, the six answers and where its proof is. Raises NotFound."""
    reader, now = reader_of(request), datetime.now(UTC)
    with reading() as conn:
        shown = show_exchange(conn, str(exchange_id))
        beside = find_beside(conn, shown.line, **wanted.of(shown.line.principal))
        gone = find_gone(conn, ExchangeId(shown.line.id))
        way = shown_on_exchange(conn, reader, shown.line.id, now) if shown.record else None
    record, entry = shown.record, shown.entry
    section, answers = None, tuple[Answer, ...]()
    if record and entry:
        public = key_id(Keyring.open(get_settings()).public)
        section, answers = section_of(record, entry, public, reader.say, gone), answers_of(record, reader.say, gone)
    return render(
        request,
        "exchange.html",
        "exchanges",
        line=shown.line,
        beside=beside,
        wanted=wanted.query,
        is_listed=wanted.listed,
        record=record,
        section=section,
        answers=answers,
        roles=parts_played(reader.say, record) if record else (),
        entry=entry,
        holds=entry is not None and does_hold(entry),
        bar=shares(section.accepted, section.held, section.refused) if section else (),
        steps=steps_of(shown.line),
        way=way,
        local=local,
    )


@router.get("/{exchange_id}/receipt.pdf")
def receipt_pdf(onlooker: Onlooker, exchange_id: UUID) -> Response:
    """The receipt for people. Raises NotFound while there is none."""
    return receipt_file(exchange_id, PDF)


@router.get("/{exchange_id}/receipt.json")
def receipt_json(onlooker: Onlooker, exchange_id: UUID) -> Response:
    """The signed receipt, which `sluice receipt verify` checks. Raises NotFound while there is none."""
    return receipt_file(exchange_id, JOSE_JSON)


def _counts(line: ExchangeLine) -> bool:
    """Whether the rows were counted. A file that was refused before it was read has no counts."""
    return line.rows_in is not None and bool(line.rows_in or line.decision != Decision.REFUSED)


def local(moment: datetime) -> datetime:
    """Return a moment in Brussels time."""
    return moment.astimezone(BRUSSELS)


def steps_of(line: ExchangeLine) -> list[tuple[str, datetime | None]]:
    """Return the steps of an exchange in their order, each with its moment, or None if it is still to come."""
    moments = {"opened": line.opened_at, "closed": line.closed_at, "receipt": line.receipt_at}
    return [(name, moment.astimezone(UTC) if moment else None) for name, moment in moments.items()]
