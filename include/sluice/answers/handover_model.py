"""An answer that goes to a controller: who gets it, that the person asked for it, what came of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from sluice.answers.model import AnswerKind
from sluice.errors import DocumentInvalid, Exit, SluiceError
from sluice.exchange.model import Opened
from sluice.rights.case.model import CaseId, SubCaseId
from sluice.terms import Principal


class ControllerInvalid(DocumentInvalid):
    code: ClassVar[str] = "SLU-593"
    summary: ClassVar[str] = "nothing can be sent to this next controller"
    cure: ClassVar[str] = (
        "its file in SLUICE_CONTROLLERS_DIR says who it is, where it receives and who verified that; "
        "see docs/how-to/answer-portability.md"
    )


class NotAsked(SluiceError):
    code: ClassVar[str] = "SLU-594"
    summary: ClassVar[str] = "no wish of the person to send their data to this controller is on record"
    cure: ClassVar[str] = "name the letter that says so: --asked REFERENCE"
    exit: ClassVar[Exit] = Exit.REFUSED


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who gets a package. ``country``: ISO 3166; ``place``: prefix of its key; ``fingerprint``: of its certificate."""

    code: str
    name: str
    country: str | None
    place: str
    certificate: bytes | None = field(default=None, repr=False)
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """The person asked to have their data sent to a controller; ``reference``: of their letter."""

    case_id: CaseId
    controller: str
    reference: str
    noted_by: str
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Handover:
    """One answer with one principal's data to one receiver; the same one is always the same exchange."""

    case_id: CaseId
    kind: AnswerKind
    principal: Principal
    receiver: Receiver

    @property
    def is_to_principal(self) -> bool:
        """Whether the principal itself gets it, because it decided and answers the person."""
        return self.receiver.code == self.principal


@dataclass(frozen=True, slots=True)
class Handed:
    """What came of a handover. ``sub_cases``: parts it answers; ``is_there``: its receiver can read it now."""

    opened: Opened
    case_id: CaseId
    kind: AnswerKind
    receiver: str
    name: str
    sub_cases: tuple[SubCaseId, ...]
    sha256: str | None
    delete_after: str | None
    is_there: bool
