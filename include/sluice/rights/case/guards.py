"""Guards: named conditions that a step of a case must meet. They are pure: all they look at is in the attempt.

A guard returns False if what it looks at is absent. Every step must pass the base guards, and those that the table of
transitions gives it. Each docstring says when a guard lets a step pass.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sluice.errors import Ref, UsageError
from sluice.ledger.names import is_name
from sluice.ledger.reason import REASON
from sluice.rights.case.clock import extension_latest, received_on
from sluice.rights.case.letter_due import answers, goes_to_person, is_instead, is_refusal_out, stays_of
from sluice.rights.case.model import ACTIONS, Action, Case, LetterKind, Order, Right, Role, State, SubCase, Track
from sluice.rights.case.reasons import ABUSE, DELAYS, DOUBTS, IDENTITY, REFUSALS, REMEDIES

SHA256 = re.compile(r"[0-9a-f]{64}")
LANGUAGES = ("nl", "fr", "en")
WITHOUT_IDENTITY = frozenset({Right.DIRECT_MARKETING, Right.CONSENT_WITHDRAWAL})
"""Rights that are granted without an identity check: nobody has to prove who they are to refuse a call."""
NOT_NEEDED = "IDENTITY_NOT_NEEDED"
"""Reason code when the system ends an identity check because every part was refused, so that nothing needs it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A step that somebody wants to take: the case as it is now, the part if the step is about one, and the order."""

    case: Case
    order: Order
    part: SubCase | None = None


Guard = Callable[[Attempt], bool]


def check_language(language: str) -> str:
    """Return one of the languages in which persons are written to. Raises UsageError for any other word."""
    if language not in LANGUAGES:
        raise UsageError(Ref("language", "nl, fr or en"))
    return language


def names_an_actor(attempt: Attempt) -> bool:
    """The order names who takes the step."""
    return is_name(attempt.order.actor.name)


def has_a_moment(attempt: Attempt) -> bool:
    """The moment of the order has a time zone."""
    return attempt.order.at.utcoffset() is not None


def has_a_reason_code(attempt: Attempt) -> bool:
    """The reason is a code or an IRI; free text about a person would get into the ledger."""
    return REASON.fullmatch(attempt.order.reason_code) is not None


def has_evidence(attempt: Attempt) -> bool:
    """The order gives the SHA-256 of the evidence."""
    return SHA256.fullmatch(attempt.order.evidence_sha256) is not None


BASE: tuple[Guard, ...] = (names_an_actor, has_a_moment, has_a_reason_code, has_evidence)


def is_protected(attempt: Attempt) -> bool:
    """The person was kept out before the case becomes visible, whether or not the identity is known."""
    return attempt.order.is_protected


def has_sub_cases(attempt: Attempt) -> bool:
    """The case has at least one part; if no controller knows the person, the center has one to answer."""
    return bool(attempt.case.sub_cases)


def every_sub_case_is_over(attempt: Attempt) -> bool:
    """The case has parts, and every one of them is over."""
    parts = attempt.case.sub_cases
    return bool(parts) and all(part.state.is_over for part in parts)


def doubt_has_a_reason(attempt: Attempt) -> bool:
    """The reason is a reasonable doubt (Art. 12(6)), that there is none, that a controller vouches for the person, or
    that every part was refused; the last only if that is so."""
    code = attempt.order.reason_code
    if code == NOT_NEEDED:
        return is_all_refused(attempt.case)
    return code in DOUBTS | {"VOUCHED_BY_CONTROLLER", "NO_REASONABLE_DOUBT"}


def is_refused(part: SubCase) -> bool:
    """Whether a part was refused, so that nothing is done for it."""
    return part.action is Action.REFUSE


def is_all_refused(case: Case) -> bool:
    """Whether every part of a case was refused, so that no data is given, changed or removed."""
    return bool(case.sub_cases) and all(map(is_refused, case.sub_cases))


def machine_needs_no_identity(attempt: Attempt) -> bool:
    """The system may settle identity only for rights that need none, or when every part was refused."""
    if attempt.order.actor.role is not Role.SYSTEM or attempt.case.right in WITHOUT_IDENTITY:
        return True
    return attempt.order.reason_code == NOT_NEEDED and is_all_refused(attempt.case)


def machine_follows_a_refusal(attempt: Attempt) -> bool:
    """The system may let an identity check fail only when every part was refused, at least one because it failed."""
    if attempt.order.actor.role is not Role.SYSTEM:
        return True
    return is_all_refused(attempt.case) and not IDENTITY.isdisjoint(attempt.order.refused_for)


def identity_failed(attempt: Attempt) -> bool:
    """The reason is one of a failed identity check."""
    return attempt.order.reason_code in IDENTITY


def center_is_processor(attempt: Attempt) -> bool:
    """The center is only processor of this part, so its principal decides."""
    return attempt.part is not None and attempt.part.track is Track.PROCESSOR


def center_is_controller(attempt: Attempt) -> bool:
    """The center is controller of this part, alone or jointly, so it decides itself."""
    return attempt.part is not None and attempt.part.track is Track.CONTROLLER


def case_is_scoped(attempt: Attempt) -> bool:
    """The identity check has ended, whether it was passed or failed."""
    return attempt.case.state is State.SCOPED


def identity_is_settled(attempt: Attempt) -> bool:
    """The identity check did not fail, or the right needs none; otherwise data may not be given, changed or removed."""
    return attempt.case.right in WITHOUT_IDENTITY or not attempt.case.has_failed_identity


def decided_by_a_person(attempt: Attempt) -> bool:
    """A person takes the decision. The system may decide only direct-marketing objections: they have one answer."""
    automatic = attempt.case.right is Right.DIRECT_MARKETING
    return automatic or attempt.order.actor.role is not Role.SYSTEM


def action_fits_the_right(attempt: Attempt) -> bool:
    """The action is one that the right allows, and not a refusal."""
    action = attempt.order.action
    return action is not None and action is not Action.REFUSE and action in ACTIONS[attempt.case.right]


def does_what_was_asked(attempt: Attempt) -> bool:
    """The action is what the person asked for: to restrict data instead is a refusal, with reasons (Art. 12(4))."""
    return not is_instead(attempt.case.right, attempt.order.action)


def can_be_refused(attempt: Attempt) -> bool:
    """The right can be refused; objection to direct marketing and withdrawal of consent cannot (Art. 21(3), 7(3))."""
    return bool(REFUSALS[attempt.case.right])


def gives_a_reason_per_field(attempt: Attempt) -> bool:
    """The order refuses field groups of the part, each with a reason IRI admitted for the right (Art. 12(4))."""
    return attempt.part is not None and _reasons_hold(attempt, attempt.order.reasons, attempt.part)


def refuses_every_field(attempt: Attempt) -> bool:
    """The order refuses every field group of the part (REFUSED); fewer would be PARTIAL."""
    return attempt.part is not None and set(attempt.order.reasons) == set(attempt.part.field_names)


def refuses_not_every_field(attempt: Attempt) -> bool:
    """The order leaves a field group that is not refused (PARTIAL). If the data is restricted instead of what was
    asked, every group must be refused with a reason."""
    if attempt.part is not None and is_instead(attempt.case.right, attempt.order.action):
        return refuses_every_field(attempt)
    return attempt.part is not None and set(attempt.order.reasons) < set(attempt.part.field_names)


def names_remedies(attempt: Attempt) -> bool:
    """The order names the controller's country's text on complaint and court, in the person's language (Art. 12(4))."""
    remedies, case = attempt.order.remedies, attempt.case
    if remedies is None or case.language not in LANGUAGES:
        return False
    return remedies.language == case.language and remedies.text_ref == REMEDIES.get(case.country)


