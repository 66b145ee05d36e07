"""What GDPR Art. 15(1)(a)-(h) and (2) ask to be told, computed from records, contracts and agreements. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sluice.agreement.facts import EEA_COUNTRIES
from sluice.agreement.model import FieldRole, Purpose
from sluice.answers.authority import Authority
from sluice.answers.model import GIVEN, Found, Held
from sluice.rights.model import Action, SubCase
from sluice.rights.recipients import recipients_of
from sluice.terms import DataOrigin, Direction, FieldGroup

COMPANY, STAFF = "company", "staff"
"""Where data is from: the company's own files, or what our staff and our telephone system wrote down."""
PROFILING = frozenset({FieldGroup.SCORE, FieldGroup.SEGMENT})


@dataclass(frozen=True, slots=True)
class Kept:
    """Copies of one kind and the last day of the one that stays longest; None: until the contract ends."""

    kind: str
    last_day: date | None


@dataclass(frozen=True, slots=True)
class Transfer:
    """A country outside the EEA and the safeguard the agreement names (Art. 46; its IRI), if any."""

    country: str
    basis: str | None


@dataclass(frozen=True, slots=True)
class Information:
    """The answers about one company. ``contract_end``: what happens then, and within how many days."""

    principal: str
    company: str
    purposes: tuple[Purpose, ...]
    categories: tuple[str, ...]
    recipients: tuple[str, ...]
    processors: tuple[str, ...]
    sources: tuple[str, ...]
    kept: tuple[Kept, ...]
    contract_end: tuple[str, int] | None
    countries: tuple[str, ...]
    transfers: tuple[Transfer, ...]
    derived: tuple[str, ...]
    """Columns that were calculated about the person."""
    exchanges: int
    suppressed: tuple[str, ...]


def information_of(found: Found, authority: Authority, center: str) -> Information:
    """What has to be told about the data of one principal that we answer for. ``center``: our own code."""
    given = [(held, role) for held in found.held for role in _given(held, authority)]
    records = [holder.record for holder in found.holders]
    return Information(
        principal=found.principal,
        company=found.company,
        purposes=_purposes(found, [role for _, role in given]),
        categories=tuple(sorted({role.category for _, role in given})),
        recipients=tuple(_recipients(found, authority, center)),
        processors=tuple(sorted({name for record in records for name in record.who.sub_processors})),
        sources=tuple(_sources(given)),
        kept=tuple(_kept([held for held in found.held if any(_given(held, authority))])),
        contract_end=(found.agreement.end_choice, found.agreement.end_days) if found.agreement else None,
        countries=tuple(sorted({country for record in records for country in record.who.countries})),
        transfers=tuple(_transfers(found)),
        derived=tuple(sorted({role.name for _, role in given if role.group in PROFILING})),
        exchanges=len({held.copy.exchange_id for held in found.held}),
        suppressed=found.suppressed,
    )


def _given(held: Held, authority: Authority) -> Iterator[FieldRole]:
    for name in held.frame.columns:
        role = held.roles.get(name)
        if role is not None and authority.word_on(role, held.agreement) == GIVEN:
            yield role


def _purposes(found: Found, roles: Sequence[FieldRole]) -> tuple[Purpose, ...]:
    wanted = {iri for role in roles for iri in role.purpose_iris}
    return tuple(each for each in (found.agreement.purposes if found.agreement else ()) if each.iri in wanted)


def _recipients(found: Found, authority: Authority, center: str) -> Iterator[str]:
    """By name (C-154/21), by the rule that also tells them of an erasure; the company under its own name."""
    names = {
        each.recipient for part in authority.given for each in recipients_of(_as_passed_on(part), found.holders, center)
    }
    yield from sorted(found.company if name == found.principal else name for name in names)


def _as_passed_on(part: SubCase) -> SubCase:
    """The part as if something had to be passed on: the rule names recipients only of what is."""
    return replace(part, action=Action.RESTRICT)


def _sources(given: Sequence[tuple[Held, FieldRole]]) -> Iterator[str]:
    if any(held.copy.direction is Direction.INBOUND for held, _ in given):
        yield COMPANY
    ours = (Direction.INTERNAL, Direction.OUTBOUND_RETURN)
    if any(held.copy.direction in ours and role.origin is not DataOrigin.PROVIDED for held, role in given):
        yield STAFF


def _kept(held: Sequence[Held]) -> Iterator[Kept]:
    for kind in dict.fromkeys(each.copy.kind for each in held):
        days = [each.delete_after for each in held if each.copy.kind == kind]
        dated = [day for day in days if day is not None]
        yield Kept(kind, max(dated) if dated and len(dated) == len(days) else None)


def _transfers(found: Found) -> Iterator[Transfer]:
    """Countries outside the EEA in the records, with the safeguard of the processor that works there."""
    bases = {
        country: processor.transfer_basis
        for processor in (found.agreement.sub_processors if found.agreement else ())
        for country in processor.countries
    }
    seen = {country for holder in found.holders for country in holder.record.who.countries}
    for country in sorted(seen - EEA_COUNTRIES):
        yield Transfer(country, bases.get(country))
