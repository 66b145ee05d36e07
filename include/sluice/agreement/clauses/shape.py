"""The keys of an agreement file: SCC 2021/915 Annexes I to IV and GDPR Art. 28(3)."""

from sluice.agreement import dpv
from sluice.agreement.clauses.facts import RIGHTS, SECURITY_HEADINGS, START_EVENTS
from sluice.agreement.limits import LIMITS
from sluice.agreement.shape import Day, Flag, Iri, Keys, Many, Number, Text, Word
from sluice.terms import PRINCIPAL_PATTERN, Direction, FieldGroup, RoleProfile, ScreenAction, ScreenClass

CODE = Text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "letters, digits, . _ - (at most 63)")
VERSION = Text(r"\d{1,4}\.\d{1,4}\.\d{1,4}", "three numbers, e.g. 3.0.0")
PRINCIPAL = Text(PRINCIPAL_PATTERN, "lower-case letters, digits and hyphens (at most 63)")
DURATION = Text(r"P(?=\d)(?:\d{1,3}Y)?(?:\d{1,4}M)?(?:\d{1,4}W)?(?:\d{1,5}D)?", "an ISO 8601 duration, e.g. P90D")
COUNTRY = Text(r"[A-Z]{2}", "a country code of two capitals, e.g. NL")
FINGERPRINT = Text(r"[0-9A-F]{40}|[0-9A-F]{64}", "40 or 64 capital hexadecimal digits")
HOLDER = Word(("principal", "center"))
CHANNEL = Word(("voice", "sms", "email", "letter", "chat", "robocall", "push"))

