"""Everything a letter has to read: the case, its history, names of companies, the last proof, recipients."""

from collections.abc import Sequence
from datetime import datetime

from sluice.agreement.clauses.annexes import own_party
from sluice.agreement.in_force.store import find_version, list_agreements
from sluice.exchange.house import House
from sluice.ledger.erased import ErasureDone
from sluice.rights.case import letter_store, store
from sluice.rights.case.clock import received_on
from sluice.rights.case.letter_due import is_instead, parts_waiting
from sluice.rights.case.model import Action, Case, Hold, LetterKind, Right, State, Step, SubCase, SubCaseId
from sluice.rights.case.steps import NOT_ASKED
from sluice.rights.copies import answer_store
from sluice.rights.erasure.certificate import is_clean, last_scans
from sluice.rights.erasure.exceptions import decision_of, review_on
from sluice.rights.letters.model import LetterFacts, PartFacts, Proof, Sender, SentOn
from sluice.rights.notices import holder_store, notice_store
from sluice.rights.notices.model import Side
from sluice.rights.notices.to_recipient import named_purposes
from sluice.rights.person.identifiers import Envelope, find_sealed
from sluice.rights.person.reach import scope_of_request
from sluice.rights.person.rectify import NOBODY, corrected_groups
from sluice.subject.scope import Use
from sluice.terms import ExchangeId

STOPPING = frozenset({Right.OBJECTION, Right.DIRECT_MARKETING, Right.CONSENT_WITHDRAWAL})
"""Rights that can be about some purposes or one channel only."""


def gather(house: House, case: Case, kind: LetterKind, language: str, now: datetime) -> LetterFacts:
    """What a letter of this kind would say now, about every part that waits for it."""
    steps = store.list_steps(house.conn, case.case_id)
    scans = last_scans(house, case.case_id) if kind is LetterKind.COMPLETION else {}
    waiting = parts_waiting(case, kind, language)
    if kind is LetterKind.COMPLETION:  # it says who was told, so what somebody still has to hear of waits
        waiting = tuple(part for part in waiting if not notice_store.count_untold(house.conn, part))
    envelope = _named(house, case)
    told = _told(house, case, waiting) if kind is LetterKind.COMPLETION else None
    done = _done(house, case, envelope, now) if kind is LetterKind.COMPLETION else {}
    parts = tuple(
        _part(house, case, part, steps, scans.get(part.principal), done.get(part.sub_case_id))
        for part in case.sub_cases
    )
    return LetterFacts(
        case=case,
        kind=kind,
        language=language,
        written_on=received_on(now),
        sender=sender_of(house, now),
        parts=parts,
        about=waiting,
        recipients=None if told is None else tuple(sorted(told, key=str.casefold)),
        handed=_handed(house, case, parts) if kind is LetterKind.COMPLETION else (),
        purposes=named_purposes(case.right, envelope.purposes) if envelope else (),
        channel=envelope.contact_channel if envelope else None,
        guessed=tuple(sorted((name for name, is_guess in (told or {}).items() if is_guess), key=str.casefold)),
        is_unproven=any(step.reason_code == NOT_ASKED for step in steps),
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


def _told(house: House, case: Case, about: Sequence[SubCaseId]) -> dict[str, bool] | None:
    """Names of everybody else who got the data of these parts (Art. 19), and whether that is a guess; None while nobody
    found out of one of them."""
    if any(notice_store.find_propagation(house.conn, part) is None for part in about):
        return None
    names, guesses = dict[str, bool](), dict[str, frozenset[ExchangeId]]()
    for each in notice_store.list_notices(house.conn, case_id=case.case_id, limit=None):
        if each.sub_case_id in about and each.side is Side.RECIPIENT:
            if each.principal not in guesses:
                held = holder_store.find_holders(house.conn, case.case_id, each.principal)
                guesses[each.principal] = frozenset(holder.exchange_id for holder in held if holder.is_guess)
            names[each.name] = names.get(each.name, True) and guesses[each.principal].issuperset(each.exchanges)
    return names


def _named(house: House, case: Case) -> Envelope | None:
    """What the person said of a request that can be about some uses only; None: it cannot, or that is gone."""
    sealed = find_sealed(house, case.subject_key) if case.right in STOPPING else None
    return sealed.envelope if sealed else None


def _reaches_nothing(house: House, part: SubCase, envelope: Envelope | None) -> bool:
    """Whether an objection stops no use of a part's agreement: it does not reach every basis (Art. 21(1))."""
    paper = find_version(house.conn, part.agreement_id or "", part.agreement_version or "")
    if part.action is not Action.STOP or envelope is None or paper is None:
        return False
    scope = scope_of_request(envelope, Hold.OBJECTED)
    return not any(
        scope.stops(Use(each.iri, each.legal_basis, channel))
        for each in paper.purposes
        for channel in each.channels or (None,)
    )


def _done(house: House, case: Case, envelope: Envelope | None, now: datetime) -> dict[SubCaseId, frozenset[str]]:
    """By part the field groups that were corrected, or of which something is in the package; none where an objection
    reaches no use."""
    given = answer_store.find_given(house.conn, case.case_id)
    found = {part.sub_case_id: given[part.sub_case_id] for part in case.sub_cases if part.sub_case_id in given}
    for part in case.sub_cases:
        if part.action is Action.RECTIFY and part.agreement_id is not None:
            found[part.sub_case_id] = frozenset(corrected_groups(house.conn, part, now))
        if case.right is Right.OBJECTION and _reaches_nothing(house, part, envelope):
            found[part.sub_case_id] = frozenset()
    return found


def _was_gone(part: SubCase, steps: Sequence[Step], scan: ErasureDone | None, done: frozenset[str] | None) -> bool:
    """Whether there was nothing of the person to do it to: erased before, or nobody here ever knew them."""
    if part.agreement_id is None:
        return False
    if any(step.reason_code == NOBODY for step in steps):
        return True
    if part.has_hit:
        return False
    if part.action in (Action.GIVE, Action.EXPORT):
        return done is not None and not done
    return scan is not None and is_clean(scan) and not scan.kept and not any(line.objects for line in scan.stores)


def _part(
    house: House,
    case: Case,
    part: SubCase,
    steps: Sequence[Step],
    scan: tuple[ErasureDone, str] | None,
    done: frozenset[str] | None,
) -> PartFacts:
    mine = [step for step in steps if step.sub_case_id == part.sub_case_id]
    decided = decision_of(mine)
    extended = next((step for step in mine if step.to_state is State.EXTENDED), None)
    return PartFacts(
        part=part,
        company=letter_store.find_company(house.conn, part),
        reasons=dict(decided.reasons) if decided else {},
        remedies_ref=decided.remedies_ref if decided else None,
        delay=extended.reason_code if extended else None,
        was_gone=_was_gone(part, mine, scan[0] if scan and part.action is Action.ERASE else None, done),
        done=done,
        review_on=review_on(received_on(decided.at)) if decided and is_instead(case.right, part.action) else None,
        proof=_proof(*scan) if scan and part.action is Action.ERASE and is_clean(scan[0]) else None,
    )


def _proof(done: ErasureDone, entry_hash: str) -> Proof:
    """A clean scan: whatever became of each copy at first, none of them names the person any more."""
    removed = sum(line.objects for line in done.stores)
    return Proof(f"{done.principal}.{entry_hash[:16]}", removed, done.objects_scanned)
