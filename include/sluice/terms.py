"""The words of the domain as types: ids, enums and nothing else.

There is one word per thing (see docs/explanation/vocabulary.md). A value that crosses a room, a
table or a file has one of these types, never a bare string that somebody made up.
"""

from enum import StrEnum
from typing import Literal, NewType

ExchangeId = NewType("ExchangeId", str)
"""UUID of one exchange, lower case with hyphens; also the OpenLineage run id."""

Principal = NewType("Principal", str)
"""Code of a client-principal; also its S3 prefix."""
PRINCIPAL_PATTERN = r"[a-z0-9][a-z0-9-]{0,62}"
"""Regular expression of a whole code. What may be read and written in S3 rests on it: no ``/``, no ``.``, no ``*``."""
PRINCIPAL_WRITES = ("inbound", "requests", "acks")
"""Folders below its prefix in which a principal's own key may write."""
PRINCIPAL_READS = ("outbound", "receipts", "notices")
"""Folders in which that key may read."""

Flow = NewType("Flow", str)
"""One dataset of one principal in one direction, as in ``<principal>/inbound/<flow>/``."""
FLOW_PATTERN = r"[a-z0-9][a-z0-9_-]{0,62}"
"""Regular expression of a whole flow."""

Sha256 = NewType("Sha256", str)
"""64 lower-case hexadecimal digits."""


class Direction(StrEnum):
    """Which way a file crosses (docs/explanation/roles.md)."""

    INBOUND = "inbound"
    INTERNAL = "internal"
    OUTBOUND_RETURN = "outbound_return"
    STAFF = "staff"
    PORTABILITY_ACCESS = "portability_access"
    NOTICE = "notice"


ARRIVING = (Direction.INBOUND, Direction.INTERNAL)
"""Directions in which files come to us: from principals, and from our own agents' platforms."""


class Verdict(StrEnum):
    """The gate's verdict on one file. UNDECIDED means *we could not tell*, and keeps the gate closed."""

    PASSED = "PASSED"
    WARNED = "WARNED"
    REFUSED = "REFUSED"
    UNDECIDED = "UNDECIDED"


class Decision(StrEnum):
    """The state of an exchange: open, or how it was closed."""

    OPEN = "open"
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REFUSED = "refused"
    UNDECIDED = "undecided"


ACCEPTED_DECISIONS = (Decision.ACCEPTED, Decision.PARTLY_ACCEPTED)
"""Decisions by which a file, or a part of its rows, goes on."""


class Severity(StrEnum):
    """What a failed rule does: ``error`` refuses the row, ``warning`` is only reported."""

    ERROR = "error"
    WARNING = "warning"


class RefusalClass(StrEnum):
    """First part of every reason code: the closed list of the refusal contract."""

    UNREADABLE = "UNREADABLE"
    WRONG_FORMAT = "WRONG_FORMAT"
    ENCODING = "ENCODING"
    DIALECT = "DIALECT"
    HEADER = "HEADER"
    SHAPE = "SHAPE"
    LIMIT = "LIMIT"
    ARCHIVE = "ARCHIVE"
    ACTIVE = "ACTIVE"
    HIDDEN = "HIDDEN"
    NAME = "NAME"
    TEXT = "TEXT"
    VALUE = "VALUE"
    FORBIDDEN = "FORBIDDEN"
    DUPLICATE = "DUPLICATE"
    STALE = "STALE"


class FieldGroup(StrEnum):
    """Groups of columns that share a role profile."""

    IDENTITY = "identity"
    CONTACT_POINT = "contact_point"
    CONTRACT = "contract"
    FINANCIAL = "financial"
    CONSENT = "consent"
    CAMPAIGN_CONTROL = "campaign_control"
    CALL_EVENT = "call_event"
    DISPOSITION = "disposition"
    CALLBACK = "callback"
    NOTE_FREE_TEXT = "note_free_text"
    SURVEY = "survey"
    CONSENT_CAPTURED = "consent_captured"
    RECORDING_REF = "recording_ref"
    ORDER_RESULT = "order_result"
    AGENT_REF = "agent_ref"
    HANDLING_TIMES = "handling_times"
    QA_SCORE = "qa_score"
    SCORE = "score"
    SEGMENT = "segment"


class RoleProfile(StrEnum):
    """Who is controller, processor and owner of a field group (rows in agreement/roles/profiles.py)."""

    PRINCIPAL_CONTROLLER = "PRINCIPAL_CONTROLLER"
    SEED_OWNER = "SEED_OWNER"
    PROCESSOR_ON_BEHALF = "PROCESSOR_ON_BEHALF"
    INDEPENDENT = "INDEPENDENT"
    JOINT = "JOINT"
    STAFF = "STAFF"


Decider = Literal["principal", "center", "joint"]
"""Who decides why and how data is used, of the parties of one agreement: one of the two, or both jointly (Art. 26)."""

EndChoice = Literal["return", "delete"]
"""What becomes of the data when the contract ends (GDPR Art. 28(3)(g))."""


class DataOrigin(StrEnum):
    """Where a field's value comes from (GDPR Art. 20 turns on it)."""

    PROVIDED = "provided"
    OBSERVED = "observed"
    DERIVED = "derived"
    AGENT_MADE = "agent_made"


class SubjectKind(StrEnum):
    """Kinds of identifier a person can be found by."""

    PHONE = "phone_e164"
    EMAIL = "email"
    PRINCIPAL_CUSTOMER_ID = "principal_customer_id"
    NATIONAL_NUMBER = "national_number"
    IBAN = "iban"


class CustomerIdIgnores(StrEnum):
    """What makes no difference between two customer numbers of one principal."""

    CASE = "case"
    LEADING_ZEROS = "leading_zeros"


class CandidateKey(StrEnum):
    """What a column holds that helps to find a person without an identifier.

    A name and a birth date only suggest candidates; they identify nobody.
    """

    NAME = "name"
    BIRTH_DATE = "birth_date"


class ScreenClass(StrEnum):
    """What the free-text screen looks for in a note."""

    PHONE = "phone"
    EMAIL = "email"
    IBAN = "iban"
    CARD = "card"
    NATIONAL_NUMBER = "national_number"
    HEALTH = "health"
    BELIEF = "belief"
    POLITICS = "politics"
    UNION = "union"
    ETHNICITY = "ethnicity"
    SEXUALITY = "sexuality"
    GENETIC_BIOMETRIC = "genetic_biometric"
    CRIMINAL = "criminal"
    INSULT = "insult"
    EMOTION = "emotion"


SPECIAL_CLASSES = frozenset(
    {
        ScreenClass.HEALTH,
        ScreenClass.BELIEF,
        ScreenClass.POLITICS,
        ScreenClass.UNION,
        ScreenClass.ETHNICITY,
        ScreenClass.SEXUALITY,
        ScreenClass.GENETIC_BIOMETRIC,
    }
)
"""Special categories of Art. 9(1); criminal offences (Art. 10) are not among them."""
SPECIAL_CATEGORY = "special_category"
"""Sensitivity of a column under GDPR Art. 9."""


class ScreenAction(StrEnum):
    """What the agreement wants done with a finding in a note."""

    ALLOW = "allow"
    MASK = "mask"
    REVIEW = "review"
    REFUSE = "refuse"
