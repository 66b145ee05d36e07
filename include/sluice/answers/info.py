"""What GDPR Art. 15(1)(a)-(h) and (2) ask to be told, computed from records, contracts and agreements. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sluice.agreement.clauses.facts import EEA_COUNTRIES
from sluice.agreement.model import Agreement, FieldRole, Purpose
from sluice.answers.authority import Authority
from sluice.answers.model import GIVEN, Found, Held, PaperId
from sluice.rights.notices.recipients import names_of
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
    """The answers about one company. ``contract_ends``: what happens then, and within how many days, by agreement."""

    principal: str
    company: str
    purposes: tuple[Purpose, ...]
    categories: tuple[str, ...]
    recipients: tuple[str, ...]
    processors: tuple[str, ...]
    sources: tuple[str, ...]
    kept: tuple[Kept, ...]
    contract_ends: tuple[tuple[str, int], ...]
    countries: tuple[str, ...]
    transfers: tuple[Transfer, ...]
    derived: tuple[str, ...]
    """Columns that were calculated about the person."""
    exchanges: int
    suppressed: tuple[str, ...]
    guessed: tuple[str, ...] = ()
    """Recipients that got files made of files with the person, and of which nobody here can say more."""


def information_of(found: Found, authority: Authority, center: str) -> Information:
    """What has to be told about the data of one principal that we answer for. ``center``: our own code."""
    given = [(held, role) for held in found.held for role in _given(held, authority)]
    papers = _papers(found, [held for held, _ in given])
    records = [holder.record for holder in found.holders]
    recipients = names_of(authority.given, found.parts, found.holders, center, found.company)
    return Information(
        principal=found.principal,
        company=found.company,
        purposes=tuple(_purposes(papers, given)),
        categories=tuple(sorted({role.category for _, role in given})),
        recipients=tuple(sorted(recipients)),
        processors=tuple(sorted({name for record in records for name in record.who.sub_processors})),
        sources=tuple(_sources(given)),
        kept=tuple(_kept([held for held in found.held if any(_given(held, authority))])),
        contract_ends=tuple(_ends(papers)),
        countries=tuple(sorted({country for record in records for country in record.who.countries})),
        transfers=tuple(_transfers(found)),
        derived=tuple(sorted({role.name for _, role in given if role.group in PROFILING})),
        exchanges=len({held.copy.exchange_id for held in found.held}),
        suppressed=found.suppressed,
        guessed=tuple(sorted(name for name, is_guess in recipients.items() if is_guess)),
    )


def _given(held: Held, authority: Authority) -> Iterator[FieldRole]:
    for name in held.frame.columns:
        role = held.roles.get(name)
        if role is not None and authority.word_on(role, held.agreement) == GIVEN:
            yield role


def _papers(found: Found, given: Sequence[Held]) -> Mapping[PaperId, Agreement]:
    """Versions of agreements under which what is given was made, by their first day.

    That of the request too, where it is one of the same agreement or nothing is given.
    """
    used = {held.paper for held in given}
    papers = {name: paper for name, paper in found.papers.items() if name in used}
    own = found.agreement
    if own is not None and (not papers or own.agreement_id in {name for name, _ in papers}):
        papers[own.agreement_id, own.version] = own
    return dict(sorted(papers.items(), key=lambda one: one[1].valid_from))


def _ends(papers: Mapping[PaperId, Agreement]) -> Iterator[tuple[str, int]]:
    """What each agreement says of its end, in its youngest version."""
    youngest = {name: paper for (name, _), paper in papers.items()}
    yield from dict.fromkeys((each.end_choice, each.end_days) for each in youngest.values())


def _purposes(papers: Mapping[PaperId, Agreement], given: Sequence[tuple[Held, FieldRole]]) -> Iterator[Purpose]:
    """Of every copy those for which its own paper has its columns; what two papers say alike stands once."""
    roles = {(held.paper, role) for held, role in given}
    every = [
        each
        for name, paper in papers.items()
        for each in paper.purposes
        if any(of == name and role.is_for(each.iri, each.legal_basis) for of, role in roles)
    ]
    for place, each in enumerate(every):
        if not any(_is_said_alike(each, other) for other in every[:place]):
            yield each


def _is_said_alike(one: Purpose, other: Purpose) -> bool:
    return replace(one, code="", channels=()) == replace(other, code="", channels=())


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
    """Countries outside the EEA in the records, with the safeguards of the processors that work there."""
    bases: dict[str, dict[str | None, None]] = {}
    papers = [*found.papers.values(), *([found.agreement] if found.agreement else [])]
    for processor in (each for paper in papers for each in paper.sub_processors):
        for country in processor.countries:
            bases.setdefault(country, {})[processor.transfer_basis] = None
    for delivery in (paper.delivery for paper in papers):
        bases.setdefault(delivery.country, {})[delivery.transfer_basis] = None
    seen = {country for holder in found.holders for country in holder.record.who.countries}
    for country in sorted(seen - EEA_COUNTRIES):
        for basis in bases.get(country, {None: None}):
            yield Transfer(country, basis)
