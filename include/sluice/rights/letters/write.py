"""Write letters to the person: receipt, extension, refusal, completion, lifting. Each is sealed and logged.

A letter is put under a name that is a function of its case, kind, part and language, and then logged with the versions
that were put. If a worker dies between the two, the next one puts the letter again and removes every version that was
not logged.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sluice.db import Connection, transaction
from sluice.documents.pdf import make_pdf
from sluice.errors import EvidenceInvalid, Ref, StoreConflict
from sluice.exchange.house import House
from sluice.exchange.sweeping import Faults
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.append import append
from sluice.ledger.cased import CaseLetterOpened
from sluice.ledger.model import EntryKind
from sluice.media_types import OCTETS
from sluice.rights.case import letter_store, store
from sluice.rights.case.book import open_book
from sluice.rights.case.errors import LetterNotDue
from sluice.rights.case.guards import check_language
from sluice.rights.case.letter_due import is_owed, parts_waiting
from sluice.rights.case.model import (
    CASES_CHAIN,
    SYSTEM,
    Actor,
    Case,
    CaseId,
    Letter,
    LetterKind,
    Order,
    State,
    SubCaseId,
)
from sluice.rights.letters.document import TEMPLATE, make_letter_document
from sluice.rights.letters.facts import gather
from sluice.rights.letters.page import make_letter_page
from sluice.rights.person.sealed import PREFIX, decrypt, encrypt
from sluice.terms import Sha256
from sluice.times import utc_text

MOST_TRIES = 5
"""The most drafts of one letter: meanwhile the case may take a step, or another worker may put the same letter."""


@dataclass(frozen=True, slots=True)
class Written:
    """Result of one pass over all open cases. ``failed``: letters that failed, were logged and will be tried again."""

    letters: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter before it is put: the parts it is about, and the PDF and document with the same content."""

    scope: str
    about: tuple[SubCaseId, ...]
    pdf: bytes
    document: bytes


def write_letter(
    house: House,
    case_id: CaseId,
    kind: LetterKind,
    now: datetime,
    *,
    language: str | None = None,
    sub_case_id: SubCaseId | None = None,
    actor: Actor = SYSTEM,
) -> Letter:
    """Write and log a letter about everything of its kind that the person was not told yet.

    Returns the existing letter if nothing new is left to tell, or ``sub_case_id`` was told before. The letter is in
    the person's language unless another is named; only one in the person's language counts as told. A receipt
    acknowledges the case (GDPR Art. 12(3) and (4), 19). Raises LetterNotDue, MaterialGone, NotFound, UsageError.
    """
    for _ in range(MOST_TRIES):
        case = store.get_case(house.conn, case_id)
        said = check_language(language or case.language)
        written = _written(case, kind, said, sub_case_id)
        if written is not None:
            return written
        store.check_not_tidied(house.conn, case_id)
        draft = _compose(house, case, kind, said, now)
        try:
            letter = _log(house, case, kind, said, draft, now, actor)
        except StoreConflict:
            continue  # another worker puts the same letter
        if letter is not None:
            return letter
    raise StoreConflict(Ref("case", case_id), Ref("letter", kind))


def write_owed(house: House, now: datetime) -> Written:
    """Write every letter that an open case owes. Raises ServiceMissing; other faults are counted and tried again."""
    letters, faults = 0, Faults(house.conn)
    for case in store.list_open_cases(house.conn):
        for kind in LetterKind:
            with faults.kept_apart(f"case {case.case_id}: its letter {kind}"):
                if is_owed(case, kind):
                    write_letter(house, case.case_id, kind, now)
                    letters += 1
    return Written(letters, faults.count)


def open_letter(house: House, letter: Letter) -> bytes:
    """Return the PDF that the person reads. Raises NotFound, SubjectUnreadable, EvidenceInvalid."""
    return _opened(house, letter, letter.key, letter.version_id, letter.sha256)


def open_document(house: House, letter: Letter) -> bytes:
    """Return the same content as JSON. Raises the same as :func:`open_letter`."""
    return _opened(house, letter, letter.document_key, letter.document_version_id, letter.document_sha256)


def note_opened(conn: Connection, letter: Letter, now: datetime, actor: Actor) -> None:
    """Log that somebody takes a letter out of the vault. Call this first, so that no letter is taken out unrecorded."""
    body = CaseLetterOpened(
        case_id=letter.case_id,
        kind=letter.kind,
        language=letter.language,
        sha256=letter.sha256,
        by=actor.name,
        at=utc_text(now),
    )
    with transaction(conn):
        letter_store.insert_opened(conn, letter, actor.name, now)
        append(conn, chain=CASES_CHAIN, kind=EntryKind.CASE_LETTER_OPENED, exchange_id=None, body=body)


def letter_key(case_id: CaseId, kind: LetterKind, scope: str, language: str, end: str) -> str:
    """Return the key of a letter in the vault."""
    return f"{PREFIX}{case_id}/letters/{kind}-{scope}-{language}.{end}.age"


