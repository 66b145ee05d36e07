"""Which rows a register has, which row covers which exchange, and where papers and exchanges differ. Pure.

A row of 30(1) is an agreement, a purpose and a field group of which the center is controller, alone or with another.
A row of 30(2) is an agreement and a purpose for which the center is processor. An exchange is a *use* of one or more
rows: one per purpose, and per field group where the center is controller. Each use has exactly one row, in exactly one
of the two registers. Every exchange has a use, even a refused one or one without a paper.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sluice.agreement import dpv
from sluice.agreement.clauses.annexes import Known, KnownContract
from sluice.agreement.model import DataContract, FieldRole
from sluice.agreement.roles.profiles import PROFILES, role_warnings
from sluice.agreement.timeline import Days
from sluice.ledger.record import PurposeLine
from sluice.registers.model import (
    Article,
    Center,
    Declared,
    Finding,
    FindingCode,
    Key,
    Papers,
    Row,
    SeenRole,
    Sighting,
)
from sluice.terms import Direction, FieldGroup, RoleProfile

_DAY = timedelta(days=1)
DECIDES = frozenset({"center", "both", "joint"})
"""Words of role profiles under which the center is a controller itself (Art. 4(7))."""
SPECIAL = dpv.SPECIAL_CATEGORIES | dpv.CRIMINAL_CATEGORIES
NOTES = FieldGroup.NOTE_FREE_TEXT.value
ContractOf = Callable[[str | None], DataContract | None]


@dataclass(frozen=True, slots=True)
class Piece:
    """One reason why a row is declared: an agreement version, with a contract column under it that uses the purpose.

    ``contract`` and ``field`` are None if no contract uses it. ``days``: the days on which both held.
    """

    known: Known
    contract: KnownContract | None
    field: FieldRole | None
    days: Days


def uses_of(seen: Sighting, contract: DataContract | None) -> tuple[Key, ...]:
    """The rows that an exchange belongs to, at least one. ``contract``: the one it was judged by, if known."""
    agreement = seen.agreement_id or ""
    found = [
        _key(seen.principal, agreement, purpose.code, group, controller)
        for purpose in seen.purposes
        for group, controller in _groups_for(seen, contract, purpose)
    ]
    if not found:
        codes = [purpose.code for purpose in seen.purposes] or [""]
        found = [Key(Article.PROCESSOR, seen.principal, agreement, code, "") for code in codes]
    return tuple(dict.fromkeys(found))


def _key(principal: str, agreement: str, purpose: str, group: str, controller: str) -> Key:
    if controller in DECIDES:
        return Key(Article.CONTROLLER, principal, agreement, purpose, group)
    return Key(Article.PROCESSOR, principal, agreement, purpose, "")


def _groups_for(seen: Sighting, contract: DataContract | None, purpose: PurposeLine) -> Iterator[tuple[str, str]]:
    """Field groups that a purpose was for, with their controller; all groups if the contract is not known."""
    fields = contract.fields if contract else ()
    named = {field.group.value for field in fields if field.is_for(purpose.iri, purpose.legal_basis)}
    yield from ((group, controller) for group, controller in _groups_of(seen) if not fields or group in named)


def _groups_of(seen: Sighting) -> list[tuple[str, str]]:
    """Groups with their controllers: of the columns seen, or, for a file that could not be read, of its contract."""
    by_group: dict[str, list[SeenRole]] = defaultdict(list)
    for role in seen.roles:
        by_group[role.group].append(role)
    columns = [column for column in seen.columns if column.group]
    if not columns:
        return [(role.group, role.controller) for role in seen.roles]
    found: dict[tuple[str, str], None] = {}
    for column in columns:
        group = column.group or ""
        said = [column.controller] if column.controller else [role.controller for role in by_group[group]]
        found |= dict.fromkeys((group, controller) for controller in said)
    return list(found)


def _ever_declared(papers: Papers, at: date) -> dict[Key, Declared]:
    """Every row declared by a version that began by then; older versions count, as they tell when a row began."""
    pieces: dict[Key, list[Piece]] = defaultdict(list)
    for known in papers.agreements:
        if known.days.first <= at:
            for key, piece in _declares(known, papers.contracts, at):
                pieces[key].append(piece)
    return {key: _joined(found, at) for key, found in pieces.items()}


def _is_over(ended: date | None, seen: Sequence[Sighting], at: date, years: int) -> bool:
    """Whether a row has been kept long enough since its paper ended, and since its last exchange."""
    if ended is None:
        return False
    return _years_later(max([ended, *(each.last for each in seen)]), years) < at


def ends_of(papers: Papers) -> dict[str, date]:
    """The last day of each agreement over all its versions; agreements with a version without end are left out."""
    ends: dict[str, list[date | None]] = defaultdict(list)
    for known in papers.agreements:
        ends[known.agreement.agreement_id].append(known.days.last)
    return {each: max(day for day in days if day) for each, days in ends.items() if None not in days}


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


def _declares(known: Known, contracts: Iterable[KnownContract], at: date) -> Iterator[tuple[Key, Piece]]:
    """Rows that a version declares with contracts under it that began by ``at``, or, if none uses a purpose, alone."""
    agreement = known.agreement
    pin = (agreement.agreement_id, agreement.version)
    pinned = [each for each in contracts if (each.contract.agreement_id, each.contract.agreement_version) == pin]
    both = [(each, _shared(known.days, each.days)) for each in pinned]
    own = [(each, days) for each, days in both if days and days.first <= at]
    for purpose in agreement.purposes:
        found = [
            (field, Piece(known, each, field, days))
            for each, days in own
            for field in each.contract.fields
            if field.is_for(purpose.iri, purpose.legal_basis)
        ]
        for field, piece in found:
            controller, group = PROFILES[field.role_profile].controller, field.group.value
            yield _key(agreement.principal, agreement.agreement_id, purpose.code, group, controller), piece
        if not found:
            alone = Piece(known, None, None, known.days)
            yield from ((key, alone) for key in _without_contract(known, purpose.code, purpose.basis_holder))


def _shared(days: Days, other: Days) -> Days | None:
    """The days that are in both spans; None if there are none."""
    first = max(days.first, other.first)
    last = min((day for day in (days.last, other.last) if day), default=None)
    return Days(first, last) if last is None or first <= last else None


def _without_contract(known: Known, purpose: str, holder: str) -> Iterator[Key]:
    """Rows of a purpose that no contract uses: one per group the center decides on if it holds the basis, else one."""
    agreement = known.agreement
    own = [role.field_group.value for role in agreement.role_rows if PROFILES[role.role_profile].controller in DECIDES]
    groups = list(dict.fromkeys(own)) if holder == "center" else []
    for group in groups:
        yield Key(Article.CONTROLLER, agreement.principal, agreement.agreement_id, purpose, group)
    if not groups:
        yield Key(Article.PROCESSOR, agreement.principal, agreement.agreement_id, purpose, "")


def _joined(pieces: Sequence[Piece], at: date) -> Declared:
    """What papers declare for a row on a date, or on its last day if it has ended by then."""
    ends = [piece.days.last for piece in pieces]
    last = None if None in ends else max(end for end in ends if end)
    on = min(at, last or at)
    own = [piece for piece in pieces if on in piece.days]
    contracts = {piece.contract.contract.sha256: piece.contract for piece in own if piece.contract}
    return Declared(
        paper=max((piece.known for piece in own), key=lambda known: known.days.first),
        fields=tuple(dict.fromkeys(piece.field for piece in own if piece.field)),
        directions=frozenset(each.contract.direction for each in contracts.values()),
        contracts=tuple(contracts.values()),
        first=min(piece.days.first for piece in pieces),
        last=last,
    )


def rows_of(
    article: Article, papers: Papers, seen: Iterable[Sighting], contract_of: ContractOf, at: date, kept_years: int
) -> tuple[Row, ...]:
    """Every row of a register, by key: those declared, and those only seen in exchanges.

    ``kept_years``: how long a row stays after its processing ended.
    """
    declared = {key: each for key, each in _ever_declared(papers, at).items() if key.article is article}
    sightings: dict[Key, list[Sighting]] = defaultdict(list)
    for each in seen:
        for key in uses_of(each, contract_of(each.contract_sha256)):
            if key.article is article:
                sightings[key].append(each)
    rows = (_row(key, declared.get(key), tuple(sightings[key]), papers) for key in sorted({*declared, *sightings}))
    return tuple(row for row in rows if not _is_over(_end_of(row, papers), row.seen, at, kept_years))


def _end_of(row: Row, papers: Papers) -> date | None:
    """When a row ended by its papers; if it was never declared, when its agreement ended. None while it goes on."""
    return row.declared.last if row.declared else ends_of(papers).get(row.key.agreement_id)


def _row(key: Key, declared: Declared | None, seen: tuple[Sighting, ...], papers: Papers) -> Row:
    found = (_paper_on(each, papers) for each in reversed(seen))
    paper = declared.paper if declared else next((known for known in found if known), None)
    return Row(key, declared, paper, seen)


def findings_of(rows: Sequence[Row], papers: Papers, center: Center) -> tuple[Finding, ...]:
    """Where papers and exchanges differ, row by row; then, once per agreement, which roles could be contested."""
    found = [finding for row in rows for finding in _findings(row, papers, center)]
    return (*found, *_contestable(rows))


def _findings(row: Row, papers: Papers, center: Center) -> Iterator[Finding]:
    if not row.seen:
        yield _finding(FindingCode.DECLARED_NOT_SEEN, row, row.key.group or row.key.purpose)
    if not row.key.purpose:
        yield _finding(FindingCode.NO_PURPOSE, row, row.key.agreement_id or "-", row.seen)
    else:
        yield from _purpose(row, papers)
    if row.declared is None and row.key.group and _declares_purpose(row, papers):
        yield _finding(FindingCode.GROUP_NOT_DECLARED, row, row.key.group, row.seen)
    yield from _beyond(row, papers, center)


def _finding(code: FindingCode, row: Row, what: str, seen: Iterable[Sighting] = ()) -> Finding:
    return Finding(code, row.key.number, row.key.principal, what, sum(each.count for each in seen))


def _purpose(row: Row, papers: Papers) -> Iterator[Finding]:
    """Find exchanges for a purpose that no version of the agreement declares for the day of their papers.

    Answers to persons and what is given back at the end are duties of the law (Art. 6(1)(c), 15, 20, 28).
    """
    agreed = (each for each in row.seen if not each.is_of_the_law)
    wrong = [each for each in agreed if not _declared_on(row.key, papers, _day_of_paper(each, papers))]
    if wrong:
        yield _finding(FindingCode.PURPOSE_NOT_DECLARED, row, row.key.purpose, wrong)


def _declared_on(key: Key, papers: Papers, day: date) -> bool:
    return any(
        known.agreement.agreement_id == key.agreement_id
        and day in known.days
        and any(purpose.code == key.purpose for purpose in known.agreement.purposes)
        for known in papers.agreements
    )


def _declares_purpose(row: Row, papers: Papers) -> bool:
    return any(_declared_on(row.key, papers, _day_of_paper(each, papers)) for each in row.seen)


def _beyond(row: Row, papers: Papers, center: Center) -> Iterator[Finding]:
    """Find recipients, countries and categories of exchanges that the agreement of their day does not name."""
    found: dict[tuple[FindingCode, str], list[Sighting]] = defaultdict(list)
    for each in row.seen:
        paper = _paper_on(each, papers)
        for code, what in _beyond_paper(each, row, paper, center) if paper else ():
            found[code, what].append(each)
    for (code, what), seen in sorted(found.items()):
        yield _finding(code, row, what, seen)


def turns_of(papers: Papers) -> tuple[date, ...]:
    """Days on which some agreement begins to be in force or no longer is."""
    spans = [known.days for known in papers.agreements]
    return (*(days.first for days in spans), *(days.last + _DAY for days in spans if days.last is not None))


def _paper_on(seen: Sighting, papers: Papers) -> Known | None:
    day = _day_of_paper(seen, papers)
    own = [known for known in papers.agreements if known.agreement.agreement_id == seen.agreement_id]
    return next((known for known in own if day in known.days), None)


def _day_of_paper(seen: Sighting, papers: Papers) -> date:
    """The day whose papers an exchange is compared with: its own, or that on which its stopped flow was resumed.

    What is given back because its agreement ended goes by the last day of that.
    """
    own = seen.resumed_on or seen.last
    return ends_of(papers).get(seen.agreement_id or "", own) if seen.after_end else own


def _beyond_paper(seen: Sighting, row: Row, paper: Known, center: Center) -> Iterator[tuple[FindingCode, str]]:
    agreement = paper.agreement
    named = {center.code, agreement.principal, *agreement.recipients}
    yield from ((FindingCode.RECIPIENT_NOT_DECLARED, name) for name in seen.recipients if name not in named)
    parts = {each.name for each in agreement.sub_processors}
    yield from ((FindingCode.RECIPIENT_NOT_DECLARED, name) for name in seen.sub_processors if name not in parts)
    home = {agreement.delivery.country, *(c for each in agreement.sub_processors for c in each.countries)}
    foreign = set(seen.countries) - home - {center.country}
    yield from ((FindingCode.COUNTRY_NOT_DECLARED, country) for country in sorted(foreign))
    listed = {*agreement.data_categories, *paper.annexes.sensitive_categories, dpv.NON_PERSONAL}
    for iri in categories_in(seen, row.key.group):
        if iri not in listed:
            yield FindingCode.CATEGORY_NOT_DECLARED, dpv.short(iri)
        if iri in SPECIAL and not agreement.special_categories:
            yield FindingCode.SPECIAL_NOT_DECLARED, dpv.short(iri)
    if has_special_notes(seen, row.key) and not agreement.special_categories:
        yield FindingCode.SPECIAL_NOT_DECLARED, NOTES


def has_special_notes(seen: Sighting, key: Key) -> bool:
    """Whether special categories were seen only in notes, where no column names them, and the row is about notes.

    Finding nothing in a note does not prove it clean, so one exchange is enough to make a row special.
    """
    notes = [controller for group, controller in _groups_of(seen) if group == NOTES]
    is_in_row = key.group == NOTES if key.group else any(controller not in DECIDES for controller in notes)
    return seen.special and bool(notes) and is_in_row and SPECIAL.isdisjoint(categories_in(seen))


def categories_in(seen: Sighting, group: str = "") -> tuple[str, ...]:
    """Categories of the columns that were seen, in one field group, or in all if ``group`` is empty."""
    found = (column.category for column in seen.columns if column.category and group in ("", column.group))
    return tuple(sorted(set(found)))


def _contestable(rows: Iterable[Row]) -> Iterator[Finding]:
    """Warnings about roles that every report must show (EDPB 07/2020), from papers and from exchanges."""
    said: dict[tuple[str, str, str], set[Sighting]] = defaultdict(set)
    for row in rows:
        for code, seen in _warned(row) if row.key.article is Article.CONTROLLER else ():
            said[row.key.principal, row.key.agreement_id, code].update(seen)
    for principal, agreement, code in sorted(said):
        count = sum(each.count for each in said[principal, agreement, code])
        yield Finding(FindingCode.ROLE_CONTESTABLE, agreement, principal, code, count)


def _warned(row: Row) -> Iterator[tuple[str, tuple[Sighting, ...]]]:
    if row.declared:
        for profile in dict.fromkeys(field.role_profile for field in row.declared.fields):
            yield from (
                (_code(word), ()) for word in role_warnings(row.declared.paper.agreement, profile) if _warns(word)
            )
    for each in row.seen:
        yield from ((_code(word), (each,)) for word in each.warnings if _is_about(word, each, row.key.group))


def _warns(word: str) -> bool:
    """Whether it is a warning; AGENTS_PSEUDONYMISED only informs."""
    return word.startswith((RoleProfile.SEED_OWNER, RoleProfile.JOINT))


def _code(word: str) -> str:
    return word.partition(":")[0]


def _is_about(word: str, seen: Sighting, group: str) -> bool:
    """Whether a warning is about the profile of this group: those on SEED_OWNER and JOINT begin with its name."""
    profiles = {role.profile for role in seen.roles if role.group == group}
    return any(
        word.startswith(profile) for profile in (RoleProfile.SEED_OWNER, RoleProfile.JOINT) if profile in profiles
    )


def is_staff(row: Row) -> bool:
    """Whether a row is about our own staff and not about customers."""
    declared, seen = _profiles(row)
    return bool(row.key.group) and (declared or seen) == {RoleProfile.STAFF.value}


def is_joint(row: Row) -> bool:
    """Whether the center is joint controller of a row, by its papers or by an exchange (Art. 26)."""
    declared, seen = _profiles(row)
    return bool(row.key.group) and RoleProfile.JOINT.value in declared | seen


def _profiles(row: Row) -> tuple[set[str], set[str]]:
    """Role profiles of a row's field group: those declared, and those seen."""
    declared = {field.role_profile.value for field in row.declared.fields} if row.declared else set()
    return declared, {role.profile for each in row.seen for role in each.roles if role.group == row.key.group}


def is_kept_inside(row: Row) -> bool:
    """Whether, by all its papers and exchanges, the data of a row never comes from or goes to anybody outside."""
    return _ways(row) == {Direction.INTERNAL}


def sources_of(row: Row) -> tuple[str, ...]:
    """Where the data of a row comes from: ``principal``, and ``staff`` for what our agents and their platform add."""
    ways = _ways(row)
    found = ["principal"] if Direction.INBOUND in ways or row.key.article is Article.PROCESSOR else []
    return (*found, *(["staff"] if ways & {Direction.INTERNAL, Direction.OUTBOUND_RETURN} else []))


def _ways(row: Row) -> set[Direction]:
    """Directions of a row, declared or seen."""
    return {each.direction for each in row.seen} | (row.declared.directions if row.declared else frozenset())
