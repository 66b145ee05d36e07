"""Lineage as a picture: of an exchange, of whoever a case is about, of what crossed last; as of any moment.

A person is never in an address: the way in is the number of a case, with the permission of cases.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from sluice.db import Connection, connect
from sluice.documents.words import Words
from sluice.errors import NotFound
from sluice.exchange.read import show_exchange
from sluice.ledger.record import ExchangeRecord
from sluice.lineage.collapse import collapsed
from sluice.lineage.drawing import SENT_KINDS, Box, Column, Drawing, flips_of, is_made
from sluice.lineage.follow import Followed, follow_exchange, follow_latest
from sluice.lineage.layout import PictureNotDrawn, lay_out
from sluice.rights.model import CaseId
from sluice.settings import get_settings
from sluice.web.access import Onlooker
from sluice.web.access import Reader as CaseReader
from sluice.web.errors import NothingThere
from sluice.web.pages.asked import AsOf, Zoom, field_of
from sluice.web.pages.assets import FOLDER
from sluice.web.pages.picture import Link, Picture, picture_of
from sluice.web.pages.view import Reader, environment, reader_of, render

log = logging.getLogger(__name__)
router = APIRouter(prefix="/lineage")
PARAMETERS = frozenset({"as_of", "zoom", "number"})
LATEST = 200
"""Exchanges that the first page draws at most."""
COLOUR = re.compile(r"(--p-\w+): light-dark\((#\w+), (#\w+)\);")


@dataclass(frozen=True, slots=True)
class Line:
    """A row of "the same as a table"."""

    record: ExchangeRecord
    sources: tuple[str, ...]
    """Exchanges it was made of; none of a file that came."""
    flips: tuple[str, ...]
    recipients: tuple[str, ...]
    is_gone: bool
    is_start: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a page shows of a way that was followed; ``picture`` None: it could not be laid out, the table is there."""

    picture: Picture | None
    lines: tuple[Line, ...]
    boxes: int


@router.get("")
def latest(request: Request, onlooker: Onlooker, at: AsOf, zoom: Zoom = 100) -> Response:
    """What was closed last before a moment, and the way to one exchange."""
    with connect(get_settings()) as conn:
        followed = follow_latest(conn, at, LATEST)
    return _page(request, "lineage.html", followed, zoom)


@router.get("/find")
def find(
    request: Request, onlooker: Onlooker, at: AsOf, number: Annotated[str, Query(pattern="^[0-9a-f-]{1,36}$")]
) -> Response:
    """To the lineage of the exchange whose number begins so. Raises NothingThere; what was typed is not said."""
    try:
        with connect(get_settings()) as conn:
            found = show_exchange(conn, number).line.id
    except NotFound:
        found = None
    if found is None:
        raise NothingThere
    to = reader_of(request).link(f"/lineage/{found}", as_of=_said(request))
    return Response(status_code=303, headers={"Location": to})


@router.get("/person/{case_id}")
def person(
    request: Request, onlooker: Onlooker, reader: CaseReader, case_id: UUID, at: AsOf, zoom: Zoom = 100
) -> Response:
    """Every exchange that holds whoever a case is about."""
    from sluice.exchange.house import open_house
    from sluice.rights.journey import follow_case

    with open_house(get_settings()) as house:
        told = follow_case(house, CaseId(str(case_id)), at)
    return _page(request, "lineage_person.html", told.followed, zoom, case_id=case_id, told=told)


@router.get("/person/{case_id}/picture.svg")
def person_picture(request: Request, onlooker: Onlooker, reader: CaseReader, case_id: UUID, at: AsOf) -> Response:
    """That picture as a file. Raises PictureNotDrawn."""
    from sluice.exchange.house import open_house
    from sluice.rights.journey import follow_case

    with open_house(get_settings()) as house:
        followed = follow_case(house, CaseId(str(case_id)), at).followed
    title = reader_of(request).say.say("pages.lineage.person.title", case=str(case_id))
    return _file(request, followed, title, f"case-{case_id}")


@router.get("/{exchange_id}")
def show(request: Request, onlooker: Onlooker, exchange_id: UUID, at: AsOf, zoom: Zoom = 100) -> Response:
    """What an exchange is made of, and what became of it. Raises NotFound."""
    with connect(get_settings()) as conn:
        line = show_exchange(conn, str(exchange_id)).line
        followed = follow_exchange(conn, line.id, at)
    return _page(request, "lineage_exchange.html", followed, zoom, line=line)


