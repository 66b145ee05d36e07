"""Lineage as a picture: of an exchange, of the persons of a case, of what crossed last; as of any moment.

A person is never in an address. The way to one is the number of a case, with the permission for cases.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from sluice.db import Connection
from sluice.documents.words import Words
from sluice.exchange.read import show_exchange
from sluice.ledger.record import ExchangeRecord
from sluice.lineage.collapse import PARTIES, collapsed
from sluice.lineage.drawing import Box, Drawing, flips_of
from sluice.lineage.follow import Followed, follow_exchange, follow_latest
from sluice.lineage.graph import is_made, sent_copy
from sluice.lineage.layout import PictureNotDrawn, lay_out
from sluice.rights.case.model import CaseId
from sluice.settings import get_settings
from sluice.web.access import CaseReader, Onlooker
from sluice.web.asked import Beginning, find_exchange
from sluice.web.errors import NothingThere
from sluice.web.pages.asked import AsOf, Zoom, field_of
from sluice.web.pages.assets import FOLDER
from sluice.web.pages.picture import Link, Picture, party_name, picture_of
from sluice.web.pages.view import Reader, environment, reader_of, render
from sluice.web.reading import reading, reading_house

log = logging.getLogger(__name__)
router = APIRouter(prefix="/lineage")
PARAMETERS = frozenset({"as_of", "zoom", "number"})
COLOUR = re.compile(r"(--p-\w+): light-dark\((#\w+), (#\w+)\);")


@dataclass(frozen=True, slots=True)
class PictureRow:
    """A row of the table that says the same as the picture."""

    record: ExchangeRecord
    sources: tuple[str, ...]
    """The exchanges it was made of. For a file that came in: only the one of the held rows in it."""
    flips: tuple[str, ...]
    recipients: tuple[str, ...]
    is_gone: bool
    is_cleared: bool
    is_start: bool
    sender: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a page shows of a followed way. ``picture`` None: it could not be laid out; the table is shown.

    ``most``: how many exchanges are drawn if there are more; None: all are drawn.
    """

    picture: Picture | None
    lines: tuple[PictureRow, ...]
    boxes: int
    most: int | None


@router.get("")
def latest(request: Request, onlooker: Onlooker, at: AsOf, zoom: Zoom = 100) -> Response:
    """What was closed last before a moment, and the way to one exchange."""
    with reading() as conn:
        followed = follow_latest(conn, at)
    return _page(request, "lineage.html", followed, zoom)


@router.get("/find")
def find(request: Request, onlooker: Onlooker, at: AsOf, number: Beginning) -> Response:
    """To the lineage of the exchange whose number begins so. Raises NothingThere."""
    to = reader_of(request).link(f"/lineage/{find_exchange(number)}", as_of=_said(request))
    return Response(status_code=303, headers={"Location": to})


@router.get("/person/{case_id}")
def person(
    request: Request, onlooker: Onlooker, reader: CaseReader, case_id: UUID, at: AsOf, zoom: Zoom = 100
) -> Response:
    """Every exchange that holds whoever a case is about."""
    from sluice.rights.journey import follow_case

    with reading_house() as house:
        told = follow_case(house, CaseId(str(case_id)), at)
    return _page(request, "lineage_person.html", told.followed, zoom, case_id=case_id, told=told)


@router.get("/person/{case_id}/picture.svg")
def person_picture(request: Request, onlooker: Onlooker, reader: CaseReader, case_id: UUID, at: AsOf) -> Response:
    """That picture as a file. Raises PictureNotDrawn."""
    from sluice.rights.journey import follow_case

    with reading_house() as house:
        told = follow_case(house, CaseId(str(case_id)), at)
    words_of_title = "pages.lineage.person.title.was" if told.is_over else "pages.lineage.person.title"
    title = reader_of(request).say.say(words_of_title, case=str(case_id))
    return _file(request, told.followed, title, f"case-{case_id}")


@router.get("/{exchange_id}")
def show(request: Request, onlooker: Onlooker, exchange_id: UUID, at: AsOf, zoom: Zoom = 100) -> Response:
    """What an exchange is made of, and what became of it. Raises NotFound."""
    with reading() as conn:
        line = show_exchange(conn, str(exchange_id)).line
        followed = follow_exchange(conn, line.id, at)
    return _page(request, "lineage_exchange.html", followed, zoom, line=line)