def abuse_is_proven(attempt: Attempt) -> bool:
    """A request is refused as unfounded or excessive only with proof; a first request can be so too (C-526/24)."""
    blames = ABUSE & {*attempt.order.reasons.values(), attempt.order.reason_code}
    return not blames or attempt.order.has_proof_of_abuse


def extended_never_before(attempt: Attempt) -> bool:
    """The part was not extended before."""
    return attempt.part is not None and attempt.part.extended_at is None


def before_the_month_is_over(attempt: Attempt) -> bool:
    """The step is taken before the legal due date of month 1."""
    return received_on(attempt.order.at) <= extension_latest(attempt.case.due)


def refusal_is_in_time(attempt: Attempt) -> bool:
    """A refusal too is made before the month is over (Art. 12(4)); later only with a breach of this part on record."""
    return before_the_month_is_over(attempt) or has_missed_its_day(attempt)


def has_missed_its_day(attempt: Attempt) -> bool:
    """The last day of this very part has passed and the breach is recorded; another part's breach opens nothing."""
    part, case = attempt.part, attempt.case
    return part is not None and case.is_breached and received_on(attempt.order.at) > case.last_day_of(part)


def refusal_of_all_is_in_time(attempt: Attempt) -> bool:
    """To restrict all data instead of what was asked refuses all, so it must be in time as a refusal (Art. 12(4))."""
    return does_what_was_asked(attempt) or refusal_is_in_time(attempt)


def delay_has_a_reason(attempt: Attempt) -> bool:
    """The reason of an extension is complexity or the number of requests (Art. 12(3))."""
    return attempt.order.reason_code in DELAYS


def reminder_is_due(attempt: Attempt) -> bool:
    """The controller was told, and last told or reminded at least 24 hours ago."""
    told = attempt.part.told_at if attempt.part else None
    return told is not None and attempt.order.at - told >= timedelta(days=1)


def instruction_names_the_case(attempt: Attempt) -> bool:
    """The instruction names this part by its id."""
    instruction, part = attempt.order.instruction, attempt.part
    return instruction is not None and part is not None and instruction.sub_case_id == part.sub_case_id


