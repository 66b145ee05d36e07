"""Which letters a case owes its person, and which of its parts each letter is about. Pure."""

from collections.abc import Collection
from datetime import datetime

from sluice.rights.case.model import WITHOUT_LETTERS, Action, Case, LetterKind, Right, State, SubCase, SubCaseId, Track
from sluice.rights.case.states import TELLABLE

"""The channel of a principal's own request file. The notice about that file is its receipt."""
GIVEN = frozenset({Action.GIVE, Action.EXPORT})
"""Actions that are carried out by giving a package (the room of answers makes it)."""


def answers(part: SubCase) -> bool:
    """Whether the center answers the person about a part: it decides, or the agreement lets it for this right."""
    return part.track is Track.CONTROLLER or part.may_answer


def goes_to_person(part: SubCase, action: Action | None) -> bool:
    """Whether this action gives data to the person, so that their identity has to be settled here first.

    It does not where a controller answers the person itself: then the data goes to that controller.
    """
    return action in GIVEN and answers(part)


def is_told_by_file(case: Case, part: SubCase) -> bool:
    """Whether the answer about a part goes to the principal: its own file, or a consent record, made the request.

    It does not where the center itself refuses, which it tells the person, or decides to give, because no file of a
    principal contains that.
    """
    is_theirs = part.track is Track.PROCESSOR or part.action not in GIVEN | {Action.REFUSE}
    return case.channel in WITHOUT_LETTERS and is_theirs


def is_instead(right: Right, action: Action | None) -> bool:
    """Whether data is kept and not used although something else was asked.

    To the person that is a refusal (Art. 12(4), 17(3)).
    """
    return action is Action.RESTRICT and right is not Right.RESTRICTION


def stays_of(right: Right, part: SubCase, action: Action, fields: Collection[str]) -> frozenset[str]:
    """Field groups of a part that are not done as was asked, if ``action`` is done to ``fields`` (empty: all of them).

    There are none for a rectification by a principal, because nobody asked it to change what it does not name. They
    are all if the data is restricted instead, because data that is kept and not used is not erased.
    """
    if action is Action.RECTIFY and part.track is Track.PROCESSOR:
        return frozenset()
    if is_instead(right, action):
        return frozenset(part.field_names)
    done = frozenset(fields) or frozenset(part.field_names)
    return done if action is Action.REFUSE else frozenset(part.field_groups) - done


def is_refused_whole(right: Right, part: SubCase) -> bool:
    """Whether nothing of a part is done as it was asked."""
    return part.action is Action.REFUSE or is_instead(right, part.action)


def waits_for_identity(case: Case, part: SubCase) -> bool:
    """Whether the reasons of what was refused in a part are told only once the identity of the person is settled.

    Until then a letter names no data, so that it can only say that all of the request is refused: if that is so, it
    need not wait.
    """
    if case.is_scoped or not answers(part) or all(is_refused_whole(case.right, each) for each in case.sub_cases):
        return False
    return bool(refused_groups(case.right, part))


def refused_groups(right: Right, part: SubCase) -> tuple[str, ...]:
    """Field groups of a part that were refused; empty while nothing is decided.

    Data that was restricted instead counts as refused. So does what a controller leaves out of its instruction, but
    only where we answer the person: otherwise the controller tells them itself.
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
    """When the letter with the reasons of what was refused in a part left the vault.

    None if it is still there, or if there is no such letter.
    """
    letter = case.find_letter(LetterKind.REFUSAL, part.sub_case_id)
    return letter.opened_at if letter else None


def is_refusal_out(case: Case, part: SubCase) -> bool:
    """Whether the person was given the reasons of everything refused in a part (Art. 12(4)).

    A letter that was written but is still in the vault does not count.
    """
    return not refused_groups(case.right, part) or refusal_out_at(case, part) is not None


def parts_about(case: Case, kind: LetterKind) -> tuple[SubCase, ...]:
    """Every part of a case that a letter of this kind has something to say about."""
    return tuple(part for part in case.sub_cases if _concerns(case, part, kind))


def parts_waiting(case: Case, kind: LetterKind, language: str) -> tuple[SubCaseId, ...]:
    """Those of these parts about which there is no letter of this kind in this language yet."""
    return tuple(
        part.sub_case_id
        for part in parts_about(case, kind)
        if case.find_letter(kind, part.sub_case_id, language) is None
    )


def is_owed(case: Case, kind: LetterKind) -> bool:
    """Whether a letter of this kind has to be written now without anybody asking for it.

    Never for a completion, which is written by whoever ends the part, nor for a lifting, which is written by
    whoever means to end a restriction.
    """
    match kind:
        case LetterKind.RECEIPT:
            return case.state is State.RECEIVED and case.channel not in WITHOUT_LETTERS
        case LetterKind.EXTENSION | LetterKind.REFUSAL:
            return bool(parts_waiting(case, kind, case.language))
        case LetterKind.COMPLETION | LetterKind.LIFTING:
            return False


def _concerns(case: Case, part: SubCase, kind: LetterKind) -> bool:
    if part.state is State.WITHDRAWN_BY_SUBJECT or not answers(part):
        return False
    match kind:
        case LetterKind.RECEIPT:
            return False
        case LetterKind.EXTENSION:
            return part.extended_at is not None
        case LetterKind.REFUSAL:
            return bool(refused_groups(case.right, part)) and not waits_for_identity(case, part)
        case LetterKind.COMPLETION:
            carried_out = part.action is not None and part.action is not Action.REFUSE
            return carried_out and part.state in TELLABLE[part.track]
        case LetterKind.LIFTING:
            return part.action is Action.RESTRICT
