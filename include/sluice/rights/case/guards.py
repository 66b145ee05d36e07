"""Guards: named conditions a step of a case must meet. Pure: everything they look at is in the attempt.

A guard that looks at something absent says no. The base guards hold for every step of the table.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sluice.errors import Ref, UsageError
from sluice.ledger.names import is_name
from sluice.ledger.reason import REASON
from sluice.rights.case.clock import extension_latest, received_on
from sluice.rights.case.letter_due import goes_to_person, is_instead, is_refusal_out, stays_of
from sluice.rights.case.model import ACTIONS, Action, Case, LetterKind, Order, Right, Role, State, SubCase, Track
from sluice.rights.case.reasons import ABUSE, DELAYS, DOUBTS, IDENTITY, REFUSALS, REMEDIES

SHA256 = re.compile(r"[0-9a-f]{64}")
_ONCE = re.compile(r"[A-Za-z0-9].{0,99}")
LANGUAGES = ("nl", "fr", "en")
WITHOUT_IDENTITY = frozenset({Right.DIRECT_MARKETING, Right.CONSENT_WITHDRAWAL})
"""Rights that are given without asking who the person is: saying no to a call needs no passport."""
NOT_NEEDED = "IDENTITY_NOT_NEEDED"
"""The reason of an identity check that the machine ended because every part was refused: nothing needed it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A step somebody wants to take: the case as it stands, its part if it is about one, and the order."""

    case: Case
    order: Order
    part: SubCase | None = None


Guard = Callable[[Attempt], bool]


def names_somebody(text: str) -> bool:
    """Whether a text can stand for who did something: a name as doors take it, or as they took it once.

    What is finished later is told under the name it was begun with.
    """
    return is_name(text) or (_ONCE.fullmatch(text) is not None and text.isprintable())


def check_language(language: str) -> str:
    """Return one of the languages in which persons are written to. Raises UsageError for any other word."""
    if language not in LANGUAGES:
        raise UsageError(Ref("language", "nl, fr or en"))
    return language


def names_an_actor(attempt: Attempt) -> bool:
    """Every step is somebody's."""
    return names_somebody(attempt.order.actor.name)


def has_a_moment(attempt: Attempt) -> bool:
    """The moment has a zone."""
    return attempt.order.at.utcoffset() is not None


def has_a_reason_code(attempt: Attempt) -> bool:
    """The reason is a code or an IRI, so that no sentence about a person gets into the ledger."""
    return REASON.fullmatch(attempt.order.reason_code) is not None


def has_evidence(attempt: Attempt) -> bool:
    """The evidence is named by its SHA-256."""
    return SHA256.fullmatch(attempt.order.evidence_sha256) is not None


BASE: tuple[Guard, ...] = (names_an_actor, has_a_moment, has_a_reason_code, has_evidence)


def is_protected(attempt: Attempt) -> bool:
    """Immediate protection was applied before the case becomes visible, identity known or not."""
    return attempt.order.is_protected


def has_sub_cases(attempt: Attempt) -> bool:
    """Every controller concerned has its part; where nobody knows the person, the center still answers."""
    return bool(attempt.case.sub_cases)


def every_sub_case_is_over(attempt: Attempt) -> bool:
    """The case closes when every part is closed."""
    parts = attempt.case.sub_cases
    return bool(parts) and all(part.state.is_over for part in parts)


def doubt_has_a_reason(attempt: Attempt) -> bool:
    """Reasonable doubt (Art. 12(6)) if the person is asked; else that there is none, that a controller vouches, or that
    all was refused."""
    code = attempt.order.reason_code
    if code == NOT_NEEDED:
        return is_all_refused(attempt.case)
    return code in DOUBTS | {"VOUCHED_BY_CONTROLLER", "NO_REASONABLE_DOUBT"}


def is_refused(part: SubCase) -> bool:
    """Whether nothing was or will be done of a part."""
    return part.action is Action.REFUSE


def is_all_refused(case: Case) -> bool:
    """Whether every part of a case was refused, so that nothing is given, changed or removed for anybody."""
    return bool(case.sub_cases) and all(map(is_refused, case.sub_cases))


def machine_needs_no_identity(attempt: Attempt) -> bool:
    """The machine settles it only of a right that is given without asking who the person is, and where every part was
    refused."""
    if attempt.order.actor.role is not Role.SYSTEM or attempt.case.right in WITHOUT_IDENTITY:
        return True
    return attempt.order.reason_code == NOT_NEEDED and is_all_refused(attempt.case)


def machine_follows_a_refusal(attempt: Attempt) -> bool:
    """The machine lets a check of identity fail only where every part was refused, one of them because it failed."""
    if attempt.order.actor.role is not Role.SYSTEM:
        return True
    return is_all_refused(attempt.case) and not IDENTITY.isdisjoint(attempt.order.refused_for)


def identity_failed(attempt: Attempt) -> bool:
    """The reason is that of a failed identity check."""
    return attempt.order.reason_code in IDENTITY