def instruction_is_authentic(attempt: Attempt) -> bool:
    """The instruction has a valid signature, or no key is registered and it was put under the principal's prefix."""
    return attempt.order.instruction is not None and attempt.order.instruction.is_authentic


def instruction_is_for_own_data(attempt: Attempt) -> bool:
    """The instruction comes from the principal whose part it is."""
    instruction, part = attempt.order.instruction, attempt.part
    return (
        instruction is not None
        and part is not None
        and instruction.principal == part.principal == attempt.order.actor.name
    )


def instruction_is_new(attempt: Attempt) -> bool:
    """The instruction was not seen before, in any file."""
    return attempt.order.instruction is not None and not attempt.order.instruction.is_replayed


def instruction_fits_the_right(attempt: Attempt) -> bool:
    """The instructed action is one that the right allows; a refusal only if the right can be refused."""
    instruction = attempt.order.instruction
    return instruction is not None and instruction.action in ACTIONS[attempt.case.right]


def instruction_names_its_fields(attempt: Attempt) -> bool:
    """The instruction names only field groups of this part; if it names none, it means all."""
    instruction, part = attempt.order.instruction, attempt.part
    return instruction is not None and part is not None and set(instruction.fields) <= set(part.field_groups)


def instructed_refusal_has_reasons(attempt: Attempt) -> bool:
    """A refusal covers the whole part. Each field group that is refused, is restricted instead, or is left out of an
    answer that we give, has an admitted reason IRI. Where we tell the person, there is a text on complaint and court in
    the country and language of the case (Art. 12(4))."""
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
    if answers(part) and not (attempt.case.country in REMEDIES and attempt.case.language in LANGUAGES):
        return False
    return set(instruction.reasons) == stays and _reasons_hold(attempt, instruction.reasons, part)


def agreement_lets_us_answer(attempt: Attempt) -> bool:
    """The agreement lets the center, as processor, answer the person for this right."""
    return attempt.part is not None and attempt.part.may_answer


def nothing_is_left(attempt: Attempt) -> bool:
    """If data of this part was to be erased, a second scan ran and found nothing left."""
    removed = attempt.case.right is Right.ERASURE and attempt.part is not None and attempt.part.action is Action.ERASE
    return not removed or attempt.order.residue == 0


def every_recipient_was_told(attempt: Attempt) -> bool:
    """It is known who has a copy of the data decided on, and every one of them was told (Art. 19)."""
    return attempt.order.untold == 0


def refusal_was_told(attempt: Attempt) -> bool:
    """Whatever was refused of the part is in a letter that was sent to the person. If the whole part was refused, the
    evidence of the step is that letter."""
    part = attempt.part
    if part is None or not is_refusal_out(attempt.case, part):
        return False
    if part.action is not Action.REFUSE:
        return True
    letter = attempt.case.find_letter(LetterKind.REFUSAL, part.sub_case_id)
    return letter is not None and attempt.order.evidence_sha256 == letter.sha256


def extension_was_told(attempt: Attempt) -> bool:
    """A letter told of the extension before the month was over; later only with a breach of this part on record."""
    part, case = attempt.part, attempt.case
    if part is None or case.find_letter(LetterKind.EXTENSION, part.sub_case_id) is None:
        return False
    return case.was_told_in_time(part.sub_case_id) or has_missed_its_day(attempt)


def what_stays_has_reasons(attempt: Attempt) -> bool:
    """If nothing could be given, each field group needs a reason and remedies; the system may do this for portability
    only."""
    if not attempt.order.reasons:
        return True
    if attempt.order.actor.role is Role.SYSTEM and not was_to_be_taken_along(attempt):
        return False
    return refuses_every_field(attempt) and gives_a_reason_per_field(attempt) and names_remedies(attempt)


def was_to_be_taken_along(attempt: Attempt) -> bool:
    """The part's action is EXPORT."""
    return attempt.part is not None and attempt.part.action is Action.EXPORT


def was_to_be_given_to_the_person(attempt: Attempt) -> bool:
    """The identity check failed, and the part's data was to be given to the person, so its controller decides again."""
    part = attempt.part
    return part is not None and attempt.case.has_failed_identity and goes_to_person(part, part.action)


def subject_asked(attempt: Attempt) -> bool:
    """The person asks for the step, directly or through the desk."""
    return attempt.order.actor.role in (Role.SUBJECT, Role.DESK)


def deadline_has_passed(attempt: Attempt) -> bool:
    """In Brussels, the last day to answer is over by the strict clock."""
    return received_on(attempt.order.at) > attempt.case.last_day


def _reasons_hold(attempt: Attempt, reasons: Mapping[str, str], part: SubCase) -> bool:
    known, admitted = set(part.field_names), REFUSALS[attempt.case.right]
    return bool(reasons) and set(reasons) <= known and set(reasons.values()) <= admitted
