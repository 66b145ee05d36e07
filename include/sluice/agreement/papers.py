"""Which paper a file is judged by: the agreement and the contract in force, or why there is none."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sluice.agreement.model import Agreement, DataContract, Problem
from sluice.terms import Direction, Flow, Principal, Sha256


@dataclass(frozen=True, slots=True)
class FlowPaper:
    """What the DAG factory needs of one contract, read without judging it.

    ``broken`` names files of this flow that cannot be read; the flow is then taken from the file's
    name, so that its files are refused with a reason instead of lying unseen.
    """

    principal: Principal
    direction: Direction
    flow: Flow
    agreement_ids: tuple[str, ...]
    """Agreements in the principal's folder, as ``DPA-X 1.0.0``, oldest first."""
    contract_path: str
    broken: tuple[Problem, ...] = ()


class PaperReason(StrEnum):
    """Why there is no paper to judge a file by; each refuses the file before its data is kept."""

    NO_AGREEMENT = "NO_AGREEMENT"
    AGREEMENT_EXPIRED = "AGREEMENT_EXPIRED"
    AGREEMENT_NOT_YET = "AGREEMENT_NOT_YET"
    NO_CONTRACT = "NO_CONTRACT"
    CONTRACT_GAP = "CONTRACT_GAP"
    CONTRACT_RETIRED = "CONTRACT_RETIRED"


@dataclass(frozen=True, slots=True)
class Paper:
    """The agreement and the contract in force, exactly as registered."""

    agreement: Agreement
    contract: DataContract


@dataclass(frozen=True, slots=True)
class PaperMissing:
    """No paper, why, and what was found of it on the way."""

    reason: PaperReason
    agreement: Agreement | None = None
    contract: DataContract | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """A checked document on its way into force. ``valid_to`` None: without end; both days count."""

    kind: str
    """``agreement`` or ``contract``."""
    document_id: str
    version: str
    principal: Principal
    state: str
    """``active``; of a contract also ``retired``, or ``gap``: registered, but stops every file."""
    valid_from: date
    valid_to: date | None
    path: str
    body: bytes
    sha256: Sha256
    agreement_id: str | None = None
    """Of a contract: the agreement it names, with ``agreement_version``."""
    agreement_version: str | None = None
