"""What happens to findings in notes where an agreement says nothing of their class."""

from collections.abc import Mapping

from sluice.terms import ScreenAction, ScreenClass

CAREFUL: Mapping[ScreenClass, ScreenAction] = {
    ScreenClass.PHONE: ScreenAction.ALLOW,
    ScreenClass.EMAIL: ScreenAction.ALLOW,
    ScreenClass.IBAN: ScreenAction.MASK,
    ScreenClass.CARD: ScreenAction.MASK,
    ScreenClass.NATIONAL_NUMBER: ScreenAction.MASK,
    ScreenClass.EMOTION: ScreenAction.MASK,
}
"""What happens where an agreement says nothing of a class; every other class is reviewed."""


def careful_actions(said: Mapping[ScreenClass, ScreenAction]) -> dict[ScreenClass, ScreenAction]:
    """An action for every class: the agreement's own word first."""
    return {word: said.get(word, CAREFUL.get(word, ScreenAction.REVIEW)) for word in ScreenClass}
