"""What happens to findings in notes if an agreement does not say it for their class."""

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
"""Actions for classes that an agreement does not mention; any class that is not listed here is reviewed."""


def careful_actions(said: Mapping[ScreenClass, ScreenAction]) -> dict[ScreenClass, ScreenAction]:
    """An action for every class: the agreement's own if it names one, else the default."""
    return {word: said.get(word, CAREFUL.get(word, ScreenAction.REVIEW)) for word in ScreenClass}
