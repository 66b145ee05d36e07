"""Which letters a case owes its person, and about which of its parts. Pure."""

from collections.abc import Collection
from datetime import datetime

from sluice.rights.case.model import Action, Case, LetterKind, Right, State, SubCase, SubCaseId, Track

DONE: dict[Track, frozenset[State]] = {
    Track.CONTROLLER: frozenset({State.RECIPIENTS_NOTIFIED, State.ANSWERED, State.PROVEN, State.CLOSED}),
    Track.PROCESSOR: frozenset({State.EXECUTED, State.ANSWERED, State.CONFIRMED_TO_CONTROLLER, State.CLOSED}),
}
"""Where a part stands once it can be said what was done."""
FILE = "file"
"""Channel of a principal's own request file: the notice about that file is the receipt."""
GIVEN = frozenset({Action.GIVE, Action.EXPORT})
"""What is carried out with a package (the room of answers makes it)."""


def answers(part: SubCase) -> bool:
    """Whether the center answers the person about a part: it decides, or its agreement says so for this right."""
    return part.track is Track.CONTROLLER or part.may_answer


def goes_to_person(part: SubCase, action: Action | None) -> bool:
    """Whether data goes from us to the person when this is done, so that who asks has to be settled here first; what a
    controller answers itself goes to that controller."""
    return action in GIVEN and answers(part)


def is_told_by_file(case: Case, part: SubCase) -> bool:
    """Whether the answer to a principal's own file goes to it.

    What the center itself refuses it tells the person, and what it decides to give is in no file of a principal.
    """
    return case.channel == FILE and (part.track is Track.PROCESSOR or part.action not in GIVEN | {Action.REFUSE})


def is_instead(right: Right, action: Action | None) -> bool:
    """Whether data is kept and not used where something else was asked: a refusal to the person (Art. 12(4), 17(3))."""
    return action is Action.RESTRICT and right is not Right.RESTRICTION


def stays_of(right: Right, part: SubCase, action: Action, fields: Collection[str]) -> frozenset[str]:
    """Field groups that are not done as was asked when this is done to these of a part; none named means all of it.

    Nobody asked a principal to change what its rectification does not name. Kept and not used is not erased.
    """
    if action is Action.RECTIFY and part.track is Track.PROCESSOR:
        return frozenset()
    if is_instead(right, action):
        return frozenset(part.field_names)
    done = frozenset(fields) or frozenset(part.field_names)
    return done if action is Action.REFUSE else frozenset(part.field_groups) - done


def refused_groups(right: Right, part: SubCase) -> tuple[str, ...]:
    """Field groups of a part that were refused; empty while nothing is decided. Restricted instead is refused too.

    What a controller leaves out of its instruction is refused as well; it says so itself where we do not answer.
    """
    if is_instead(right, part.action):
        return part.field_names
    if part.action is Action.REFUSE:
        return part.action_fields or part.field_names
    if part.action is None or not answers(part) or not part.action_fields:
        return ()
    stays = stays_of(right, part, part.action, part.action_fields)
    return tuple(group for group in part.field_groups if group in stays)


def refusal_out_at(case: Case, part: SubCase) -> datetime | None:
    """When the letter with the reasons of what was refused of a part left the vault; None: it lies there, or there is
    none."""
    letter = case.find_letter(LetterKind.REFUSAL, part.sub_case_id)
    return letter.opened_at if letter else None


def is_refusal_out(case: Case, part: SubCase) -> bool:
    """Whether the person has the reasons of whatever was refused of a part (Art. 12(4)): written is not told."""
    return not refused_groups(case.right, part) or refusal_out_at(case, part) is not None


def parts_about(case: Case, kind: LetterKind) -> tuple[SubCase, ...]:
    """Every part of a case that such a letter has something to say about."""
    return tuple(part for part in case.sub_cases if _concerns(case.right, part, kind))


def parts_waiting(case: Case, kind: LetterKind, language: str) -> tuple[SubCaseId, ...]:
    """Those that no letter of this kind in this language is about yet."""
    return tuple(
        part.sub_case_id
        for part in parts_about(case, kind)
        if case.find_letter(kind, part.sub_case_id, language) is None
    )


def is_owed(case: Case, kind: LetterKind) -> bool:
    """Whether the person has such a letter to come by itself. A completion is written by whoever ends the part,
    a lifting by who means to end a restriction."""
    match kind:
        case LetterKind.RECEIPT:
            return case.state is State.RECEIVED and case.channel != FILE
        case LetterKind.EXTENSION | LetterKind.REFUSAL:
            return bool(parts_waiting(case, kind, case.language))
        case LetterKind.COMPLETION | LetterKind.LIFTING:
            return False


def _concerns(right: Right, part: SubCase, kind: LetterKind) -> bool:
    if part.state is State.WITHDRAWN_BY_SUBJECT or not answers(part):
        return False
    match kind:
        case LetterKind.RECEIPT:
            return False
        case LetterKind.EXTENSION:
            return part.extended_at is not None
        case LetterKind.REFUSAL:
            return bool(refused_groups(right, part))
        case LetterKind.COMPLETION:
            carried_out = part.action is not None and part.action is not Action.REFUSE
            return carried_out and part.state in DONE[part.track]
        case LetterKind.LIFTING:
            return part.action is Action.RESTRICT