def center_is_processor(attempt: Attempt) -> bool:
    """Somebody else decides of this part."""
    return attempt.part is not None and attempt.part.track is Track.PROCESSOR


def center_is_controller(attempt: Attempt) -> bool:
    """The center itself decides of this part, alone or jointly."""
    return attempt.part is not None and attempt.part.track is Track.CONTROLLER


def case_is_scoped(attempt: Attempt) -> bool:
    """The identity check is over, one way or the other."""
    return attempt.case.state is State.SCOPED


def identity_is_settled(attempt: Attempt) -> bool:
    """Nothing of a person is given, changed or removed for somebody who could not prove to be them."""
    return attempt.case.right in WITHOUT_IDENTITY or not attempt.case.has_failed_identity


def decided_by_a_person(attempt: Attempt) -> bool:
    """The machine decides nothing but an objection to direct marketing, which has one answer."""
    automatic = attempt.case.right is Right.DIRECT_MARKETING
    return automatic or attempt.order.actor.role is not Role.SYSTEM


def action_fits_the_right(attempt: Attempt) -> bool:
    """What is to be done belongs to the right, and it is no refusal."""
    action = attempt.order.action
    return action is not None and action is not Action.REFUSE and action in ACTIONS[attempt.case.right]


def does_what_was_asked(attempt: Attempt) -> bool:
    """What is accepted is what was asked: data kept and not used instead is a refusal, with reasons (Art. 12(4))."""
    return not is_instead(attempt.case.right, attempt.order.action)


def can_be_refused(attempt: Attempt) -> bool:
    """Objection to direct marketing and withdrawal of consent have no refusal path (Art. 21(3), 7(3))."""
    return bool(REFUSALS[attempt.case.right])


def gives_a_reason_per_field(attempt: Attempt) -> bool:
    """Each refused field group of the part has an IRI admitted for this right (Art. 12(4))."""
    return attempt.part is not None and _reasons_hold(attempt, attempt.order.reasons, attempt.part)


def refuses_every_field(attempt: Attempt) -> bool:
    """REFUSED means all of the part; less is PARTIAL."""
    return attempt.part is not None and set(attempt.order.reasons) == set(attempt.part.field_names)


def refuses_not_every_field(attempt: Attempt) -> bool:
    """PARTIAL leaves something that is done; where all is kept and not used instead, each group has its reason."""
    if attempt.part is not None and is_instead(attempt.case.right, attempt.order.action):
        return refuses_every_field(attempt)
    return attempt.part is not None and set(attempt.order.reasons) < set(attempt.part.field_names)


def names_remedies(attempt: Attempt) -> bool:
    """Complaint and court of the controller's country, in the language of the person (Art. 12(4))."""
    remedies, case = attempt.order.remedies, attempt.case
    if remedies is None or case.language not in LANGUAGES:
        return False
    return remedies.language == case.language and remedies.text_ref == REMEDIES.get(case.country)


def abuse_is_proven(attempt: Attempt) -> bool:
    """A request is refused as unfounded or excessive on proof only, the first one too (C-526/24)."""
    blames = ABUSE & {*attempt.order.reasons.values(), attempt.order.reason_code}
    return not blames or attempt.order.has_proof_of_abuse


def extended_never_before(attempt: Attempt) -> bool:
    """Once, and counted from receipt."""
    return attempt.part is not None and attempt.part.extended_at is None


def before_the_month_is_over(attempt: Attempt) -> bool:
    """The notice of an extension leaves before the month-1 legal due date."""
    return received_on(attempt.order.at) <= extension_latest(attempt.case.due)


def refusal_is_in_time(attempt: Attempt) -> bool:
    """A refusal leaves before the month-1 legal due date too (Art. 12(4)); later, only once the miss is on record."""
    return attempt.case.is_breached or before_the_month_is_over(attempt)


def refusal_of_all_is_in_time(attempt: Attempt) -> bool:
    """Keeping all of it unused instead refuses all of it, so it leaves when a refusal has to (Art. 12(4))."""
    return does_what_was_asked(attempt) or refusal_is_in_time(attempt)


def delay_has_a_reason(attempt: Attempt) -> bool:
    """Complexity or number of requests (Art. 12(3)), and no other reason."""
    return attempt.order.reason_code in DELAYS


def reminder_is_due(attempt: Attempt) -> bool:
    """A controller is not reminded twice within a day."""
    told = attempt.part.told_at if attempt.part else None
    return told is not None and attempt.order.at - told >= timedelta(days=1)


def instruction_names_the_case(attempt: Attempt) -> bool:
    """The instruction names this very part."""
    instruction, part = attempt.order.instruction, attempt.part
    return instruction is not None and part is not None and instruction.sub_case_id == part.sub_case_id


def instruction_is_authentic(attempt: Attempt) -> bool:
    """Its signature holds, or it lay under the principal's own prefix where no key was registered."""
    return attempt.order.instruction is not None and attempt.order.instruction.is_authentic


