"""Find what an erasure has to wait for: data that its person had restricted since is only stored (GDPR Art. 18(2)).

What they asked to have restricted waits too until that is decided: what was erased meanwhile is not there to be kept.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import ClassVar

from sluice.errors import Exit, Ref, SluiceError
from sluice.exchange.house import House
from sluice.exchange.persons.sealed_runs import read_runs
from sluice.exchange.persons.suppressed_store import SuppressedRun, find_runs
from sluice.rights.case import store
from sluice.rights.case.model import FILE, Case, State
from sluice.rights.copies import needed_store
from sluice.rights.copies.model import Target
from sluice.rights.copies.own_rows import SeveralCustomers, own_target
from sluice.rights.copies.scope import is_to_do
from sluice.rights.erasure.control_store import find_run
from sluice.rights.person.sealed import open_sealed

DECISIONS = frozenset({State.INSTRUCTED, State.ACCEPTED, State.PARTIAL})


class RestrictedSince(SluiceError):
    code: ClassVar[str] = "SLU-569"
    summary: ClassVar[str] = (
        "the person asked to have their data restricted after this erasure was decided: it is only stored"
    )
    cure: ClassVar[str] = (
        "ask the person which of the two they want: the erasure is taken up once the restriction is refused or ends "
        "(`sluice case lift`, or `sluice case withdraw` of that case); `sluice case withdraw` of this one ends the "
        "erasure"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


def find_restricted_since(house: House, case: Case, target: Target) -> list[SuppressedRun]:
    """Return the restrictions of other requests that a run has to wait for at a principal before it begins.

    They are in force, or asked for and not decided yet; made after what is to be erased there was decided; and about
    the same person. A run that began there after the last of these decisions goes on. Persons of a principal's own
    file are left out one by one instead. Raises whatever opening copies raises.
    """
    restricted = needed_store.find_restricted(house.conn, target.principal)
    runs = find_runs(house.conn, target.principal, only=restricted)
    others = [each for each in runs if each.case_id != case.case_id]
    decided = _decided_at(house, case, target) if others and case.channel != FILE else ()
    if not decided:
        return []
    ran = find_run(house.conn, case.case_id)
    if ran is not None and target.principal in ran.kept_out_at and ran.begun_at > max(decided):
        return []
    younger = [each for each in others if each.made_at > min(decided)]
    if not _about(house, younger, target.refs):
        return []
    envelope = open_sealed(house, case.subject_key).envelope
    with suppress(SeveralCustomers):  # the run says so itself
        return _about(house, younger, own_target(house, case, envelope, target).refs)
    return []


def check_not_restricted(house: House, case: Case, targets: Sequence[Target]) -> None:
    """Raise RestrictedSince if a run has to wait for a restriction."""
    for target in targets:
        if found := find_restricted_since(house, case, target):
            raise RestrictedSince(Ref("case", case.case_id), Ref("restricted by case", found[0].case_id or "none"))


def _decided_at(house: House, case: Case, target: Target) -> tuple[datetime, ...]:
    """When each of the decisions was made that hold at a principal and are not carried out yet."""
    last: dict[str, datetime] = {}
    parts = {part.sub_case_id for part in case.sub_cases if part.principal == target.principal and is_to_do(part)}
    for step in store.list_steps(house.conn, case.case_id):
        if step.sub_case_id in parts and step.to_state in DECISIONS:
            last[step.sub_case_id] = step.at
    return tuple(last.values())


def _about(house: House, runs: Sequence[SuppressedRun], refs: frozenset[str]) -> list[SuppressedRun]:
    frames = read_runs(house, runs)
    return [run for run, frame in zip(runs, frames, strict=True) if not refs.isdisjoint(frame["ref"].to_list())]