@router.get("/{exchange_id}/picture.svg")
def picture(request: Request, onlooker: Onlooker, exchange_id: UUID, at: AsOf) -> Response:
    """That picture as a file. Raises NotFound, PictureNotDrawn."""
    with reading() as conn:
        line = show_exchange(conn, str(exchange_id)).line
        followed = follow_exchange(conn, line.id, at)
    title = reader_of(request).say.say("pages.lineage.exchange.title", exchange=line.id)
    return _file(request, followed, title, line.id)


def shown_on_exchange(conn: Connection, reader: Reader, exchange_id: str, at: datetime) -> Drawn:
    """Return the picture for the page of one exchange."""
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
    """Return the moment as it was requested, so that links keep it. None: now."""
    return request.query_params.get("as_of") or None


def _drawn(followed: Followed, reader: Reader) -> Drawn:
    try:
        center = get_settings().center
        picture = _laid_out(followed.drawing, reader.say, center, lambda box: _address(box, reader, center))
    except PictureNotDrawn as error:
        log.error("%s", error)
        picture = None
    return Drawn(picture, tuple(_lines(followed, reader.say)), len(followed.drawing.boxes), followed.most)


def _laid_out(whole: Drawing, say: Words, center: str, link: Link) -> Picture | None:
    drawing = collapsed(whole)
    return picture_of(drawing, lay_out(drawing), say, center, link) if drawing.boxes else None


def _address(box: Box, reader: Reader, center: str) -> str:
    """Return where a box leads: to its exchange; to the list of many or of a party; for our own, to the whole list."""
    if box.exchange:
        return reader.link(f"/exchanges/{box.exchange}")
    is_party = box.column in PARTIES
    principal = None if is_party and box.name == center else box.party or None
    return reader.link("/exchanges", principal=principal, decision=None if is_party else box.decision or None)


def _lines(followed: Followed, say: Words) -> Sequence[PictureRow]:
    gone, cleared = ({exchange for exchange, _ in each} for each in (followed.fate.gone, followed.fate.cleared))
    return [
        PictureRow(
            record,
            tuple(dict.fromkeys(each.exchange_id for each in record.what.inputs)),
            flips_of(record),
            tuple(party_name(each, say) for each in _recipients(record, followed)),
            record.exchange_id in gone,
            record.exchange_id in cleared,
            followed.starts == {record.exchange_id},
            party_name(record.who.sender, say),
        )
        for record in followed.records
    ]


def _recipients(record: ExchangeRecord, followed: Followed) -> tuple[str, ...]:
    """Return whom a file that we made went to. Nobody while it waits."""
    if not is_made(record) or sent_copy(record) is None or record.exchange_id in followed.fate.waiting:
        return ()
    return record.who.recipients


def _file(request: Request, followed: Followed, title: str, name: str) -> Response:
    if not followed.records:
        raise NothingThere
    named = f'attachment; filename="lineage-{name}.svg"'
    text = write_svg(followed, reader_of(request).say, title, get_settings().center)
    return Response(text, media_type="image/svg+xml", headers={"Content-Disposition": named})


def write_svg(followed: Followed, say: Words, title: str, center: str) -> str:
    """Write the picture alone: it loads nothing from elsewhere, and has no links. Raises PictureNotDrawn."""
    picture = _laid_out(followed.drawing, say, center, lambda box: None)
    moment = say.say("pages.lineage.as_of.said", moment=say.moment(followed.at.isoformat()))
    if followed.most is not None:
        moment = f"{moment} {say.say('pages.lineage.cut', count=say.number(followed.most))}"
    template = environment().get_template("export.svg")
    text = template.render(picture=picture, words=say, title=title, moment=moment, style=export_style())
    return text.lstrip()


def export_style() -> str:
    """Return the style sheet with every colour filled in, for light and, if the viewer prefers it, for dark."""
    text = (FOLDER / "picture.css").read_text(encoding="utf-8")
    colours = {name: (light, dark) for name, light, dark in COLOUR.findall(text)}
    rules = COLOUR.sub("", text.partition("*/")[2])

    def coloured(at: int) -> str:
        return re.sub(r"var\((--p-\w+)\)", lambda found: colours[found[1]][at], rules)

    return f"{coloured(0)}@media (prefers-color-scheme: dark) {{ {coloured(1)} }}"
