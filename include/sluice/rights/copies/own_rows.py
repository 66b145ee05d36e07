"""Find whose rows an erasure removes: the person's own, not those of somebody who shares a telephone with them.

A customer number or national number belongs to one person. If the person gave one, a telephone that also stands
in rows with another number is left out. Those rows stay, in every store. So do rows that have nothing but
shared identifiers, because they may belong to either person. If nobody gave a number and the rows are of
several customers, nobody can tell who asks.

Once a run has kept somebody out, that is what it erases, whoever comes or goes meanwhile. If a principal asks
by its own file, persons who still need their data, because they restricted it or are owed an answer, are left
out until that has ended.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import ClassVar

import polars as pl

from sluice.agreement.in_force.store import list_contracts
from sluice.db import Connection
from sluice.errors import Exit, Ref, SluiceError
from sluice.exchange.house import House
from sluice.exchange.persons.known_as import KnownAs
from sluice.exchange.persons.sealed_runs import read_runs
from sluice.exchange.persons.suppressed import find_erased, keep_out, lift
from sluice.exchange.persons.suppressed_store import SuppressedRun, find_runs
from sluice.lake_columns import ref_of
from sluice.ledger.copy_kinds import LAKE
from sluice.rights.case.model import Case, CaseId, Role
from sluice.rights.copies import in_flight_store
from sluice.rights.copies.bench import Bench, open_bench
from sluice.rights.copies.files import ref_columns
from sluice.rights.copies.find import led_copies
from sluice.rights.copies.model import Copy, Target
from sluice.rights.copies.needed import find_needed, refs_by_need
from sluice.rights.copies.needed_model import Needed
from sluice.rights.copies.read import refs_in
from sluice.rights.copies.scope import comes_in_again
from sluice.rights.copies.stores import store_of
from sluice.rights.person.envelope import Envelope
from sluice.rights.person.identifiers import refs_of, values_of
from sluice.rights.person.sealed import open_sealed
from sluice.rights.person.whom import all_refs_at
from sluice.subject.model import DEFINING
from sluice.subject.suppression import Suppression
from sluice.terms import Direction, ExchangeId, Principal, SubjectKind
from sluice.times import brussels_day

ENDED = "ENDED"
"""Stands among causes if somebody who was left out waits for nothing any more."""
Given = tuple[SubjectKind, str]
"""A reference, with its kind."""
Refs = frozenset[Given]
"""References of one row, or those that one person gave."""
Needs = Mapping[str, frozenset[Needed]]
"""By reference, what the rows with it are needed for."""


class SeveralCustomers(SluiceError):
    code: ClassVar[str] = "SLU-567"
    summary: ClassVar[str] = "nobody can tell whose rows are meant: what was given stands in rows of several customers"
    cure: ClassVar[str] = (
        "open the case anew with the person's own customer number (`--identifier customer:...`; each, where they have "
        "several), then `sluice case withdraw` this one"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


@dataclass(frozen=True, slots=True)
class Own:
    """The references that are the persons' own. ``refs``: rows with these are erased.

    ``customers``: if nobody can tell who asks, of how many customers the rows are, else 0. ``left_out``: for each
    person who is left out for now, what they need their data for.
    """

    refs: Refs = field(repr=False)
    customers: int = 0
    left_out: tuple[frozenset[Needed], ...] = ()


def own_of(
    persons: Sequence[Refs],
    rows: Collection[Refs],
    known: Collection[str],
    *,
    is_principals_file: bool,
    is_of_another: bool = False,
) -> Own:
    """Find which of the references that persons gave are theirs alone. Pure.

    rows: all rows found by any of these references. known: numbers that are theirs at this principal, found or not.
    is_principals_file: the principal itself names the persons by what they have, even if others have it too.
    is_of_another: they gave only numbers of other principals, so that even a single customer here may be family of
    theirs.
    """
    seen = frozenset[Given]().union(*rows)
    numbers = {each for person in persons for each in person if _is_number(each)}
    numbers = {each for each in numbers if each in seen or each[1] in known}
    given = frozenset[Given]().union(*persons)
    if not numbers:
        bearing = [{ref for kind, ref in seen if kind is each} for each in DEFINING]
        most = max(map(len, bearing))
        return Own(given, most if not is_principals_file and most > (0 if is_of_another else 1) else 0)
    kinds = {kind for kind, _ in numbers}
    others = [row for row in rows if row.isdisjoint(numbers) and any(kind in kinds for kind, _ in row)]
    without = [person for person in persons if person.isdisjoint(numbers)]
    whole = frozenset[Given]().union(*without)  # for these the principal's word counts
    shared = {each for row in others for each in row & given if not _is_number(each)} - whole
    return Own(given - shared)


def needs_of(rows: Iterable[Refs], needed: Mapping[Needed, frozenset[str]]) -> Needs:
    """What each reference is needed for: somebody with a need has it, or a row that names such a person does. Pure.

    A person is left out for what their numbers are needed for, or, if they gave no number, for all that they gave.
    """
    found: dict[str, set[Needed]] = {}
    for each, refs in needed.items():
        for ref in refs:
            found.setdefault(ref, set()).add(each)
    named = {ref: frozenset(each) for ref, each in found.items()}
    for row in rows:
        wanted = frozenset[Needed]().union(*(named.get(ref, frozenset()) for _, ref in row))
        for _, ref in row if wanted else ():
            found.setdefault(ref, set()).update(wanted)
    return {ref: frozenset(each) for ref, each in found.items()}


def _need_of(person: Refs, needs: Needs) -> frozenset[Needed]:
    return frozenset[Needed]().union(*(needs.get(ref, frozenset()) for _, ref in _naming(person)))


def _naming(person: Refs) -> Refs:
    """The references that identify a person: their numbers, or everything they gave if there is no number."""
    return frozenset(filter(_is_number, person)) or person


def _is_number(ref: Given) -> bool:
    return ref[0] in DEFINING


def own_target(house: House, case: Case, envelope: Envelope, target: Target, *, is_begun: bool = False) -> Target:
    """Narrow the target to what is the person's alone or, once a run began, to what that run keeps out.

    For a principal's own file, persons who need their data for now are left out. is_begun: keep to what the runs
    keep out so far, without those who no longer need their data; they are added before a run begins again. Raises
    SeveralCustomers if the erasure was decided and nobody can tell whose rows are meant, and whatever opening
    copies raises.
    """
    begun, waits = find_begun(house, case.case_id, target.principal), tuple[tuple[str, int], ...]()
    refs = begun or frozenset()
    if begun is None or (_is_principals_file(envelope) and not is_begun):
        own = _own(house, case, envelope, target, refs)
        if own.customers and target.decided:
            raise SeveralCustomers(Ref("principal", target.principal), Ref("customers", own.customers))
        refs |= _with_corrected(house, target.principal, _usable(envelope, target) & {ref for _, ref in own.refs})
        waits = tuple(sorted(Counter(max(each.need.value for each in one) for one in own.left_out).items()))
    every = envelope.identifiers
    given = refs_of(every, target.key, target.principal)
    kept = [every[place] for place, ref in given.items() if ref in refs]
    return replace(target, refs=refs, values=values_of(kept, target.key, target.principal), waits=waits)


def _usable(envelope: Envelope, target: Target) -> frozenset[str]:
    """The references given, without customer numbers that nobody knew: these only serve to tell persons apart."""
    return frozenset(refs_of(envelope.identifiers, target.key, target.principal).values())


def _with_corrected(house: House, principal: Principal, refs: frozenset[str]) -> frozenset[str]:
    """Add the references that corrections of the same person lead to (Art. 16)."""
    known = KnownAs.of(house, principal)
    return refs.union(*map(known.lead, refs))


def count_left_out(house: House, case: Case, target: Target) -> int:
    """How many persons of a request no run keeps out yet. target: with the references of its runs."""
    return _count_left_out(open_sealed(house, case.subject_key).envelope, target)


def _count_left_out(envelope: Envelope, target: Target) -> int:
    """As :func:`count_left_out`; always 0 for a person who asks for themselves, because they wait for nobody."""
    if not _is_principals_file(envelope):
        return 0
    return sum(not _is_done(own, target.refs) for _, own in _persons(envelope, target))


def find_causes(house: House, case: Case, envelope: Envelope, target: Target) -> frozenset[str]:
    """What has to end before those who were left out are erased, and ENDED if that has happened for one of them."""
    if not _count_left_out(envelope, target):
        return frozenset()
    wide = replace(target, refs=all_refs_at(house, envelope.identifiers, target.principal))
    own = _own(house, case, envelope, wide, target.refs)
    is_ended = len(own.left_out) < _count_left_out(envelope, target)
    return frozenset(each.cause for one in own.left_out for each in one) | ({ENDED} if is_ended else set())


def find_begun(house: House, case_id: CaseId, principal: Principal) -> frozenset[str] | None:
    """References of the persons that the runs of a case keep out at a principal; None if no run began there."""
    runs = runs_of(house.conn, case_id, principal)
    return frozenset(ref for frame in read_runs(house, runs) for ref in frame["ref"].to_list()) if runs else None


def runs_of(conn: Connection, case_id: CaseId, principal: Principal) -> list[SuppressedRun]:
    """Suppression runs for whom the erasure of a case keeps out. Persons who were left out before get a further run."""
    return [each for each in find_runs(conn, principal, case_id=case_id) if each.reason is Suppression.ERASED]


def keep_person_out(house: House, case_id: CaseId, target: Target, now: datetime) -> None:
    """Suppress the persons that a run erases from now on; repeating it changes nothing.

    A suppression that ended is never in force again: who was let in again since gets another.
    """
    runs = runs_of(house.conn, case_id, target.principal)
    held = read_runs(house, [each for each in runs if each.lifted_at is None])
    new = target.refs.difference(*(frame["ref"].to_list() for frame in held))
    words = " ".join([*sorted(new), *(each.run_id for each in runs if each.lifted_at is not None)])
    cause = f"{case_id}/{hashlib.sha256(words.encode()).hexdigest()}" if runs else case_id
    if new or not runs:
        keep_out(house, target.principal, new, Suppression.ERASED, cause=cause, case_id=case_id, now=now)


def let_in_again(house: House, case_id: CaseId, target: Target, now: datetime) -> None:
    """End what kept the persons out during a run, if it was decided that what comes in about them stays here.

    They count as erased only where nobody decided otherwise (GDPR Art. 17(3)). Repeating it changes nothing.
    """
    today = brussels_day(now)
    active = list_contracts(house.conn, now, naming=(target.principal,))
    known = [each.contract for each in active if today in each.days]
    inbound = [each for each in known if (each.principal, each.direction) == (target.principal, Direction.INBOUND)]
    if comes_in_again(inbound, target):
        for run in runs_of(house.conn, case_id, target.principal):
            lift(house, run.run_id, max(now, datetime.now(UTC)))  # after whatever was held because of it


def is_let_in_again(conn: Connection, case_id: CaseId, principal: Principal) -> bool:
    """Whether an erasure kept the persons out at a principal, and no longer does."""
    runs = runs_of(conn, case_id, principal)
    return bool(runs) and all(each.lifted_at is not None for each in runs)


def find_in_flight(house: House, case_id: CaseId, principal: Principal, now: datetime) -> frozenset[ExchangeId]:
    """Exchanges that were on their way before the run kept the person out and still are; all if no run began.

    They are looked up before the last passes and before a scan, so that one which ends meanwhile is searched.
    """
    since = max((each.made_at for each in runs_of(house.conn, case_id, principal)), default=now)
    return in_flight_store.find_in_flight(house.conn, principal, since)


def _is_principals_file(envelope: Envelope) -> bool:
    """Whether the principal asks by its own file, as controller, rather than the persons themselves."""
    return envelope.actor_role == Role.PRINCIPAL.value


def _is_done(person: Refs, begun: frozenset[str]) -> bool:
    refs = frozenset(ref for _, ref in _naming(person))
    return refs <= begun if any(map(_is_number, person)) else not refs or not refs.isdisjoint(begun)


def _own(house: House, case: Case, envelope: Envelope, target: Target, begun: frozenset[str]) -> Own:
    """The own references of the persons that no run keeps out yet. Rows are read only if the result depends on them.

    Somebody who gave a number that nobody has, and a telephone of somebody with another number, may be either of
    two persons. Raises whatever opening copies raises.
    """
    persons = [(given, own) for given, own in _persons(envelope, target) if not _is_done(own, begun)]
    is_principals_file = _is_principals_file(envelope)
    needed = find_needed(house, target.principal) if is_principals_file and persons else ()
    given = frozenset[Given]().union(*(given for given, _ in persons))
    numbers = frozenset(ref for kind, ref in given if kind in DEFINING)
    if not needed and (all(map(_is_number, given)) or (is_principals_file and not numbers)):
        # nothing that others could have too, or the principal's own word counts
        return own_of([given for given, _ in persons], (), numbers, is_principals_file=True)
    is_only = {part.principal for part in case.sub_cases} == {target.principal}
    usable = _usable(envelope, target)
    known = numbers if is_only else find_erased(house, target.principal, numbers) | (numbers - usable)
    with open_bench(house, target) as bench:
        rows = {row for copy in led_copies(bench) for row in _rows(bench, copy)}
    needs = needs_of(rows, refs_by_need(house, target.principal, needed))
    left_out = [need for _, own in persons if (need := _need_of(own, needs))]
    free = [
        frozenset(ref for ref in given if ref[1] not in needs) for given, own in persons if not _need_of(own, needs)
    ]
    of_persons = known & {ref for each in free for _, ref in each}
    is_of_another = _is_of_another(envelope, target.principal)
    own = own_of(free, rows, of_persons, is_principals_file=is_principals_file, is_of_another=is_of_another)
    is_nobodys = bool(rows) and any(free) and usable.isdisjoint(ref for _, ref in own.refs)
    return replace(own, left_out=tuple(left_out), customers=own.customers or int(is_nobodys))


def _persons(envelope: Envelope, target: Target) -> Iterator[tuple[Refs, Refs]]:
    """Yield the references of what each person gave at the principal, with and without numbers nobody knew."""
    every = envelope.identifiers  # the property makes a new tuple each time
    given = refs_of(every, target.key, target.principal, nobodys=True)
    usable, place = _usable(envelope, target), 0
    for person in envelope.persons:
        places = range(place, place + len(person))
        refs = frozenset((every[at].kind, given[at]) for at in places if at in given)
        yield refs, frozenset(each for each in refs if each[1] in usable)
        place += len(person)


def _is_of_another(envelope: Envelope, principal: Principal) -> bool:
    """Whether numbers of other principals were given, and none of this one or of a person anywhere."""
    owners = {each.owner for each in envelope.identifiers if each.kind in DEFINING}
    return bool(owners) and owners.isdisjoint({None, principal})


def _rows(bench: Bench, copy: Copy) -> Iterator[Refs]:
    """References of the rows of a copy that name the person, by identifying column; equal rows once."""
    found = _in_lake(bench, copy) if copy.kind == LAKE else _in_cells(bench, copy)
    if not found:
        return
    frame = pl.DataFrame([refs.alias(str(place)) for place, (_, refs) in enumerate(found)]).unique()
    for row in frame.iter_rows():
        yield frozenset((kind, ref) for (kind, _), ref in zip(found, row, strict=True) if ref is not None)


def _in_lake(bench: Bench, copy: Copy) -> list[tuple[SubjectKind, pl.Series]]:
    path = bench.fetch(copy)
    if path is None:
        return []
    refs, every = sorted(bench.target.refs), ref_columns(path)
    mine = pl.any_horizontal(pl.col(name).is_in(refs).fill_null(False) for name in every)
    kinds = {name: each.kind for each in copy.columns if (name := ref_of(each.name)) in every}
    rows = pl.scan_parquet(path).filter(mine).select(list(kinds)).collect()
    return [(kind, rows[name]) for name, kind in kinds.items()]


def _in_cells(bench: Bench, copy: Copy) -> list[tuple[SubjectKind, pl.Series]]:
    rows = store_of(copy).read(bench, copy).frame
    named = [each for each in copy.columns if each.name in rows.columns]
    return [(each.kind, refs_in(rows[each.name], each.kind, bench.target.key, copy.contract)) for each in named]