def instruction_is_for_own_data(attempt: Attempt) -> bool:
    """A principal instructs on its own part, never on another's."""
    instruction, part = attempt.order.instruction, attempt.part
    return (
        instruction is not None
        and part is not None
        and instruction.principal == part.principal == attempt.order.actor.name
    )


def instruction_is_new(attempt: Attempt) -> bool:
    """It was not seen before, in any file."""
    return attempt.order.instruction is not None and not attempt.order.instruction.is_replayed


def instruction_fits_the_right(attempt: Attempt) -> bool:
    """What is to be done belongs to the right; a refusal only where there is one."""
    instruction = attempt.order.instruction
    return instruction is not None and instruction.action in ACTIONS[attempt.case.right]


def instruction_names_its_fields(attempt: Attempt) -> bool:
    """Only field groups of this part; none named means all."""
    instruction, part = attempt.order.instruction, attempt.part
    return instruction is not None and part is not None and set(instruction.fields) <= set(part.field_groups)


def instructed_refusal_has_reasons(attempt: Attempt) -> bool:
    """A refusal is of the whole part; each field group that is refused, restricted instead, or left out where we
    answer, has its IRI."""
    instruction, part = attempt.order.instruction, attempt.part
    if instruction is None or part is None:
        return False
    right = attempt.case.right
    stays = stays_of(right, part, instruction.action, instruction.fields)
    if instruction.action is Action.REFUSE and stays != set(part.field_names):
        return False
    if not instruction.reasons:
        is_refusal = instruction.action is Action.REFUSE or is_instead(right, instruction.action)
        return not stays or (not is_refusal and not part.may_answer)
    return set(instruction.reasons) == stays and _reasons_hold(attempt, instruction.reasons, part)


def agreement_lets_us_answer(attempt: Attempt) -> bool:
    """A processor answers the person only where the agreement says so for this right."""
    return attempt.part is not None and attempt.part.may_answer


def nothing_is_left(attempt: Attempt) -> bool:
    """A second scan ran and found nothing, where something had to go."""
    removed = attempt.case.right is Right.ERASURE and attempt.part is not None and attempt.part.action is Action.ERASE
    return not removed or attempt.order.residue == 0


def every_recipient_was_told(attempt: Attempt) -> bool:
    """It was found out who has a copy of what was decided, and none of them is left to be told (Art. 19)."""
    return attempt.order.untold == 0


def refusal_was_told(attempt: Attempt) -> bool:
    """Whatever of the part was refused stands in a letter that left for the person; where all was, it is the proof."""
    part = attempt.part
    if part is None or not is_refusal_out(attempt.case, part):
        return False
    if part.action is not Action.REFUSE:
        return True
    letter = attempt.case.find_letter(LetterKind.REFUSAL, part.sub_case_id)
    return letter is not None and attempt.order.evidence_sha256 == letter.sha256


def extension_was_told(attempt: Attempt) -> bool:
    """The extension was told by letter before the month was over; later, only once the miss is on record."""
    part, case = attempt.part, attempt.case
    if part is None or case.find_letter(LetterKind.EXTENSION, part.sub_case_id) is None:
        return False
    return case.is_breached or case.was_told_in_time(part.sub_case_id)


def what_stays_has_reasons(attempt: Attempt) -> bool:
    """Where nothing could be given after all, each field group of the part has its IRI, and remedies are named; the
    machine finds that of portability only."""
    if not attempt.order.reasons:
        return True
    if attempt.order.actor.role is Role.SYSTEM and not was_to_be_taken_along(attempt):
        return False
    return refuses_every_field(attempt) and gives_a_reason_per_field(attempt) and names_remedies(attempt)


def was_to_be_taken_along(attempt: Attempt) -> bool:
    """The person was to take it along: where an erasure left nothing to give, what was carried out ends as refused."""
    return attempt.part is not None and attempt.part.action is Action.EXPORT


def was_to_be_given_to_the_person(attempt: Attempt) -> bool:
    """Its controller told us to give it to the person: that needs to know who they are, and the controller decides
    again."""
    part = attempt.part
    return part is not None and attempt.case.has_failed_identity and goes_to_person(part, part.action)


def subject_asked(attempt: Attempt) -> bool:
    """The person's own word, written down by the desk or given by themselves."""
    return attempt.order.actor.role in (Role.SUBJECT, Role.DESK)


def deadline_has_passed(attempt: Attempt) -> bool:
    """The day after the last day to answer has begun in Brussels, on the strict clock."""
    return received_on(attempt.order.at) > attempt.case.last_day


def _reasons_hold(attempt: Attempt, reasons: Mapping[str, str], part: SubCase) -> bool:
    known, admitted = set(part.field_names), REFUSALS[attempt.case.right]
    return bool(reasons) and set(reasons) <= known and set(reasons.values()) <= admitted
