"""Facts of an answer as the rooms give them: invented people, short and at its longest."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import polars as pl

from rights.letter_samples import SENDER, a_case, a_part
from sluice.agreement import dpv
from sluice.agreement.model import FieldRole, Purpose
from sluice.answers.authority import Authority
from sluice.answers.consents import TABLE
from sluice.answers.facts import Facts, Forwarded
from sluice.answers.info import COMPANY, STAFF, Information, Kept, Transfer
from sluice.answers.model import AnswerKind, FieldLine, Found, StoreCount, Why, Withheld
from sluice.answers.select import Selected, totals
from sluice.rights.case.model import Action, Right, State
from sluice.rights.case.reasons import NOT_REQUIRED
from sluice.rights.copies.model import CONSENTS, Target
from sluice.rights.copies.stores import STORES
from sluice.subject.consent import ConsentState
from sluice.terms import DataOrigin, FieldGroup, Principal, RoleProfile

MADE_AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
DATASET = "energy01.inbound.renewal_campaign"
COMPANIES = ("Energy One NV", "Télécom Deux SA", "Eau Trois SCRL")
GROUPS = {
    FieldGroup.IDENTITY: {"customer_number": ("E0000123",), "first_name": ("Marie",), "last_name": ("Van den Broeck",)},
    FieldGroup.CONTACT_POINT: {
        "phone": ("0475 11 22 33", "+32475112233"),
        "email": ("marie@inbox.example",),
        "street": ("Lange Voorbeeldstraat met een heel lange naam 123 bus 45",),
    },
    FieldGroup.CONTRACT: {"product": ("DUAL",), "contract_end_date": ("31/12/2026",)},
    FieldGroup.CALL_EVENT: {"started_at": tuple(f"2026-11-{day:02}T09:00:00.000000Z" for day in range(1, 25))},
    FieldGroup.NOTE_FREE_TEXT: {"note": ("belt morgen terug, wil eerst overleggen",)},
    FieldGroup.AGENT_REF: {"agent": ("agent 1", "agent 2")},
}
LONG_NOTE = " ".join(["zij vertelt een heel lang verhaal over haar contract"] * 600)
CATEGORY = {"phone": "TelephoneNumber", "email": "EmailAddress", "street": "PhysicalAddress", "product": "Purchase"}


def a_role(name: str, group: FieldGroup) -> FieldRole:
    return FieldRole(
        name=name, group=group, category=dpv.PD + CATEGORY.get(name, "Interaction"), origin=DataOrigin.PROVIDED,
        role_profile=RoleProfile.SEED_OWNER, purpose_iris=(f"{dpv.DPV}DirectMarketing",),
        legal_basis=f"{dpv.GDPR}A6-1-f", basis_holder="center", retention_rule="RET-01", automated=True, portable=True,
        subject_key=None, art9_condition=None, logical_type="string", date_format=None, required=False, unique=False,
    )  # fmt: skip


def tables(companies: Sequence[str], note: str | None) -> dict[str, pl.DataFrame]:
    found = {}
    for group, columns in GROUPS.items():
        height = max(map(len, columns.values()))
        cells = {name: [*values, *[None] * (height - len(values))] for name, values in columns.items()}
        if group is FieldGroup.NOTE_FREE_TEXT and note:
            cells["note"] = [note]
        parts = [
            pl.DataFrame(
                {
                    "sluice_company": [company] * height,
                    "sluice_dataset": [DATASET] * height,
                    "sluice_day": ["2026-11-24"] * height,
                    "sluice_exchange": ["0a6d1f4e"] * height,
                    "sluice_kept_in": ["lake; files as they came"] * height,
                    **cells,
                }
            )
            for company in companies
        ]
        found[group.value] = pl.concat(parts)
    return found


def consents(companies: Sequence[str]) -> pl.DataFrame:
    """One of each state, of every company."""
    said = {state.value: f"2026-11-{day:02}T09:30:00Z" for day, state in enumerate(ConsentState, 3)}
    rows = [
        {
            "sluice_company": company, "sluice_dataset": CONSENTS, "sluice_day": at[:10], "sluice_exchange": None,
            "sluice_kept_in": CONSENTS, "purpose": f"{dpv.DPV}DirectMarketing", "channel": "email", "state": state,
            "at": at, "until": "2027-11-03" if state == ConsentState.GIVEN else None, "method": "web_form",
            "notice": "W-7", "collected_by": "webshop",
        }
        for company in companies
        for state, at in said.items()
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def information(principal: str, company: str, is_long: bool) -> Information:
    text = {
        "nl": "Klanten bellen over de verlenging van hun energiecontract.",
        "fr": "Appeler les clients au sujet du renouvellement de leur contrat d'énergie.",
        "en": "Call customers about the renewal of their energy contract.",
    }
    purpose = Purpose("P-RENEW", f"{dpv.DPV}DirectMarketing", text, f"{dpv.GDPR}A6-1-f", "principal", ("voice",))
    return Information(
        principal=principal,
        company=company,
        purposes=(purpose,) * (3 if is_long else 1),
        categories=tuple(dpv.PD + name for name in ("CallLog", "EmailAddress", "Name", "TelephoneNumber")),
        recipients=(company, "Print & Post NV") if is_long else (),
        processors=("Object Store BV",),
        sources=(COMPANY, STAFF),
        kept=(Kept("lake", date(2027, 2, 22)), Kept("arrived", date(2026, 12, 24)), Kept("index", None)),
        contract_ends=(("delete", 30),),
        countries=("BE", "NL", "US") if is_long else ("BE", "NL"),
        transfers=(Transfer("US", f"{dpv.GDPR}A46-2-c"),) if is_long else (),
        derived=("score",) if is_long else (),
        exchanges=12,
        suppressed=("objected", "soft_hold") if is_long else (),
    )


def an_answer(language: str, kind: AnswerKind = AnswerKind.ACCESS, *, is_long: bool = False) -> Facts:
    """One company, one page or two; or three companies, everything there is, a note of 32,000 characters."""
    companies = COMPANIES if is_long else COMPANIES[:1]
    right = Right(kind.value)
    part = a_part(State.ACCEPTED, Action.GIVE)
    stores = tuple(
        StoreCount("energy01", store.name, 12, number % 4, number * 3) for number, store in enumerate(STORES)
    )
    codes = ("energy01", "telecom01", "water01")
    found = tuple(
        Found(Target(Principal(code), b"", frozenset(), (), frozenset()), name, None, (part,), (), (), ())
        for code, name in zip(codes, companies, strict=False)
    )
    lines = [
        FieldLine("energy01", "center", DATASET, name, group.value, True, "GIVEN")
        for group in GROUPS
        for name in GROUPS[group]
    ]
    if kind is AnswerKind.PORTABILITY or is_long:
        lines += [
            FieldLine("energy01", "center", DATASET, name, "disposition", False, code, NOT_REQUIRED)
            for name, code in (("disposition", "ORIGIN"), ("last_contact_result", "BASIS"), ("note", "BY_HAND"))
        ]
    roles = {(DATASET, name): a_role(name, group) for group, columns in GROUPS.items() for name in columns}
    left = tuple(Withheld(each, DATASET, why, number) for each in companies for number, why in enumerate(Why, 1))
    left = left if is_long else ()
    told = {TABLE: consents(companies)} if kind is AnswerKind.ACCESS and is_long else {}
    note = LONG_NOTE if is_long else None
    return Facts(
        case=a_case(part, right=right),
        kind=kind,
        language=language,
        made_at=MADE_AT,
        sender=SENDER,
        found=found,
        authorities={each.principal: Authority((part,), (), {}) for each in found},
        information=tuple(information(each.principal, each.company, is_long) for each in found),
        selected=Selected(tables(companies, note) | told, tuple(lines), totals(left), roles, by_dataset=left),
        forwarded=(Forwarded(companies[0], date(2026, 11, 26), "9f3c1d20ab54e6f1" * 4),),
        stores=stores * (3 if is_long else 1),
    )
