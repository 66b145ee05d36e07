"""Seal a package into the vault under a prefix of its own, note it with its ledger entry, take it out, remove it.

The object is put first, then its line is written: what a dead worker put and did not note is removed by the next sweep,
because no line names it.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sluice.answers import store
from sluice.answers.facts import Facts
from sluice.answers.files import pack
from sluice.answers.ids import AnswerId
from sluice.answers.model import Answer, AnswerGone, DecidedMeanwhile, ErasedMeanwhile, FileLine
from sluice.db import transaction
from sluice.errors import EvidenceInvalid, NotFound, Ref
from sluice.exchange.house import House
from sluice.exchange.sweeping import Tally, do_each
from sluice.exchange.workroom import private_folder
from sluice.lake.quarantine import seal, unseal
from sluice.ledger.answered import AnswerMade, AnswerTaken
from sluice.ledger.append import append
from sluice.ledger.model import EntryKind
from sluice.media_types import OCTETS, PARQUET
from sluice.rights.case.clock import received_on
from sluice.rights.case.facts import answer_days
from sluice.rights.case.model import CASES_CHAIN, Action, Actor, Case, SubCaseId
from sluice.rights.case.store import lock_case
from sluice.rights.copies import answer_store
from sluice.rights.copies.answers import run_of_package
from sluice.rights.copies.packages import Package, remove_package
from sluice.rights.erasure.control_store import find_erring, find_ran
from sluice.rights.person.sealed import KEY_OWNER
from sluice.terms import Sha256, SubjectKind
from sluice.times import utc_text

log = logging.getLogger(__name__)

RETENTION, REPLACED, ERASURE, WITHDRAWN = "retention", "replaced", "erasure", answer_store.TAKEN_BACK
LOST_AFTER = timedelta(hours=1)
"""How long a package may lie in the vault without a line; after that nobody is working on it any more."""


def keep(
    house: House,
    facts: Facts,
    folder: Path,
    files: Sequence[FileLine],
    parts: Sequence[SubCaseId],
    actor: Actor,
    *,
    since: datetime,
    only: str | None = None,
) -> Answer:
    """Pack and seal a finished folder, and log it. An older package like it is replaced: one is enough.

    ``since``: when gathering began, by the database's clock. ``only``: the package is of this principal; then it is not
    the answer to the person, and replaces only one of the same principal. Raises ErasedMeanwhile, before and after the
    package is noted; an erasure that begins later looks at it. Raises DecidedMeanwhile before it is noted.
    """
    principals = [each.principal for each in facts.found]
    check_not_erased(house, principals, since)
    answer = _sealed(house, facts, folder, len(files), parts, actor, only)
    with transaction(house.conn):
        stands = lock_case(house.conn, answer.case_id)  # of two workers at once, the second replaces the first
        _check_decided(facts.case, stands, parts)
        found = store.find_answers(house.conn, answer.case_id)
        older = [each for each in found if each.gone_at is None and each.only_principal == only]
        store.insert_answer(house.conn, answer)
        body = _made(answer, facts)
        append(house.conn, chain=CASES_CHAIN, kind=EntryKind.ANSWER_MADE, exchange_id=None, body=body)
    try:
        check_not_erased(house, principals, since)
    except ErasedMeanwhile:
        remove(house, answer, ERASURE, facts.made_at)
        raise
    for one in older:
        remove(house, one, REPLACED, facts.made_at)
    return answer


def check_not_erased(house: House, principals: Sequence[str], since: datetime) -> None:
    """Raises ErasedMeanwhile when an erasure at one of these principals is running, or has ended since."""
    case_id = find_ran(house.conn, principals, since)
    if case_id is not None:
        raise ErasedMeanwhile(case_id)


def _check_decided(gathered: Case, stands: Case, parts: Sequence[SubCaseId]) -> None:
    """Raises DecidedMeanwhile when what was decided of one of these parts is not what it was while gathering."""

    def decided(case: Case) -> list[tuple[SubCaseId, Action | None, tuple[str, ...]]]:
        mine = [part for part in case.sub_cases if part.sub_case_id in parts]
        return sorted((part.sub_case_id, part.action, part.action_fields) for part in mine)

    if decided(gathered) != decided(stands):
        raise DecidedMeanwhile(Ref("case", stands.case_id))


def note_waiting(house: House, what: str, erased: ErasedMeanwhile) -> None:
    """Log that something waits for an erasure, which is no failure.

    Raises ``erased`` when that erasure is in error, and nobody is working on it.
    """
    if is_stuck(house, erased):
        raise erased
    log.info("%s waits: %s", what, erased)


def is_stuck(house: House, erased: ErasedMeanwhile) -> bool:
    """Whether the erasure failed or died, and nobody is working on it."""
    return erased.case_id in find_erring(house.conn)


def _sealed(
    house: House, facts: Facts, folder: Path, files: int, parts: Sequence[SubCaseId], actor: Actor, only: str | None
) -> Answer:
    """Put the archive of a folder into the vault, and return its line, which is not noted yet."""
    answer_id, case_id = AnswerId(str(uuid4())), facts.case.case_id
    name = f"{facts.kind.value}-{case_id[:8]}.zip"
    packed, sealed = folder.parent / name, folder.parent / f"{name}.age"
    pack(folder, packed, facts.made_at)
    seal(packed, sealed, house.keyring, KEY_OWNER)
    key = f"{answer_store.PREFIX}{case_id}/{answer_id}.zip.age"
    house.objects.put_once(house.settings.bucket_vault, answer_store.index_key_of(key), _run(facts, folder), PARQUET)
    stored = house.objects.put_once(house.settings.bucket_vault, key, sealed, OCTETS)
    content, made_on = packed.read_bytes(), received_on(facts.made_at)
    return Answer(
        answer_id=answer_id,
        case_id=case_id,
        kind=facts.kind,
        sub_cases=tuple(parts),
        principals=tuple(sorted({each.principal for each in facts.found})),
        language=facts.language,
        file_name=name,
        files=files,
        rows=sum(table.height for table in facts.selected.tables.values()),
        sha256=Sha256(hashlib.sha256(content).hexdigest()),
        size_bytes=len(content),
        bucket=stored.bucket,
        key=key,
        version_id=stored.version_id,
        sealed_sha256=Sha256(stored.sha256 or ""),
        made_at=facts.made_at,
        made_by=actor.name,
        delete_after=made_on + timedelta(days=answer_days(made_on)),
        only_principal=only,
        given=facts.given,
    )


def _run(facts: Facts, folder: Path) -> bytes:
    """Return the run of who is in the package, under the key of each principal whose data is in it."""
    keys = [each.target.key for each in facts.found]
    own = (ref for each in facts.found for ref in each.target.refs)
    return run_of_package(folder, keys, [(SubjectKind.PHONE, sorted(own))])


def _made(answer: Answer, facts: Facts) -> AnswerMade:
    stores: dict[str, int] = {}
    for count in facts.stores:
        stores[count.store] = stores.get(count.store, 0) + count.hits
    return AnswerMade(
        answer_id=answer.answer_id,
        case_id=answer.case_id,
        kind=answer.kind.value,
        sub_cases=answer.sub_cases,
        principals=answer.principals,
        made_by=answer.made_by,
        made_at=utc_text(answer.made_at),
        files=answer.files,
        rows=answer.rows,
        stores=stores,
        withheld=dict(facts.selected.withheld),
        sha256=answer.sha256,
        delete_after=answer.delete_after.isoformat(),
    )


@contextmanager
def opened(house: House, answer: Answer) -> Iterator[Path]:
    """Yield the package in clear on local disk while the block runs. Raises AnswerGone, EvidenceInvalid."""
    if answer.gone_at is not None:
        raise AnswerGone(Ref("answer", answer.answer_id))
    with private_folder(house) as folder:
        sealed, packed = folder / "sealed", folder / answer.file_name
        try:
            house.objects.fetch(answer.bucket, answer.key, answer.version_id, sealed)
        except NotFound:
            raise AnswerGone(Ref("answer", answer.answer_id)) from None
        unseal(sealed, packed, house.keyring, KEY_OWNER)
        if hashlib.sha256(packed.read_bytes()).hexdigest() != answer.sha256:
            raise EvidenceInvalid(Ref("answer", answer.answer_id))
        yield packed


def note_taken(house: House, answer: Answer, by: str, now: datetime) -> None:
    """Log that the desk takes a package out. Call before it does, so that none is out unrecorded."""
    with transaction(house.conn):
        store.insert_taken(house.conn, answer.answer_id, None, by, now)
        body = AnswerTaken(
            answer_id=answer.answer_id,
            link_id=None,
            case_id=answer.case_id,
            by=by,
            at=utc_text(now),
            use=None,
            sha256=answer.sha256,
        )
        append(house.conn, chain=CASES_CHAIN, kind=EntryKind.ANSWER_TAKEN, exchange_id=None, body=body)


def remove(house: House, answer: Answer, why: str, now: datetime) -> bool:
    """Remove a package for good, bytes first, then its line, with an entry; return False when it was gone before."""
    package = Package(answer.answer_id, answer.case_id, answer.bucket, answer.key, answer.delete_after)
    return remove_package(house, package, why, now)


def remove_due(house: House, now: datetime) -> Tally:
    """Remove packages that are due, and what lies there without a line.

    A package is due when its last day is over, a newer one replaced it, or its request was taken back. Returns how many
    were removed, and how many failed and are met again. Raises ServiceMissing.
    """
    over = [(answer, WITHDRAWN) for answer in store.find_taken_back(house.conn)]
    over += [(answer, REPLACED) for answer in store.find_superseded(house.conn)]
    over += [(answer, RETENTION) for answer in store.find_due(house.conn, received_on(now))]
    removed = do_each(
        house.conn, lambda one: f"the removal of answer {one[0].answer_id}", over, lambda one: remove(house, *one, now)
    )
    known = store.find_known(house.conn)
    runs = {answer_store.index_key_of(key) for key, _ in known}
    for item in house.objects.list_versions(house.settings.bucket_vault, answer_store.PREFIX):
        is_old = item.modified_at is not None and now - item.modified_at > LOST_AFTER
        if is_old and (item.key, item.version_id) not in known and item.key not in runs:
            house.objects.delete_version(item.bucket, item.key, item.version_id)
    return removed
