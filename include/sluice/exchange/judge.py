"""Judge one opened exchange: paper, bytes, twin, then the limited child and Great Expectations.

REFUSED is an answer. UNDECIDED means that nobody can tell: the child died, or the two judges disagree.
"""

import base64
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sluice.agreement.in_force.store import in_force
from sluice.agreement.model import KeyReference
from sluice.agreement.papers import Paper, PaperMissing
from sluice.errors import DocumentInvalid, GateFailed, ObjectUnreadable, Ref
from sluice.exchange import locks, store
from sluice.exchange.early_refusal import finding, missing_paper, refuse_unread, refused
from sluice.exchange.given_back import paper_under
from sluice.exchange.house import House
from sluice.exchange.judging.check_output import check_left, read_left
from sluice.exchange.judging.job import (
    Job,
    file_limits_of,
    limits_of,
    load_rules,
    mapping_hash,
    mapping_of,
    read_report,
    read_suites,
)
from sluice.exchange.judging.nursery import ChildEnd
from sluice.exchange.judging.progress import reporting_progress
from sluice.exchange.model import Judged, Opened
from sluice.exchange.persons.corrections import find_corrections
from sluice.exchange.persons.known_keys import NO_KEYS, KnownKeys, write_keys
from sluice.exchange.persons.suppressed import write_suppressed
from sluice.exchange.persons.suppressed_store import find_in_force
from sluice.exchange.review import held_inputs, paper_of_review, review_of
from sluice.exchange.twin import find_twin
from sluice.exchange.uses import needs_of_file
from sluice.exchange.workroom import ARRIVED, check_room, work_folder
from sluice.gate.model import Finding, GateVerdict, PassResult
from sluice.lake.read.pgp_in import PgpKeys, armoured
from sluice.lake.s3.objects import Fetched
from sluice.terms import Direction, Verdict
from sluice.times import brussels_day

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 20
SAID_EVERY_S = 5.0
LONGEST_FAILURE = 200
TYPE_AND_PLACE = re.compile(r"[A-Za-z_]{1,80} at (unknown place|[\w.<> -]{1,100}:[0-9]{1,6})", re.ASCII)
"""What :func:`sluice.errors.place_of` says of an error."""
TRIES_OF_A_DEAD_CHILD = 3
MAYBE_NOT_THE_FILE = frozenset({ChildEnd.DIED, ChildEnd.WALL, ChildEnd.FAILED})
"""Ends that a busy machine or a fault of ours can cause as well; any other is the file's own doing."""


@contextmanager
def judged_exchange(house: House, opened: Opened) -> Iterator[Judged]:
    """Yield the verdict on one exchange, with its files, while the block runs.

    Meanwhile the content lock is held, so that of two versions with the same bytes the second is seen as a duplicate.
    """
    with work_folder(house, opened) as folder:
        yield from _judged_in(house, opened, folder)


def _judged_in(house: House, opened: Opened, folder: Path) -> Iterator[Judged]:
    on = brussels_day(opened.asked_at)
    paper = in_force(house.conn, opened.principal, opened.direction, opened.flow, on, opened.asked_at)
    if isinstance(paper, PaperMissing):
        yield _unread(opened, paper, folder, missing_paper(paper))
        return
    if opened.attempts > MOST_ATTEMPTS:
        reason = finding("UNREADABLE_GAVE_UP", "exchange.attempts", count=opened.attempts)
        yield _unread(opened, paper, folder, reason, verdict=Verdict.UNDECIDED)
        return
    review, agreement = review_of(house.conn, opened), paper.agreement
    if review is not None:
        held_under = paper_under(house.conn, opened)
        paper = paper_of_review(held_under if isinstance(held_under, Paper) else paper, review)
    if reasons := refuse_unread(opened.file_name, agreement, paper.contract, on):
        yield _unread(opened, paper, folder, *reasons)
        return
    house.nursery.warm()
    fetched = _arrived(house, opened, folder)
    if fetched is None:
        yield _unread(opened, paper, folder, finding("UNREADABLE_SEALED", "object.read"))
        return
    if review is not None and review.sha256 != fetched.sha256:
        reason = finding("NAME_NOT_AS_AGREED", "name.of_a_review")
        yield _unread(opened, paper, folder, reason, fetched=fetched)
        return
    inputs = held_inputs(house.conn, review) if review else ()
    with locks.content_lock(house.conn, opened, fetched.sha256):
        if twin := find_twin(house, opened, paper.contract, fetched.sha256):
            reason = finding("DUPLICATE_CONTENT", f"content.once:{twin}")
            yield replace(_unread(opened, paper, folder, reason, fetched=fetched), inputs=inputs)
            return
        judged = _judge_bytes(house, opened, paper, fetched, folder, is_reviewed=review is not None)
        yield replace(judged, inputs=inputs)


def _unread(
    opened: Opened,
    paper: Paper | PaperMissing,
    folder: Path,
    *reasons: Finding,
    verdict: Verdict = Verdict.REFUSED,
    fetched: Fetched | None = None,
) -> Judged:
    """Return the verdict on a file whose rows nobody read, for these reasons. ``fetched``: its bytes, if they came."""
    return Judged(opened, paper, fetched, refused(reasons, verdict), sighting=None, suites={}, folder=folder)


