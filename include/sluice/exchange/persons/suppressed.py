"""Who must stay out of a principal's files: runs in S3, their catalogue in PostgreSQL, one merged list per file."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from sluice.agreement.in_force.store import list_in_force
from sluice.db import transaction
from sluice.errors import Ref, SluiceError
from sluice.exchange.house import House
from sluice.exchange.persons import suppressed_store as store
from sluice.exchange.persons.consents import find_words
from sluice.exchange.persons.sealed_runs import check_none_lost, put_run, read_runs, seal_runs
from sluice.exchange.persons.suppressed_store import MADE, SuppressedRun, insert_run, mark_lifted
from sluice.ledger.copy_kinds import INDEX
from sluice.ledger.record import CopyLine
from sluice.subject.consent import given_since
from sluice.subject.index import find_in_run
from sluice.subject.scope import CONSENT, EVERYTHING, MARKETING, Need, Scope, Use, sift
from sluice.subject.suppression import Suppression, merge_suppressions, suppress, write_suppressions
from sluice.terms import Principal
from sluice.times import brussels_day

if TYPE_CHECKING:
    import polars as pl

NAMESPACE = uuid.UUID("6f1f2d3e-6d0b-5c7e-9d7e-0f6d1f0a9b11")

STORED_ONLY = frozenset({Suppression.RESTRICTED, Suppression.SOFT_HOLD, Suppression.ERASED})
T = TypeVar("T")


class SuppressedMeanwhile(SluiceError):
    code: ClassVar[str] = "SLU-419"
    summary: ClassVar[str] = "somebody in it has to stay out since it was judged"
    cure: ClassVar[str] = "nothing to do: it is judged again, without them"


def run_id_of(principal: Principal, reason: Suppression, cause: str) -> str:
    """Return the id of the run that one cause (a case, an instruction) makes: doing it again finds it there."""
    return str(uuid.uuid5(NAMESPACE, f"{principal}/{reason}/{cause}"))


def tied(cause: str) -> str:
    """Return the cause of a second run, with what accepted rows tie to what a person gave."""
    return f"{cause}/tied"


def keep_out(
    house: House,
    principal: Principal,
    refs: frozenset[str],
    reason: Suppression,
    *,
    cause: str,
    case_id: str | None,
    now: datetime,
    scope: Scope = EVERYTHING,
) -> str:
    """Suppress persons from now on; return the run's id.

    The object is put first, then the row and its ledger entry together. An exchange that closes meanwhile is either
    seen by whoever looks afterwards, or looks again itself (:func:`commit_unless_suppressed`). ``scope``: what the run
    stops, if not everything.
    """
    run_id = run_id_of(principal, reason, cause)
    content = write_suppressions(suppress(refs, reason))
    stored = put_run(house, principal, run_id, content)
    run = SuppressedRun(
        run_id, principal, reason, stored.bucket, stored.key, stored.version_id, stored.sha256 or "", len(refs),
        case_id, now, scope=scope,
    )  # fmt: skip
    with transaction(house.conn):
        insert_run(house.conn, run, MADE, now)
    seal_runs(house, principal, {run_id})
    return run_id


def lift(house: House, run_id: str, now: datetime, by: str | None = None, evidence: str | None = None) -> bool:
    """End a suppression (a hold that was decided); return False when it had ended, or never was.

    ``by``, ``evidence``: if a person ends it, who, and the SHA-256 of why.
    """
    with transaction(house.conn):
        principal = mark_lifted(house.conn, run_id, now, by, evidence)
    if principal is not None:
        seal_runs(house, principal, {run_id})
    return principal is not None


def lift_case(
    house: House,
    principal: Principal,
    reason: Suppression,
    case_id: str,
    now: datetime,
    *,
    by: str | None = None,
    evidence: str | None = None,
) -> bool:
    """End the suppression of a request, as :func:`lift`, and that of what was tied to its person."""
    runs = [run_id_of(principal, reason, cause) for cause in (case_id, tied(case_id))]
    lifted = [lift(house, run_id, now, by, evidence) for run_id in runs]
    return any(lifted)


def find_suppressed(house: House, principal: Principal, needs: Sequence[Need] | None = None) -> "pl.DataFrame | None":
    """Return everybody who must stay out of this principal's files now (ref, reason); None when nobody must.

    ``needs``: what the file is for; without them every suppression counts, whatever it reaches. Raises SuppressionsLost
    when the database does not know all who were kept out.
    """
    check_none_lost(house, principal)
    runs = store.find_runs(house.conn, principal, in_force=True)
    if not runs:
        return None
    read = list(zip(read_runs(house, runs), (run.scope for run in runs), strict=True))
    if needs is None:
        return merge_suppressions([frame for frame, _ in read])
    return sift(read, needs, _given_again(house, principal, runs, [frame for frame, _ in read]))


def _given_again(
    house: House, principal: Principal, runs: Sequence[SuppressedRun], frames: "Sequence[pl.DataFrame]"
) -> "Mapping[int, pl.DataFrame]":
    """Return, by a withdrawal's place among the runs, whose consent was recorded as given after it.

    What is tied to a person comes back with whatever of theirs came back. ``frames``: who is in each run.
    """
    import polars as pl

    withdrawn = {place: run.made_at for place, run in enumerate(runs) if run.reason is Suppression.CONSENT_WITHDRAWN}
    words = find_words(house, principal) if withdrawn else None
    if words is None or words.is_empty():
        return {}
    again = {place: given_since(words, made_at) for place, made_at in withdrawn.items()}
    for place in again:
        run = runs[place]
        if run.case_id is not None and run.run_id == run_id_of(principal, run.reason, tied(run.case_id)):
            own = pl.concat([frames[other]["ref"] for other in withdrawn if runs[other].case_id == run.case_id])
            said = again[place].filter(pl.col("ref").is_in(own.implode())).drop("ref").unique()
            again[place] = frames[place].select("ref").join(said, how="cross")
    return again


def write_suppressed(
    house: House, principal: Principal, target: Path, needs: Sequence[Need] | None = None
) -> Path | None:
    """Write what :func:`find_suppressed` finds as Parquet for the child that judges; None if that is nobody."""
    suppressed = find_suppressed(house, principal, needs)
    if suppressed is None:
        return None
    suppressed.write_parquet(target, statistics=False)
    return target


def find_reasons(
    house: House, principal: Principal, refs: frozenset[str], channel: str | None = None, *, is_checked: bool = False
) -> tuple[str, ...]:
    """Return why somebody with one of these references is kept out; empty when they are not.

    A withdrawal no longer counts once consent was given again for every use of the agreement that it stops.
    ``channel``: as the agreement calls it; then only suppressions that reach it count. ``is_checked``: the caller has
    looked whether any is lost (:func:`check_none_lost`), which lists years of them. Raises SuppressionsLost.
    """
    if not is_checked:
        check_none_lost(house, principal)
    held = store.find_runs(house.conn, principal, in_force=True)
    runs = [run for run in held if channel is None or run.scope.channel in (None, channel)]
    frames = list(read_runs(house, runs))
    named_in = [refs.intersection(frame["ref"].to_list()) for frame in frames]
    if not any(named_in):  # so it is for almost everybody, and of a batch this is asked line by line
        return ()
    again, uses = _given_again(house, principal, runs, frames), _consented_uses(house, principal, channel)
    found = set[str]()
    for place, (named, run) in enumerate(zip(named_in, runs, strict=True)):
        stopped = [(use.purpose, use.channel) for use in uses if run.scope.stops(use)]
        yes = set(again[place].iter_rows()) if place in again else set[tuple[str, str, str]]()
        if any(not stopped or any((ref, *use) not in yes for use in stopped) for ref in named):
            found.add(run.reason.value)
    return tuple(sorted(found))


def _consented_uses(house: House, principal: Principal, channel: str | None) -> list[Use]:
    """Return what a consent can be about under the agreements that hold now, over one channel or over any.

    Advertising on another basis is among it, because for some channels the law asks for consent beside the basis.
    """
    now = datetime.now(UTC)
    agreements = list_in_force(house.conn, principal, brussels_day(now), now)
    return [
        Use(each.iri, CONSENT, word)
        for agreement in agreements
        for each in agreement.purposes
        if each.iri in MARKETING or each.legal_basis == CONSENT
        for word in each.channels or (None,)
        if channel in (None, word)
    ]


def find_erased(house: House, principal: Principal, refs: frozenset[str]) -> frozenset[str]:
    """Return those of these references whose persons were erased."""
    suppressed = find_suppressed(house, principal)
    if suppressed is None:
        return frozenset()
    erased = suppressed.filter(suppressed["reason"] == Suppression.ERASED.value)["ref"]
    return refs & set(erased.to_list())


def find_stored_only(house: House, principal: Principal) -> frozenset[str]:
    """Return references of persons whose data may only be kept (GDPR Art. 18(2)), or is about to go."""
    check_none_lost(house, principal)
    runs = [run for run in store.find_runs(house.conn, principal, in_force=True) if run.reason in STORED_ONLY]
    return frozenset(ref for frame in read_runs(house, runs) for ref in frame["ref"].to_list())


def commit_unless_suppressed(
    house: House, principal: Principal, known: frozenset[str], copies: Sequence[CopyLine], commit: Callable[[], T]
) -> T:
    """Commit what was made under the runs ``known``, in one transaction, unless somebody in it is suppressed since.

    Whoever is suppressed next waits for that transaction. It tries again if others were. Raises SuppressedMeanwhile:
    then it has to be made again.
    """
    while True:
        with transaction(house.conn):
            store.lock_principal(house.conn, principal, shared=True)
            since = store.find_in_force(house.conn, principal) - known
            if not since:
                return commit()
        if any(copy.kind == INDEX for copy in copies) and names_any(house, copies, _refs_of(house, principal, since)):
            raise SuppressedMeanwhile(Ref("principal", principal), Ref("suppression runs since", len(since)))
        known |= since


def _refs_of(house: House, principal: Principal, run_ids: frozenset[str]) -> list[str]:
    runs = store.find_runs(house.conn, principal, only=run_ids)
    return merge_suppressions(read_runs(house, runs))["ref"].to_list()


def names_any(house: House, copies: Sequence[CopyLine], refs: Sequence[str]) -> bool:
    """Whether rows among these copies are about one of these; the index run of their exchange tells."""
    runs = (copy for copy in copies if copy.kind == INDEX)
    return any(find_in_run(house.objects.read(run.bucket, run.key, run.version_id), refs).height for run in runs)
