"""A call that no agent took."""

from dataclasses import dataclass

from support.night import COLUMNS, Call


@dataclass(frozen=True)
class Attempt(Call):
    """A dialler's attempt: nothing in it shows a human."""

    agent: str = "[None]"
    disposition: str = "No answer"
    talk: str = "0:00:00"
    recording: str = ""
    wrap: str = "0:00:00"
    callback: str = ""

    def cells(self) -> tuple[str, ...]:
        told = dict(zip(COLUMNS, super().cells(), strict=True))
        return tuple({**told, "AFTER CALL WORK TIME": self.wrap, "callback_at": self.callback}.values())
