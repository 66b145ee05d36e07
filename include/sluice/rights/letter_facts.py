"""Everything a letter has to read: the case, its history, names of companies, the last proof, recipients."""

from collections.abc import Sequence
from datetime import datetime

from sluice.agreement.annexes import own_party
from sluice.agreement.store import list_agreements
from sluice.exchange.house import House
from sluice.ledger.erased import ErasureDone
from sluice.rights import answer_store, letter_store, notice_store, store
from sluice.rights.certificate import is_clean, last_scans
from sluice.rights.clock import received_on
from sluice.rights.erase_exceptions import decision_of
from sluice.rights.letter_due import parts_waiting
from sluice.rights.letter_model import LetterFacts, PartFacts, Proof, Sender, SentOn
from sluice.rights.model import Action, Case, CaseId, LetterKind, State, Step, SubCase, SubCaseId
from sluice.rights.notice_model import Side
from sluice.rights.rectify import NOBODY


def gather(house: House, case: Case, kind: LetterKind, language: str, now: datetime) -> LetterFacts:
    """What a letter of this kind would say now, about every part that waits for it."""
    steps = store.list_steps(house.conn, case.case_id)
    scans = last_scans(house, case.case_id) if kind is LetterKind.COMPLETION else {}
    waiting = parts_waiting(case, kind, language)
    parts = tuple(_part(house, part, steps, scans.get(part.principal)) for part in case.sub_cases)
    return LetterFacts(
        case=case,
        kind=kind,
        language=language,
        written_on=received_on(now),
        sender=sender_of(house, now),
        parts=parts,
        about=waiting,
        recipients=find_recipients(house, case.case_id, waiting) if kind is LetterKind.COMPLETION else None,
        handed=_handed(house, case, parts) if kind is LetterKind.COMPLETION else (),
    )


def sender_of(house: House, now: datetime) -> Sender:
    """Who writes: as the settings name us, else as our youngest agreement does."""
    settings = house.settings
    name = settings.center_name or own_party(list_agreements(house.conn, now), settings.center, None).name
    return Sender(name, settings.center_contact)


def _handed(house: House, case: Case, parts: Sequence[PartFacts]) -> tuple[SentOn, ...]:
    """What was sent on to next controllers; what a principal got itself, its own answer tells."""
    companies = {each.part.principal: each.company for each in parts}
    return tuple(
        SentOn(name, companies.get(principal, principal), received_on(at))
        for name, principal, at in answer_store.find_sent_on(house.conn, case.case_id)
    )


def find_recipients(house: House, case_id: CaseId, about: Sequence[SubCaseId]) -> tuple[str, ...] | None:
    """Names of everybody else who got the data of these parts (Art. 19); None while nobody found out of one of them."""
    if any(notice_store.find_propagation(house.conn, part) is None for part in about):
        return None
    told = notice_store.list_notices(house.conn, case_id=case_id, limit=None)
    names = {each.name for each in told if each.sub_case_id in about and each.side is Side.RECIPIENT}
    return tuple(sorted(names, key=str.casefold))


def _part(house: House, part: SubCase, steps: Sequence[Step], scan: tuple[ErasureDone, str] | None) -> PartFacts:
    mine = [step for step in steps if step.sub_case_id == part.sub_case_id]
    decided = decision_of(mine)
    extended = next((step for step in mine if step.to_state is State.EXTENDED), None)
    return PartFacts(
        part=part,
        company=letter_store.find_company(house.conn, part),
        reasons=dict(decided.reasons) if decided else {},
        remedies_ref=decided.remedies_ref if decided else None,
        delay=extended.reason_code if extended else None,
        was_gone=part.agreement_id is not None and any(step.reason_code == NOBODY for step in mine),
        proof=_proof(*scan) if scan and part.action is Action.ERASE and is_clean(scan[0]) else None,
    )


def _proof(done: ErasureDone, entry_hash: str) -> Proof:
    """A clean scan: whatever became of each copy at first, none of them names the person any more."""
    removed = sum(line.objects for line in done.stores)
    return Proof(f"{done.principal}.{entry_hash[:16]}", removed, done.objects_scanned)