@router.get("/{exchange_id}/picture.svg")
def picture(request: Request, onlooker: Onlooker, exchange_id: UUID, at: AsOf) -> Response:
    """That picture as a file. Raises NotFound, PictureNotDrawn."""
    with connect(get_settings()) as conn:
        line = show_exchange(conn, str(exchange_id)).line
        followed = follow_exchange(conn, line.id, at)
    title = reader_of(request).say.say("pages.lineage.exchange.title", exchange=line.id)
    return _file(request, followed, title, line.id)


def shown_on_exchange(conn: Connection, reader: Reader, exchange_id: str, at: datetime) -> Drawn:
    """The picture for the page of one exchange."""
    return _drawn(follow_exchange(conn, exchange_id, at), reader)


def _page(request: Request, template: str, followed: Followed, zoom: int, **parts: Any) -> Response:
    return render(
        request,
        template,
        "lineage",
        way=_drawn(followed, reader_of(request)),
        followed=followed,
        as_of=_said(request),
        at_field=field_of(request, "as_of", followed.at),
        moment=followed.at.astimezone(UTC).isoformat(),
        zoom=zoom,
        **parts,
    )


def _said(request: Request) -> str | None:
    """The moment as it was asked for, so that links keep it; None: now."""
    return request.query_params.get("as_of") or None


def _drawn(followed: Followed, reader: Reader) -> Drawn:
    try:
        picture = _laid_out(followed.drawing, reader.say, lambda box: _address(box, reader))
    except PictureNotDrawn as error:
        log.error("%s", error)
        picture = None
    return Drawn(picture, tuple(_lines(followed)), len(followed.drawing.boxes))


def _laid_out(whole: Drawing, say: Words, link: Link) -> Picture | None:
    drawing = collapsed(whole)
    return picture_of(drawing, lay_out(drawing), say, link) if drawing.boxes else None


def _address(box: Box, reader: Reader) -> str:
    """A box of one exchange leads to it; one of many, and a party, to the list of theirs."""
    if box.exchange:
        return reader.link(f"/exchanges/{box.exchange}")
    is_party = box.column in (Column.SENDER, Column.RECIPIENT)
    return reader.link("/exchanges", principal=box.party, decision=None if is_party else box.decision or None)


def _lines(followed: Followed) -> Sequence[Line]:
    gone = {exchange for exchange, _ in followed.fate.gone}
    return [
        Line(
            record,
            tuple(dict.fromkeys(each.exchange_id for each in record.what.inputs)),
            flips_of(record),
            _recipients(record, followed),
            record.exchange_id in gone,
            followed.starts == {record.exchange_id},
        )
        for record in followed.records
    ]


def _recipients(record: ExchangeRecord, followed: Followed) -> tuple[str, ...]:
    """Whom a file that we made went to; nobody while it waits."""
    is_sent = any(copy.kind in SENT_KINDS for copy in record.how_long.copies)
    if not is_made(record) or not is_sent or record.exchange_id in followed.fate.waiting:
        return ()
    return record.who.recipients


def _file(request: Request, followed: Followed, title: str, name: str) -> Response:
    if not followed.records:
        raise NothingThere
    named = f'attachment; filename="lineage-{name}.svg"'
    text = write_svg(followed, reader_of(request).say, title)
    return Response(text, media_type="image/svg+xml", headers={"Content-Disposition": named})


def write_svg(followed: Followed, say: Words, title: str) -> str:
    """The picture alone: it needs nothing from anywhere else, and leads nowhere. Raises PictureNotDrawn."""
    picture = _laid_out(followed.drawing, say, lambda box: None)
    moment = say.say("pages.lineage.as_of.said", moment=say.moment(followed.at.isoformat()))
    template = environment().get_template("export.svg")
    text = template.render(picture=picture, words=say, title=title, moment=moment, style=export_style())
    return text.lstrip()


def export_style() -> str:
    """The style sheet of the picture with every colour in its place: light, and dark where the viewer is."""
    text = (FOLDER / "picture.css").read_text(encoding="utf-8")
    colours = {name: (light, dark) for name, light, dark in COLOUR.findall(text)}
    rules = COLOUR.sub("", text.partition("*/")[2])

    def coloured(at: int) -> str:
        return re.sub(r"var\((--p-\w+)\)", lambda found: colours[found[1]][at], rules)

    return f"{coloured(0)}@media (prefers-color-scheme: dark) {{ {coloured(1)} }}"
