"""What an answer to a person is made of: what was found, what may be given of it, the package. No value in a repr."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

import polars as pl

from sluice.agreement.model import Agreement, FieldRole
from sluice.answers.ids import AnswerId
from sluice.errors import Exit, NotFound, Ref, SluiceError
from sluice.rights.case.model import Action, CaseId, Right, SubCase, SubCaseId
from sluice.rights.copies.model import CONSENTS, Copy, Target
from sluice.rights.notices.model import Holder
from sluice.subject.consent import NO_RECORDS
from sluice.terms import Decider, Sha256

PaperId = tuple[str, str]
"""An agreement and its version."""
UNASSIGNED = "unassigned"
"""Group of columns that no paper explains, and of records that are no rows."""
GIVEN, FORWARDED, WAITING, NOT_HERE = "GIVEN", "FORWARDED_TO_CONTROLLER", "NOT_DECIDED", "NOT_HERE"
"""Why a field is in, or not: its controller answers it, nobody has decided on it yet, there is nothing in it."""


class AnswerKind(StrEnum):
    """The two rights that are answered with a package."""

    ACCESS = "access"
    PORTABILITY = "portability"

    @property
    def right(self) -> Right:
        return Right(self.value)

    @property
    def action(self) -> Action:
        """The action that is decided when it is given."""
        return Action.GIVE if self is AnswerKind.ACCESS else Action.EXPORT


class AnotherRight(SluiceError):
    code: ClassVar[str] = "SLU-581"
    summary: ClassVar[str] = "the case asks for another right"
    cure: ClassVar[str] = "`sluice case show` names the right; open a case for the one that is asked for"
    exit: ClassVar[Exit] = Exit.REFUSED


class NothingToGive(SluiceError):
    """No part of the case may be answered by us now; an empty package is never made."""

    code: ClassVar[str] = "SLU-582"
    summary: ClassVar[str] = "nothing of this case was decided to be given by us"
    cure: ClassVar[str] = (
        "`sluice case identity`, then `sluice case decide CASE --accept give` (of portability "
        "`sluice export decide`); what a principal decides waits for its instruction"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


class NothingPortable(SluiceError):
    """Every field is left out, each for its reason; an empty file is never made.

    ``fields``: every column with its reason. ``parts``: those that were decided to be given, if any.
    """

    code: ClassVar[str] = "SLU-583"
    summary: ClassVar[str] = "no field of this case may be taken along; there is no empty package"
    cure: ClassVar[str] = (
        "`sluice export decide CASE` shows the reason of every field and refuses with remedies; "
        "what was decided to be given the DAG `answers` ends with that letter"
    )
    exit: ClassVar[Exit] = Exit.REFUSED

    def __init__(self, *refs: Ref, fields: "tuple[FieldLine, ...]" = (), parts: tuple[SubCase, ...] = ()) -> None:
        super().__init__(*refs)
        self.fields, self.parts = fields, parts


class ErasedMeanwhile(SluiceError):
    """What was gathered may hold somebody who was erased since: it is thrown away."""

    code: ClassVar[str] = "SLU-590"
    summary: ClassVar[str] = "persons of one of its companies were erased while this answer was gathered"
    cure: ClassVar[str] = "make it again once no erasure there is unfinished; the DAG `answers` does so by itself"
    exit: ClassVar[Exit] = Exit.UNDECIDED

    def __init__(self, case_id: CaseId) -> None:
        """``case_id``: that of the erasure."""
        super().__init__(Ref("erasure of case", case_id))
        self.case_id = case_id


class DecidedMeanwhile(SluiceError):
    """What was gathered is not what its controllers decide now: it is thrown away."""

    code: ClassVar[str] = "SLU-614"
    summary: ClassVar[str] = "it was decided otherwise while this answer was gathered"
    cure: ClassVar[str] = "make it again; the DAG `answers` does so by itself, of what is decided then"
    exit: ClassVar[Exit] = Exit.UNDECIDED


class OnePersonOnly(SluiceError):
    code: ClassVar[str] = "SLU-584"
    summary: ClassVar[str] = "a package is for one person, and this case is about several"
    cure: ClassVar[str] = "open a case for each of them"
    exit: ClassVar[Exit] = Exit.REFUSED


class FolderTaken(SluiceError):
    code: ClassVar[str] = "SLU-585"
    summary: ClassVar[str] = "the folder for the package is there already, or cannot be made"
    cure: ClassVar[str] = "name another with --folder, or remove that one"
    exit: ClassVar[Exit] = Exit.USAGE


class AnswerGone(NotFound):
    code: ClassVar[str] = "SLU-586"
    summary: ClassVar[str] = "there is no package for this case, or it was removed"
    cure: ClassVar[str] = "`sluice export access` or `portability` makes one"


@dataclass(frozen=True)
class Held:
    """One copy that names the person: their rows, and whose every column is.

    ``others``: rows that may be somebody else's. ``apart``: rows or objects that cannot be told apart. ``roles``: of
    the columns that the contract explains.
    """

    copy: Copy
    store: str
    frame: pl.DataFrame = field(repr=False)
    roles: Mapping[str, FieldRole]
    delete_after: date | None = None
    """Last day of this copy; None if it has no day yet."""
    raw: tuple[str, ...] = field(default=(), repr=False)
    others: int = 0
    apart: int = 0

    @property
    def dataset(self) -> str:
        """What the rows belong to, as a contract names it."""
        return dataset_of(self.copy)

    @property
    def version(self) -> str:
        """Version of the contract that the copy was made under; empty without one."""
        return self.copy.contract.version if self.copy.contract else ""

    @property
    def paper(self) -> PaperId | None:
        """The version of the agreement under which the copy was made; None without a contract."""
        contract = self.copy.contract
        return (contract.agreement_id, contract.agreement_version) if contract else None

    @property
    def agreement(self) -> str | None:
        """Id of the agreement under which the copy was made; None without a contract."""
        return self.copy.contract.agreement_id if self.copy.contract else None


def dataset_of(copy: Copy) -> str:
    """What the rows of a copy belong to, as a contract names it."""
    return copy.contract.contract_id if copy.contract else f"{copy.direction.value} file"


class Why(StrEnum):
    """Why rows, notes or files that a search met are not given: each has a sentence in the letter."""

    ROWS = "rows"
    """They may be somebody else's."""
    UNASKED = "unasked"
    """They bear nothing that the person gave, only a number or address that stands beside it in other rows."""
    NOTES = "notes"
    """They quote somebody else."""
    OBJECTS = "objects"
    """Nobody can be told apart there, or only their recipient opens them."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """How much of one data set is not given for one reason; the same row counts in every copy that holds it."""

    company: str
    dataset: str
    why: Why
    count: int


@dataclass(frozen=True, slots=True)
class StoreCount:
    """One store at one principal: copies looked into, copies and rows that name the person."""

    principal: str
    store: str
    copies: int
    hits: int
    rows: int


@dataclass(frozen=True, slots=True)
class Consents:
    """The records of one person at one principal, oldest first.

    ``others``, ``unasked``: how many are left out, as :class:`Why` says of rows. ``lists``, ``hits``: how many lists
    there are, and with how many of them something of the person came.
    """

    records: pl.DataFrame = field(default_factory=lambda: NO_RECORDS, repr=False)
    others: int = 0
    unasked: int = 0
    lists: int = 0
    hits: int = 0

    def count(self, principal: str) -> StoreCount:
        """Return the line of this place among the stores that were searched."""
        return StoreCount(principal, CONSENTS, self.lists, self.hits, self.records.height + self.others + self.unasked)


@dataclass(frozen=True)
class Found:
    """Everything at one principal. ``parts``: of the case; ``suppressed``: why the person is kept out, if so."""

    target: Target
    company: str
    agreement: Agreement | None
    parts: tuple[SubCase, ...]
    held: tuple[Held, ...]
    stores: tuple[StoreCount, ...]
    holders: tuple[Holder, ...]
    suppressed: tuple[str, ...] = ()
    papers: Mapping[PaperId, Agreement] = field(default_factory=dict)
    """Every version of an agreement under which one of these copies was made."""
    own: frozenset[str] = field(default=frozenset(), repr=False)
    """References of every identifier in the person's own rows; a note may quote these."""
    unasked: tuple[tuple[Copy, int], ...] = ()
    """Copies with rows under an identifier of the person that they did not give, and how many (:class:`Why`)."""
    consents: Consents = field(default_factory=Consents)

    @property
    def principal(self) -> str:
        return self.target.principal


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One column and why it is in or not. ``reason``: GIVEN, FORWARDED..., NOT_DECIDED, a code or an IRI."""

    principal: str
    controller: Decider
    """Who decides on it."""
    dataset: str
    name: str
    group: str
    included: bool
    reason: str
    iri: str | None = None
    version: str = ""
    """Version of the contract: what may be taken along under one may not under the next."""


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file of a package; ``rows`` of a table, else None."""

    path: str
    sha256: Sha256
    size_bytes: int
    rows: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A package in the vault, as it was logged."""

    answer_id: AnswerId
    case_id: CaseId
    kind: AnswerKind
    sub_cases: tuple[SubCaseId, ...]
    principals: tuple[str, ...]
    language: str
    file_name: str
    files: int
    rows: int
    sha256: Sha256
    size_bytes: int
    bucket: str
    key: str
    version_id: str
    sealed_sha256: Sha256
    made_at: datetime
    made_by: str
    delete_after: date
    only_principal: str | None = None
    """If set, the package is only about this principal, and is not the answer to the person."""
    given: tuple[str, ...] = ()
    """Part and field group of everything in it, as ``part/group``."""
    gone_at: datetime | None = None
    gone_why: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What making a package gave: where it lies sealed, its files, why each field is in or not, what was searched."""

    answer: Answer
    files: tuple[FileLine, ...]
    fields: tuple[FieldLine, ...]
    stores: tuple[StoreCount, ...]
