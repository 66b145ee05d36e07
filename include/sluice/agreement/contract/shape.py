"""Our custom properties and the ODCS keys that Sluice reads, with what they may hold."""

from collections.abc import Iterator
from dataclasses import dataclass

from sluice.agreement import dpv
from sluice.agreement.clauses.shape import CHANNEL, CODE, COUNTRY, HOLDER, PRINCIPAL, VERSION
from sluice.agreement.document import Found, Spot
from sluice.agreement.shape import Day, Flag, Iri, Kind, Many, Number, Text, Word
from sluice.terms import (
    FLOW_PATTERN,
    CandidateKey,
    CustomerIdIgnores,
    DataOrigin,
    Direction,
    FieldGroup,
    RoleProfile,
    SubjectKind,
)

NO_NUMBERS = "025"
ISO_CODES = {"UK": "GB for the United Kingdom", "EL": "GR for Greece"}
"""The ISO 3166 code to use where the EU has a code of its own."""


@dataclass(frozen=True, slots=True)
class Region:
    """A region with a numbering plan: in any other, every number without country code would be invalid."""

    def check(self, spot: Spot) -> Iterator[Found]:
        from phonenumbers import SUPPORTED_REGIONS

        wrong = tuple(COUNTRY.check(spot))
        yield from wrong
        if not wrong and spot.value not in SUPPORTED_REGIONS:
            yield Found(spot, NO_NUMBERS, ISO_CODES.get(str(spot.value), "a region that has phone numbers, e.g. BE"))


SUITE = Text(r"[a-z0-9][a-z0-9_-]{0,62}", "the name of a file in expectations/ without .json")

FLOW_NAME = Text(FLOW_PATTERN, "the name of a flow")

COLUMN_PROPERTIES: dict[str, Kind] = {
    "purposeIris": Many(Iri("a purpose", dpv.PURPOSES)),
    "legalBasis": Iri("a legal basis of GDPR Art. 6(1)", dpv.LEGAL_BASES),
    "dataCategory": Iri("a data category", dpv.DATA_CATEGORIES),
    "subjectCategory": Iri("a category of persons", dpv.SUBJECT_CATEGORIES),
    "art9Condition": Iri("a condition of GDPR Art. 9(2)", dpv.SPECIAL_CONDITIONS),
    "basisHolder": HOLDER,
    "dataOrigin": Word(tuple(DataOrigin)),
    "fieldGroup": Word(tuple(FieldGroup)),
    "roleProfile": Word(tuple(RoleProfile)),
    "automated": Flag(),
    "portable": Flag(),
    "retentionRule": CODE,
    "subjectKey": Word(tuple(SubjectKind)),
    "candidateKey": Word(tuple(CandidateKey)),
    "consentChannel": CHANNEL,
    "consentGiven": Many(Text(), least=1),
    "source": Text(r"(contacts|results)\.[^\x00-\x1f\x7f]{1,200}", "contacts.<column> or results.<column>"),
}
"""Properties of a column; at contract level they are the defaults (standards.md a)."""

CUSTOMER_ID_IGNORES = "customerIdIgnores"

CONTRACT_PROPERTIES: dict[str, Kind] = {
    "principal": PRINCIPAL,
    "direction": Word(tuple(Direction)),
    "agreementId": CODE,
    "agreementVersion": VERSION,
    "validFrom": Day(),
    "expectationSuites": Many(SUITE),
    "maxRefusedShare": Number(0, 1, whole=False),
    "nationalNumberAuthorisation": Text(),
    "resultMapping": SUITE,
    "contactsFlow": FLOW_NAME,
    "resultsFlow": FLOW_NAME,
    "recordId": Text(),
    "campaigns": Many(Text()),
    CUSTOMER_ID_IGNORES: Many(Word(tuple(CustomerIdIgnores))),
}
"""Properties of the contract as a whole."""

SERVER_PROPERTIES: dict[str, Kind] = {
    "encoding": Word(
        (
            *("utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "iso-8859-1", "iso-8859-15"),
            *("cp1250", "iso-8859-2", "cp1254", "iso-8859-9", "cp437", "cp850", "cp852", "mac-roman"),
        )
    ),
    "decimalComma": Flag(),
    "dateFormat": Text(),
    "region": Region(),
    "sheet": Text(),
}
"""Properties of the server: what is known about the file itself."""

PLACES: dict[str, str] = {
    **dict.fromkeys(COLUMN_PROPERTIES, "of a column, or of all of them at the top of the contract"),
    **dict.fromkeys(CONTRACT_PROPERTIES, "of the contract as a whole: write it at its top"),
    **dict.fromkeys(SERVER_PROPERTIES, "of the file: write it at the contract's server"),
}
"""Where a property is read."""

FORMAT = Word(("csv", "tsv", "xlsx", "json", "ndjson", "parquet"))
STATUS = Word(("proposed", "draft", "active", "deprecated", "retired"))
DELIMITER = Text(r"[^\w\"'\r\n\\]", "one character, not a letter, digit or quote")
LOGICAL_TYPES = ("string", "date", "timestamp", "time", "number", "integer", "boolean")
SEVERITY = Word(("error", "warning"))
UNIT = Word(("rows", "percent"))
API_VERSION = Word(("v3.1.0",))
COLUMN_NAME = Text(r"[^\x00-\x1f\x7f]{1,200}", "1 to 200 characters without control characters")

OPERATORS = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
)
METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