def _written(case: Case, kind: LetterKind, language: str, sub_case_id: SubCaseId | None) -> Letter | None:
    """Return the existing letter that says what was asked for, if nothing is left to tell."""
    waiting = parts_waiting(case, kind, language)
    if sub_case_id in waiting or (sub_case_id is None and waiting):
        return None
    of_kind = [letter for letter in case.letters if (letter.kind, letter.language) == (kind, language)]
    mine = [letter for letter in of_kind if not letter.is_void]
    return next((each for each in reversed(mine) if sub_case_id is None or sub_case_id in each.sub_cases), None)


def _compose(house: House, case: Case, kind: LetterKind, language: str, now: datetime) -> Draft:
    """Draft the letter. Raises LetterNotDue."""
    facts = gather(house, case, kind, language, now)
    if case.state is State.WITHDRAWN_BY_SUBJECT or (kind is not LetterKind.RECEIPT and not facts.about):
        raise LetterNotDue(Ref("case", case.case_id), Ref("letter", kind))
    page = make_letter_page(facts)
    pdf = make_pdf(page, now)
    document = make_letter_document(facts, page, hashlib.sha256(pdf).hexdigest())
    return Draft(_scope(case, kind, language, facts.about), facts.about, pdf, document)


def _scope(case: Case, kind: LetterKind, language: str, about: tuple[SubCaseId, ...]) -> str:
    """Return the middle of a letter's name. A part that was decided anew has a later letter, with a number."""
    taken = [each.scope for each in case.letters if (each.kind, each.language) == (kind, language)]
    if not taken:
        return letter_store.WHOLE
    return about[0] if about[0] not in taken else f"{about[0]}-{len(taken) + 1}"


def _log(
    house: House, case: Case, kind: LetterKind, language: str, draft: Draft, now: datetime, actor: Actor
) -> Letter | None:
    """Put both objects, then log the letter; None if the case took a step since the draft was made."""
    keys = [letter_key(case.case_id, kind, draft.scope, language, end) for end in ("pdf", "json")]
    pdf = _put(house, keys[0], draft.pdf)
    try:
        document = _put(house, keys[1], draft.document)
    except StoreConflict:  # the second of two workers leaves nothing behind
        house.objects.delete_version(pdf.bucket, pdf.key, pdf.version_id)
        raise
    letter = Letter(
        case_id=case.case_id,
        kind=kind,
        scope=draft.scope,
        language=language,
        sub_cases=draft.about,
        sha256=Sha256(hashlib.sha256(draft.pdf).hexdigest()),
        document_sha256=Sha256(hashlib.sha256(draft.document).hexdigest()),
        template=TEMPLATE,
        written_at=_dated(house, case, kind, now),
        bucket=pdf.bucket,
        key=pdf.key,
        version_id=pdf.version_id,
        document_key=document.key,
        document_version_id=document.version_id,
    )
    is_logged = _is_logged(house, case, letter, actor)
    for stored in (pdf, document):
        if is_logged:
            house.objects.delete_others(stored.bucket, stored.key, frozenset({stored.version_id}))
        else:
            house.objects.delete_version(stored.bucket, stored.key, stored.version_id)
    return letter if is_logged else None


def _dated(house: House, case: Case, kind: LetterKind, now: datetime) -> datetime:
    """Return the moment of a letter. One with reasons is not dated before the step since which they hold.

    A sweep takes its moment when it begins, so that the step may be later.
    """
    since = letter_store.find_overtaken_at(house.conn, case.case_id) if kind is LetterKind.REFUSAL else None
    return max(now, since) if since else now


def _is_logged(house: House, case: Case, letter: Letter, actor: Actor) -> bool:
    """Write the row, the ledger entry and, for a receipt, the step it is evidence of, in one transaction.

    False, and nothing written, if the case changed or was tidied.
    """
    with open_book(house.conn, case.case_id) as book:
        if book.case != case or store.is_tidied(house.conn, case.case_id):
            return False
        book.tell(letter)
        if letter.kind is LetterKind.RECEIPT and case.state is State.RECEIVED and letter.language == case.language:
            book.take(State.ACKNOWLEDGED, Order(actor, letter.written_at, "RECEIPT_LETTER", letter.sha256))
    return True


def _put(house: House, key: str, content: bytes) -> StoredObject:
    return house.objects.put_converging(house.settings.bucket_vault, key, encrypt(house.keyring, content), OCTETS)


def _opened(house: House, letter: Letter, key: str, version_id: str, sha256: str) -> bytes:
    content = decrypt(house.keyring, house.objects.read(letter.bucket, key, version_id))
    if hashlib.sha256(content).hexdigest() != sha256:
        raise EvidenceInvalid(Ref("case", letter.case_id), Ref("letter", letter.kind))
    return content
