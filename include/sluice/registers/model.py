"""The two registers of GDPR Art. 30 as data: what papers declare, what exchanges showed, rows and findings."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sluice.agreement.clauses.annexes import Known, KnownContract, Party
from sluice.agreement.model import FieldRole
from sluice.ledger.record import CONTRACT_END, PurposeLine
from sluice.terms import Direction


class Article(StrEnum):
    """Which register: of what the center decides itself (30(1)), of what it does for principals (30(2))."""

    CONTROLLER = "30.1"
    PROCESSOR = "30.2"


@dataclass(frozen=True, slots=True)
class Center:
    """We ourselves: our code in agreements, the country we work in, and how the papers name us."""

    code: str
    country: str
    party: Party


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a row is about. ``purpose`` None: files for which no purpose could be named; ``group``: 30(1) only."""

    article: Article
    principal: str
    agreement_id: str
    purpose: str
    group: str

    @property
    def number(self) -> str:
        """The number of the processing: unique in its register, the same in every language and on every date."""
        parts = (self.agreement_id or f"({self.principal})", self.purpose or "(?)", self.group)
        return "/".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class SeenColumn:
    """One kind of column of an exchange; ``controller``: said by column in what goes out only."""

    group: str | None
    category: str | None
    origin: str | None
    controller: str | None


@dataclass(frozen=True, slots=True)
class SeenRole:
    """Who decides of a field group in an exchange."""

    group: str
    profile: str
    controller: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """Closed exchanges that are alike in everything a register says, on days on which the same papers were in force.

    ``first``, ``last``: Brussels dates.
    """

    principal: str
    direction: Direction
    flow: str
    first: date
    last: date
    agreement_id: str | None
    agreement_version: str | None
    contract_sha256: str | None
    purposes: tuple[PurposeLine, ...]
    roles: tuple[SeenRole, ...]
    columns: tuple[SeenColumn, ...]
    sender: str
    recipients: tuple[str, ...]
    sub_processors: tuple[str, ...]
    countries: tuple[str, ...]
    special: bool
    warnings: tuple[str, ...]
    dag: str | None
    count: int
    accepted: int
    """How many of them moved data: accepted or partly accepted."""
    after_end: bool = False
    """Whether each went back because its agreement had ended: the paper of the last day counts (Art. 28(3)(g))."""

    @property
    def is_of_the_law(self) -> bool:
        """Answers to persons (Art. 15, 20), and what is given back at the end: no agreement has to declare those."""
        codes = {purpose.code for purpose in self.purposes}
        is_given_back = self.direction is Direction.OUTBOUND_RETURN and codes == {CONTRACT_END}
        return self.direction is Direction.PORTABILITY_ACCESS or is_given_back


@dataclass(frozen=True, slots=True)
class Papers:
    """The timeline as it was known: agreements and contracts with their days."""

    agreements: tuple[Known, ...]
    contracts: tuple[KnownContract, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """Everything the papers known say of one row on a date, or on its last day. ``paper``: the version that does.

    ``first``, ``last``: days on which some version declared it, with a contract under it where it has one; last None:
    without end.
    """

    paper: Known
    fields: tuple[FieldRole, ...]
    directions: frozenset[Direction]
    contracts: tuple[KnownContract, ...]
    first: date
    last: date | None


@dataclass(frozen=True, slots=True)
class Row:
    """One processing: declared, seen, or both. ``paper``: what declares it, else the agreement it was seen under."""

    key: Key
    declared: Declared | None
    paper: Known | None
    seen: tuple[Sighting, ...]

    @property
    def exchanges(self) -> int:
        return sum(each.count for each in self.seen)

    @property
    def is_of_the_law(self) -> bool:
        """Whether it was only seen in what the law asks for: no agreement has to."""
        return bool(self.seen) and all(each.is_of_the_law for each in self.seen)

    @property
    def first_seen(self) -> date | None:
        return min((each.first for each in self.seen), default=None)

    @property
    def last_seen(self) -> date | None:
        return max((each.last for each in self.seen), default=None)


class FindingCode(StrEnum):
    """Where papers and exchanges differ, or a row cannot say what it must."""

    DECLARED_NOT_SEEN = "DECLARED_NOT_SEEN"
    PURPOSE_NOT_DECLARED = "PURPOSE_NOT_DECLARED"
    NO_PURPOSE = "NO_PURPOSE"
    GROUP_NOT_DECLARED = "GROUP_NOT_DECLARED"
    CATEGORY_NOT_DECLARED = "CATEGORY_NOT_DECLARED"
    SPECIAL_NOT_DECLARED = "SPECIAL_NOT_DECLARED"
    RECIPIENT_NOT_DECLARED = "RECIPIENT_NOT_DECLARED"
    COUNTRY_NOT_DECLARED = "COUNTRY_NOT_DECLARED"
    ROLE_CONTESTABLE = "ROLE_CONTESTABLE"
    MANDATORY_EMPTY = "MANDATORY_EMPTY"


@dataclass(frozen=True, slots=True)
class Finding:
    """``what``: a code, name or column, never of a person. ``exchanges``: how many showed it; 0 of a paper."""

    code: FindingCode
    number: str
    principal: str
    what: str
    exchanges: int = 0


@dataclass(frozen=True, slots=True)
class Register:
    """One register as of a date, as it was known at an instant. ``open``: exchanges without a decision yet."""

    article: Article
    at: date
    known_at: datetime
    center: Center
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    open: int

    @property
    def exchanges(self) -> int:
        """How many are in its rows; one that is in several counts once."""
        return sum({id(each): each.count for row in self.rows for each in row.seen}.values())