_EMAIL = Text(r"[!#-+\--:=?A-~]+@[!#-+\--:=?A-~]+", "an e-mail address in ASCII; a domain with accents as xn--...")
"""An address to send mail to, restricted so that nothing in it can begin another header or another address."""
_CONTACT = Keys({"role": Text(), "email": _EMAIL}, {"phone": Text()})
_DPO = Keys({"email": _EMAIL}, {"name": Text(), "phone": Text()})
_PARTY = Keys(
    {"code": PRINCIPAL, "name": Text(), "address": Text(), "contact": _CONTACT, "signedBy": Text(), "signedOn": Day()},
    {"kbo": Text(r"[01]\d{3}\.\d{3}\.\d{3}", "0123.456.789"), "dpo": _DPO},
)
_CATEGORY = Iri("a data category", dpv.DATA_CATEGORIES)
_CONDITION = Iri("a condition of GDPR Art. 9(2)", dpv.SPECIAL_CONDITIONS)
_NATURE = Many(Iri("a kind of processing", dpv.PROCESSING), least=1)
_PURPOSE = Keys(
    {
        "code": CODE,
        "iri": Iri("a purpose", dpv.PURPOSES),
        "text": Keys({"nl": Text(), "fr": Text(), "en": Text()}),
        "legalBasis": Iri("a legal basis of GDPR Art. 6(1)", dpv.LEGAL_BASES),
        "basisHolder": HOLDER,
    },
    {"channels": Many(CHANNEL)},
)
_PROCESSING = Keys(
    {
        "subjectMatter": Text(),
        "subjectCategories": Many(Iri("a category of persons", dpv.SUBJECT_CATEGORIES), least=1),
        "dataCategories": Many(_CATEGORY, least=1),
        "sensitiveData": Keys(
            {"present": Flag()},
            {"categories": Many(_CATEGORY), "art9Condition": _CONDITION, "safeguards": Many(Text())},
        ),
        "nature": _NATURE,
        "purposes": Many(_PURPOSE, least=1),
        "duration": Text(),
    },
    {"subProcessing": Keys({}, {"subjectMatter": Text(), "nature": _NATURE, "duration": Text()})},
)
_TRANSFER_BASIS = Iri("a way to transfer (GDPR Art. 45, 46, 49)", dpv.TRANSFER_BASES)
_SUB_PROCESSOR = Keys(
    {"name": Text(), "processing": Text(), "countries": Many(COUNTRY, least=1), "validFrom": Day()},
    {
        "kbo": Text(r"[01]\d{3}\.\d{3}\.\d{3}", "0123.456.789"),
        "address": Text(),
        "contact": _CONTACT,
        "transferBasis": _TRANSFER_BASIS,
        "validTo": Day(),
    },
)
_DUTIES = Keys(
    {
        "a_instructions": Keys(
            {
                "channel": Text(),
                "illegalInstructionNotice": Text(),
                "transfersOutsideEea": Word(("forbidden", "with_basis", "on_instruction")),
            }
        ),
        "b_confidentiality": Keys({"statement": Text(), "minimumExamScore": Number(0, 100)}),
        "c_security": Text(),
        "d_subProcessing": Text(),
        "e_rights": Keys(
            {"forwardHours": Number(1, 720), "mayAnswer": Keys({right: Flag() for right in RIGHTS})},
        ),
        "f_assistance": Keys({"breachNoticeHours": Number(1, 72)}, {"dpia": Text(), "priorConsultation": Text()}),
        "g_end": Keys(
            {"choice": Word(("return", "delete")), "days": Number(0, 3650), "certificate": Flag()},
            {"lawRequiringStorage": Text()},
        ),
        "h_audit": Keys(
            {
                "informationDays": Number(0, 365),
                "auditNoticeDays": Number(0, 365),
                "unlawfulInstructionDuty": Flag(),
            }
        ),
    }
)
_ROLE_ROW = Keys(
    {
        "direction": Word(tuple(Direction)),
        "fieldGroup": Word(tuple(FieldGroup)),
        "roleProfile": Word(tuple(RoleProfile)),
        "portable": Flag(),
    },
    {"retentionRule": CODE},
)
_RETENTION = Keys({"code": CODE, "startEvent": Word(START_EVENTS), "duration": DURATION}, {"statute": Text()})
_ACTION = Word(tuple(ScreenAction))
_FREE_TEXT = Keys(
    {"actions": Keys({}, dict.fromkeys(ScreenClass, _ACTION))},
    {"sampleShare": Number(0, 1, whole=False)},
)
_PGP = Keys({"file": Text(r"[a-z0-9][a-z0-9._-]*", "a file beside the agreement"), "fingerprint": FINGERPRINT})
_DELIVERY = Keys(
    {"cutOff": Text(r"([01]\d|2[0-3]):[0-5]\d", "a time, e.g. 06:00, in quotes")},
    {
        "twoPersonRelease": Flag(),
        "releaseWhenReadyLater": Flag(),
        "acknowledgeHours": Number(1, 720),
        "escalateHours": Number(1, 2160),
        "country": COUNTRY,
        "transferBasis": _TRANSFER_BASIS,
        "pgpKey": _PGP,
    },
)
_ARRIVAL = Keys({"pgpKey": _PGP}, {"mustBeSigned": Flag(), "mustBeEncrypted": Flag()})
_ERASURE = Keys({"twoPersonRelease": Flag()})
_LIMITS = Keys({}, {limit.key: Number(limit.least, limit.most) for limit in LIMITS})

AGREEMENT = Keys(
    {
        "agreementId": CODE,
        "version": VERSION,
        "basisText": Word(("eu-scc-2021-915", "own-art28-contract")),
        "language": Word(("nl", "fr", "en", "de")),
        "validFrom": Day(),
        "documentSha256": Text(r"[0-9a-f]{64}", "64 lower-case hexadecimal digits"),
        "parties": Keys({"controllers": Many(_PARTY, least=1), "processors": Many(_PARTY, least=1)}),
        "processing": _PROCESSING,
        "security": Many(Keys({"code": Word(SECURITY_HEADINGS), "text": Text(empty=True)})),
        "subProcessors": Keys(
            {"authorisation": Word(("specific", "general")), "list": Many(_SUB_PROCESSOR)},
            {"noticeDays": Number(1, 365)},
        ),
        "duties": _DUTIES,
        "retentionRules": Many(_RETENTION, least=1),
        "roleProfiles": Many(_ROLE_ROW),
        "seedOwner": Keys({}, {"signOff": Text(), "reverseArt28Ref": Text(), "twoPersonSignOff": Flag()}),
        "recipients": Many(Text()),
    },
    {
        "supersedes": VERSION,
        "validTo": Day(),
        "jointArrangementRef": Text(),
        "freeText": _FREE_TEXT,
        "delivery": _DELIVERY,
        "arrival": _ARRIVAL,
        "erasure": _ERASURE,
        "limits": _LIMITS,
    },
)
"""Every key an agreement may have."""