def _arrived(house: House, opened: Opened, folder: Path) -> Fetched | None:
    """Fetch the file to local disk; None if its sender put it in a way that the store does not give it to us."""
    try:
        return house.objects.fetch(opened.bucket, opened.key, opened.version_id, folder / ARRIVED)
    except ObjectUnreadable:
        return None


def _judge_bytes(
    house: House, opened: Opened, paper: Paper, fetched: Fetched, folder: Path, *, is_reviewed: bool
) -> Judged:
    """Judge the bytes of a file. ``is_reviewed``: a person has read its notes and let them go."""
    suites = read_suites(house.settings, paper.contract)
    load_rules(paper.contract, suites)
    keys = KnownKeys({}, {}, None, 0) if is_reviewed else write_keys(house, paper.contract, folder)
    if isinstance(keys, KeyReference):
        reason = finding(NO_KEYS, f"{keys.column}.key", keys.column)
        return _unread(opened, paper, folder, reason, verdict=Verdict.UNDECIDED, fetched=fetched)
    kept_out = find_in_force(house.conn, opened.principal)
    job = _job(house, opened, paper, fetched, folder, is_reviewed=is_reviewed)
    job = replace(job, suites=suites, keys=keys.paths, excused=keys.excused)
    hashes = {suite.name: suite.sha256 for suite in suites} | mapping_hash(job.mapping) | dict(keys.hashes)

    def say(done: int, count: int) -> None:
        log.info("exchange %s: %s of %s parts of the file are judged", opened.exchange_id, done, count)

    most = limits_of(house.settings, paper.agreement, fetched.size_bytes + keys.size_bytes)
    with reporting_progress(folder, say, SAID_EVERY_S):
        end = house.nursery.run(job.as_json(), most, job.reads)
    check_left(folder)
    if end in MAYBE_NOT_THE_FILE:
        check_room(folder)
    if end in MAYBE_NOT_THE_FILE and opened.attempts < TRIES_OF_A_DEAD_CHILD:
        raise GateFailed(Ref("exchange", opened.exchange_id), Ref("child", end.value), Ref("at", failure_of(folder)))
    report = read_report(folder, end)
    verdict = ask_gx_about_child_pass(report.verdict, folder) if report.has_pass else report.verdict
    return Judged(
        opened=opened,
        paper=paper,
        fetched=fetched,
        verdict=verdict,
        sighting=report.sighting,
        suites=hashes,
        folder=folder,
        held=report.held if verdict.rows_accepted else {},
        kept_out=kept_out,
    )


def _job(house: House, opened: Opened, paper: Paper, fetched: Fetched, folder: Path, *, is_reviewed: bool) -> Job:
    """The job without its suites and keys."""
    key = house.subject_key(opened.principal)
    return Job(
        folder=folder,
        file=fetched.path,
        file_name=opened.file_name,
        contract=paper.contract,
        suites=(),
        subject_key=base64.b64encode(key).decode(),
        ignores=key.ignores,
        sample_key=base64.b64encode(house.keyring.sample_key(opened.principal)).decode(),
        origin=(opened.exchange_id, opened.version_id),
        free_text=paper.agreement.free_text,
        limits=file_limits_of(house.settings, paper.agreement),
        mapping=mapping_of(house.settings, paper.contract),
        suppressed=write_suppressed(house, opened.principal, folder / "suppressed.parquet", needs_of_file(paper)),
        corrections=find_corrections(house, opened.principal),
        as_of=store.find_ages(house.conn, [opened.exchange_id])[opened.exchange_id].as_of,
        put_at=fetched.modified_at,
        is_reviewed=is_reviewed,
        pgp=None if is_reviewed or opened.direction is not Direction.INBOUND else _pgp_keys(house, paper),
    )


def _pgp_keys(house: House, paper: Paper) -> PgpKeys:
    """Return what opens a file of this agreement. Raises DocumentInvalid when the pinned certificate is missing."""
    rules, principal = paper.agreement.arrival, paper.agreement.principal
    if rules.pgp is None:
        return PgpKeys("", None, None)
    path = house.settings.principals_dir / principal / rules.pgp.file
    if not path.is_file():
        raise DocumentInvalid(Ref("file", rules.pgp.file), Ref("agreement", paper.agreement.agreement_id))
    certificate = armoured(path.read_bytes())
    secret = house.keyring.openpgp_key(principal)
    return PgpKeys(secret, certificate, rules.pgp.fingerprint, rules.must_be_signed, rules.must_be_encrypted)


def failure_of(folder: Path) -> str:
    """Return the type and place of the error that stopped the child, if it could still write them down.

    It goes into a log, so anything else that a child leaves there is not repeated.
    """
    text = read_left(folder / "failure.txt", LONGEST_FAILURE).decode(errors="replace")
    return text if TYPE_AND_PLACE.fullmatch(text) else "unknown"


def ask_gx_about_child_pass(verdict: GateVerdict, folder: Path) -> GateVerdict:
    """Ask Great Expectations about the pass that the child left."""
    import polars as pl

    from sluice.gate.wire import from_json

    return ask_gx(verdict, from_json((folder / "pass.json").read_text(), pl.read_parquet(folder / "failing.parquet")))


def ask_gx(verdict: GateVerdict, passed: PassResult) -> GateVerdict:
    """Ask Great Expectations about the same pass. If the two judges differ, the verdict is UNDECIDED."""
    from sluice.gate import gx

    outcome = gx.validate(passed, [each.rule for each in passed.outcomes])
    return gx.combine_verdicts(verdict, outcome, passed)
