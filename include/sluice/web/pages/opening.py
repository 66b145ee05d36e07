"""The form that opens a case: what a person asks, written down by the desk and given to the function of the API.

What names a person is in the body of the form, and comes back only in the answer to it: in no address, no log, no page
of a case. A form has a number of its own, so that sent twice it opens one case (as ``Idempotency-Key`` at the API).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Form, Request
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from sluice.agreement.dpv import PURPOSES, short
from sluice.agreement.in_force.store import list_agreements
from sluice.db import Connection
from sluice.dial.model import CHANNEL_WORDS
from sluice.errors import SluiceError, UsageError
from sluice.exchange.read import pick_principals
from sluice.rights.case.clock import received_on
from sluice.rights.case.errors import IdentifierInvalid, NumberOfSeveral, PrincipalUnknown, RequestIdReused
from sluice.rights.case.facts import ClockRefused
from sluice.rights.case.model import CameBy, Right
from sluice.settings import get_settings
from sluice.terms import Principal
from sluice.web.access import Clerk
from sluice.web.errors import Fault, RequestInvalid
from sluice.web.model import LONGEST_VALUE, MOST_IDENTIFIERS, Kind, Language
from sluice.web.pages.again import NOTHING, again_of, note_faults
from sluice.web.pages.asked import InReach, Named, Unless
from sluice.web.pages.faults import told
from sluice.web.pages.forms import Checked, Token
from sluice.web.pages.view import Deed, reader_of, render, to_page
from sluice.web.reading import reading

if TYPE_CHECKING:
    from sluice.rights.person.identifiers import Identifier, Sought

router = APIRouter(prefix="/cases/new")
KINDS: Final[Mapping[str, Kind]] = MappingProxyType({each.value: each for each in Kind})
"""Fields of the form that hold identifiers, one a line."""
CHANNELS: Final = tuple(dict.fromkeys(CHANNEL_WORDS.values()))
PARAMETERS = frozenset(
    {*KINDS, "owner", "full_name", "born", "right", "purpose", "contact_channel", "principal", "received", "channel"}
    | {"language", "request"}
)
Line = Annotated[str, Form(max_length=LONGEST_VALUE)]


def _apart(said: object) -> object:
    """Return what was typed in a field, one text a line, without empty lines."""
    texts = said if isinstance(said, list | tuple) else [said]
    return [line.strip() for text in texts if isinstance(text, str) for line in text.splitlines() if line.strip()]


Short = Annotated[str, StringConstraints(max_length=LONGEST_VALUE)]
Lines = Annotated[
    Annotated[tuple[Short, ...], Field(max_length=MOST_IDENTIFIERS)],
    BeforeValidator(_apart),
    Form(),
]
"""Several texts, one a line."""


def _known_purpose(iri: str) -> str:
    if iri not in PURPOSES:
        raise PydanticCustomError("enum", "a purpose of DPV")
    return iri


def _known_channel(word: str) -> str:
    if word not in CHANNELS:
        raise PydanticCustomError("enum", "a channel of agreements")
    return word


@dataclass(frozen=True, slots=True)
class Written:
    """The fields of the form. ``lines``: the identifiers, by the field they are in."""

    right: Right
    received: date
    channel: str
    language: str
    request: UUID
    principal: Principal | None
    owner: Principal | None
    lines: Mapping[str, Sequence[str]] = field(repr=False)
    full_name: str = field(repr=False)
    born: str = field(repr=False)
    purposes: Sequence[str] = ()
    contact_channel: str | None = None

    @property
    def fields(self) -> list[str]:
        """The field of each identifier, in the order in which they are given."""
        return [name for name, values in self.lines.items() for _ in values]


def _lines(
    phone: Lines = (),
    email: Lines = (),
    customer: Lines = (),
    national_number: Lines = (),
    iban: Lines = (),
) -> Mapping[str, Sequence[str]]:
    """Return the identifiers by their field. Raises RequestInvalid for more than the API takes."""
    given = {
        "phone": phone,
        "email": email,
        "customer": customer,
        "national_number": national_number,
        "iban": iban,
    }
    if sum(map(len, given.values())) > MOST_IDENTIFIERS:
        raise RequestInvalid([Fault("body", f"/{name}", "too_long") for name, lines in given.items() if lines])
    return given


def _written(
    right: Annotated[Right, Form()],
    received: Annotated[date, InReach, Form()],
    channel: Annotated[CameBy, Form()],
    language: Annotated[Language, Form()],
    request: Annotated[UUID, Form()],
    lines: Annotated[Mapping[str, Sequence[str]], Depends(_lines)],
    owner: Annotated[Named | None, Unless, Form()] = None,
    full_name: Line = "",
    born: Line = "",
    principal: Annotated[Named | None, Unless, Form()] = None,
    purpose: Annotated[tuple[Annotated[str, AfterValidator(_known_purpose)], ...], Form()] = (),
    contact_channel: Annotated[Annotated[str, AfterValidator(_known_channel)] | None, Unless, Form()] = None,
) -> Written:
    return Written(
        right=right,
        received=received,
        channel=channel,
        language=language,
        request=request,
        principal=Principal(principal) if principal else None,
        owner=Principal(owner) if owner else None,
        lines=lines,
        full_name=full_name.strip(),
        born=born.strip(),
        purposes=purpose,
        contact_channel=contact_channel,
    )


@router.get("")
def form(request: Request, clerk: Clerk, token: Token) -> Response:
    """The form; after one that was not followed, with what was typed and what is wrong beside each field."""
    again, say = again_of(request), reader_of(request).say
    typed = again.typed if again else NOTHING
    lines = told(again.error, say, "cases", faults=again.faults).fields if again else ()
    now = datetime.now(UTC)
    with reading() as conn:
        principals = pick_principals(conn)
        purposes = _purposes(conn, now, say.language)
    return render(
        request,
        "new_case.html",
        "cases",
        typed=typed,
        beside={line.name: line.said for line in lines},
        case=_opened_before(again.error) if again else None,
        names_use=bool(typed.said.get("purpose") or any(typed.said.get("contact_channel", ()))),
        number=typed.text("request", str(uuid4())),
        rights=list(Right),
        principals=principals,
        purposes=purposes,
        channels=CHANNELS,
        today=received_on(now),
        user=clerk.name,
        token=token,
    )


@router.post("", dependencies=[Checked])
def open_(request: Request, clerk: Clerk, written: Annotated[Written, Depends(_written)]) -> Response:
    """Open the case, in the name of the login. Sent again, the form leads to the case that it opened."""
    from sluice.exchange.house import open_house
    from sluice.rights.opening import NewRequest, open_case

    now = datetime.now(UTC)
    asked = NewRequest(
        right=written.right,
        identifiers=_identifiers(written),
        principal=written.principal,
        received=written.received,
        channel=written.channel,
        language=written.language,
        actor=clerk,
        request_id=written.request,
        sought=_sought(written),
        purposes=written.purposes,
        contact_channel=written.contact_channel,
    )
    try:
        with open_house(get_settings()) as house:
            case = open_case(house, asked, now)
    except SluiceError as error:
        note_faults(request, faults_of_opening(error, written.fields))
        raise
    deed = Deed.OPEN if case.sub_cases else Deed.OPEN_WAITS
    return to_page(request, f"/cases/{case.case_id}", deed if case.opened_at == now else Deed.OPEN_BEFORE)


def faults_of_opening(error: SluiceError, fields: Sequence[str]) -> tuple[Fault, ...]:
    """Return the fields that an error of the opening is about. ``fields``: that of each identifier. Pure."""
    refs = {ref.kind: ref.value for ref in error.refs}
    place = refs.get("identifier")
    named = fields[place - 1] if isinstance(place, int) and 0 < place <= len(fields) else "phone"
    match error:
        case IdentifierInvalid() if "name and birth date" in refs:
            found = [("full_name", "no_name"), ("born", "no_name")]
        case IdentifierInvalid() if "identifiers" in refs:
            found = [("phone", "nobody_given")]
        case IdentifierInvalid():
            found = [(named, "names_nobody")]
        case NumberOfSeveral():
            found = [("owner", "several_know")]
        case PrincipalUnknown():
            found = [("principal", "enum")]
        case UsageError() if "received" in refs:
            found = [("received", "in_the_future")]
        case UsageError() if "identifier" in refs:
            found = [("owner", "not_addressed")]
        case ClockRefused():
            found = [("received", "date_parsing")]
        case _:
            found = []
    return tuple(Fault("body", f"/{name}", reason) for name, reason in found)


def _identifiers(written: Written) -> "list[Identifier]":
    from sluice.rights.person.identifiers import KINDS as SUBJECTS
    from sluice.rights.person.identifiers import Identifier

    return [
        Identifier(SUBJECTS[name], value, written.owner if KINDS[name] is Kind.CUSTOMER else None)
        for name, values in written.lines.items()
        for value in values
    ]


def _sought(written: Written) -> "Sought | None":
    from sluice.rights.person.identifiers import Sought

    return Sought(written.full_name, written.born) if written.full_name or written.born else None


def _purposes(conn: Connection, now: datetime, language: str) -> list[tuple[str, str, str]]:
    """Return the purposes of agreements that hold today: IRI, its short name, and the sentence of one agreement."""
    today = received_on(now)
    found: dict[str, str] = {}
    for known in list_agreements(conn, now):
        if today in known.days:
            for each in known.agreement.purposes:
                found.setdefault(each.iri, each.text.get(language, each.code))
    return sorted(((iri, short(iri), text) for iri, text in found.items()), key=lambda each: each[1])


def _opened_before(error: SluiceError) -> str | None:
    """Return the case that this form opened before, if that is what is wrong."""
    return str(error.refs[0].value) if isinstance(error, RequestIdReused) else None
