"""The paper that a file is judged by: the agreement and the contract in force, or why there is none."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sluice.agreement.model import Agreement, DataContract, Problem
from sluice.terms import Direction, Flow, Principal, Sha256


@dataclass(frozen=True, slots=True)
class FlowPaper:
    """What the DAG factory needs to know about one contract, read without checking it.

    ``broken`` lists problems of papers that cannot be read. If the contract is one of them, the flow is taken from its
    file name, so that arriving files are refused with a reason instead of lying unseen.
    """

    principal: Principal
    direction: Direction
    flow: Flow
    contract_path: str
    broken: tuple[Problem, ...] = ()


class PaperReason(StrEnum):
    """Why there is no paper to judge a file by; each refuses the file before its data is kept."""

    NO_AGREEMENT = "NO_AGREEMENT"
    AGREEMENT_EXPIRED = "AGREEMENT_EXPIRED"
    AGREEMENT_NOT_YET = "AGREEMENT_NOT_YET"
    NO_CONTRACT = "NO_CONTRACT"
    CONTRACT_NOT_YET = "CONTRACT_NOT_YET"
    """There is only a contract of later days. A dry run cannot tell whether the center has one until then."""
    CONTRACT_GAP = "CONTRACT_GAP"
    CONTRACT_RETIRED = "CONTRACT_RETIRED"


@dataclass(frozen=True, slots=True)
class Paper:
    """The agreement and the contract in force, exactly as registered."""

    agreement: Agreement
    contract: DataContract


@dataclass(frozen=True, slots=True)
class PaperMissing:
    """There is no paper: why, and which agreement or contract was found nevertheless.

    ``begins``: the first day of the contract that does not hold yet.
    """

    reason: PaperReason
    agreement: Agreement | None = None
    contract: DataContract | None = None
    begins: date | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """A checked document to be put in force. ``valid_to`` None means without end; first and last day count."""

    kind: str
    """``agreement`` or ``contract``."""
    document_id: str
    version: str
    principal: Principal
    state: str
    """``active``; a contract may also be ``retired``, or ``gap``: registered, but it stops every file."""
    valid_from: date
    valid_to: date | None
    path: str
    body: bytes
    sha256: Sha256
    agreement_id: str | None = None
    """Only for a contract: the agreement it names, with ``agreement_version``."""
    agreement_version: str | None = None
