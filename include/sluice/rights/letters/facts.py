"""Gather what a letter says: the case and its history, company names, the last proof, recipients."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sluice.agreement.clauses.annexes import own_party
from sluice.agreement.in_force.store import find_version, list_agreements
from sluice.exchange.house import House
from sluice.rights.case import letter_store, store
from sluice.rights.case.clock import received_on
from sluice.rights.case.history import Step
from sluice.rights.case.letter_due import is_instead, parts_waiting
from sluice.rights.case.model import Action, Case, LetterKind, Protection, Right, State, SubCase, SubCaseId
from sluice.rights.case.steps import NOT_ASKED
from sluice.rights.copies import answer_store
from sluice.rights.copies.own_rows import is_let_in_again
from sluice.rights.erasure.exceptions import decision_of, review_on
from sluice.rights.erasure.planned import ground_of
from sluice.rights.erasure.scan_store import Scan, find_last_scans
from sluice.rights.letters.had import comes_with_package
from sluice.rights.letters.model import LetterFacts, PartFacts, Proof, Sender, SentOn
from sluice.rights.notices import holder_store, notice_store
from sluice.rights.notices.model import Side
from sluice.rights.notices.recipients import names_of
from sluice.rights.notices.to_recipient import named_purposes
from sluice.rights.person.envelope import Envelope
from sluice.rights.person.reach import scope_of_request
from sluice.rights.person.rectify import NOBODY, corrected_groups
from sluice.rights.person.sealed import find_sealed
from sluice.subject.scope import Use
from sluice.terms import ExchangeId, Principal

STOPPING = frozenset({Right.OBJECTION, Right.DIRECT_MARKETING, Right.CONSENT_WITHDRAWAL})
"""Rights that can be limited to some purposes or one channel."""


def gather(house: House, case: Case, kind: LetterKind, language: str, now: datetime) -> LetterFacts:
    """Return what a letter of this kind would say now about every part that waits for it."""
    steps = store.list_steps(house.conn, case.case_id)
    scans = find_last_scans(house.conn, case.case_id) if kind is LetterKind.COMPLETION else {}
    waiting = parts_waiting(case, kind, language)
    if kind is LetterKind.COMPLETION:  # the letter names who was told, so a part waits until all were
        told_of = {part.sub_case_id for part in case.sub_cases if notice_store.are_recipients_told(house.conn, part)}
        waiting = tuple(part for part in waiting if part in told_of)
    envelope = _named(house, case)
    told = _told(house, case, waiting) if kind is LetterKind.COMPLETION else None
    done = _done(house, case, envelope, now) if kind is LetterKind.COMPLETION else {}
    open_again = {name for name in map(Principal, scans) if is_let_in_again(house.conn, case.case_id, name)}
    parts = tuple(
        replace(
            _part(house, case, part, steps, scans.get(part.principal), done.get(part.sub_case_id)),
            comes_in_again=part.principal in open_again,
        )
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
    """Return the sender, named as in the settings or else as in our most recent agreement."""
    settings = house.settings
    name = settings.center_name or own_party(list_agreements(house.conn, now), settings.center, None).name
    return Sender(name, settings.center_contact)


def _handed(house: House, case: Case, parts: Sequence[PartFacts]) -> tuple[SentOn, ...]:
    """Return what was sent on to next controllers.

    What a principal received itself is not among it: that principal's own answer tells the person.
    """
    companies = {each.part.principal: each.company for each in parts}
    return tuple(
        SentOn(name, companies.get(principal, principal), received_on(at))
        for name, principal, at in answer_store.find_sent_on(house.conn, case.case_id)
    )


def _told(house: House, case: Case, about: Sequence[SubCaseId]) -> dict[str, bool] | None:
    """Return the other recipients of the data of these parts by name, and whether each is a guess.

    Of what was given to the person nobody is told, so these recipients are those that the answer names (Art.
    15(1)(c)); of the rest they are those who are told (Art. 19). None while the recipients of one of the parts have
    not been determined.
    """
    given = [part for part in case.sub_cases if part.sub_case_id in about and comes_with_package(part)]
    ready = answer_store.find_told(house.conn, case.case_id) if given else {}
    if any(part.sub_case_id not in ready for part in given):
        return None
    if any(notice_store.find_propagation(house.conn, part) is None for part in about):
        return None
    names = _noticed(house, case, about)
    for part in given:
        parts = [each for each in case.sub_cases if each.principal == part.principal]
        holders = holder_store.find_holders(house.conn, case.case_id, part.principal)
        company = letter_store.find_company(house.conn, part)
        for name, is_guess in names_of([part], parts, holders, house.settings.center, company).items():
            names[name] = names.get(name, True) and is_guess
    return names


def _noticed(house: House, case: Case, about: Sequence[SubCaseId]) -> dict[str, bool]:
    """Return the recipients that are told of what was done about these parts, and whether each is a guess."""
    names, guesses = dict[str, bool](), dict[str, frozenset[ExchangeId]]()
    for each in notice_store.list_notices(house.conn, case_id=case.case_id, withdrawn=False, limit=None):
        if each.sub_case_id in about and each.side is Side.RECIPIENT:
            if each.principal not in guesses:
                held = holder_store.find_holders(house.conn, case.case_id, each.principal)
                guesses[each.principal] = frozenset(holder.exchange_id for holder in held if holder.is_guess)
            names[each.name] = names.get(each.name, True) and guesses[each.principal].issuperset(each.exchanges)
    return names


def _named(house: House, case: Case) -> Envelope | None:
    """Return what the person said in a request that may be limited to some uses.

    None if the right cannot be limited, or the sealed request was removed.
    """
    sealed = find_sealed(house, case.subject_key) if case.right in STOPPING else None
    return sealed.envelope if sealed else None


def _reaches_nothing(house: House, part: SubCase, envelope: Envelope | None) -> bool:
    """Whether an objection stops no use under the agreement of a part: it does not reach every basis (Art. 21(1))."""
    paper = find_version(house.conn, part.agreement_id or "", part.agreement_version or "")
    if part.action is not Action.STOP or envelope is None or paper is None:
        return False
    scope = scope_of_request(envelope, Protection.OBJECTED)
    return not any(
        scope.stops(Use(each.iri, each.legal_basis, channel))
        for each in paper.purposes
        for channel in each.channels or (None,)
    )


def _done(house: House, case: Case, envelope: Envelope | None, now: datetime) -> dict[SubCaseId, frozenset[str]]:
    """Return by part the field groups that were corrected, or of which the package has something.

    No field group for a part where an objection reaches no use. A part that is missing was done as a whole.
    """
    given = answer_store.find_given(house.conn, case.case_id)
    found = {part.sub_case_id: given[part.sub_case_id] for part in case.sub_cases if part.sub_case_id in given}
    for part in case.sub_cases:
        if part.action is Action.RECTIFY and part.agreement_id is not None:
            found[part.sub_case_id] = frozenset(corrected_groups(house.conn, part, now))
        if case.right is Right.OBJECTION and _reaches_nothing(house, part, envelope):
            found[part.sub_case_id] = frozenset()
    return found


def _was_gone(part: SubCase, steps: Sequence[Step], scan: Scan | None, done: frozenset[str] | None) -> bool:
    """Whether there was nothing to act on: the person had been erased before, or nobody here ever knew them."""
    if part.agreement_id is None:
        return False
    if any(step.reason_code == NOBODY for step in steps):
        return True
    if part.has_hit:
        return False
    if part.action in (Action.GIVE, Action.EXPORT):
        return done is not None and not done
    return (
        scan is not None and scan.is_clean and not scan.done.kept and not any(line.objects for line in scan.done.stores)
    )


def _part(
    house: House,
    case: Case,
    part: SubCase,
    steps: Sequence[Step],
    scan: Scan | None,
    done: frozenset[str] | None,
) -> PartFacts:
    erased = scan if part.action is Action.ERASE else None
    mine = [step for step in steps if step.sub_case_id == part.sub_case_id]
    decided = decision_of(mine)
    extended = next((step for step in mine if step.to_state is State.EXTENDED), None)
    return PartFacts(
        part=part,
        company=letter_store.find_company(house.conn, part),
        reasons=dict(decided.reasons) if decided else {},
        remedies_ref=decided.remedies_ref if decided else None,
        delay=extended.reason_code if extended else None,
        was_gone=_was_gone(part, mine, erased, done),
        done=done,
        review_on=review_on(received_on(decided.at)) if decided and is_instead(case.right, part.action) else None,
        proof=_proof(erased) if erased and erased.is_clean else None,
        ground=ground_of(part, mine) if part.action is Action.ERASE else None,
    )


def _proof(scan: Scan) -> Proof:
    """Return the proof of a clean scan: whatever was first done to a copy, none names the person any more."""
    removed = sum(line.objects for line in scan.done.stores)
    reference = f"{scan.done.principal}.{scan.entry_hash[:16]}"
    return Proof(reference, removed, scan.done.objects_scanned, stays=bool(scan.done.kept))
