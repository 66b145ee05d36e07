"""What must hold in one contract, and between it and its agreement. Pure."""

import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from sluice.agreement import dpv
from sluice.agreement.clauses.facts import DATED_STARTS
from sluice.agreement.clauses.rules import EMOTION_WORDS
from sluice.agreement.clauses.shape import PRINCIPAL, VERSION
from sluice.agreement.contract import shape
from sluice.agreement.contract.columns import (
    DATED,
    DAYS,
    GAPS,
    Draft,
    columns,
    contract_id,
    custom,
    drafts,
    reads_back,
    says_a_day,
    strptime_format,
)
from sluice.agreement.contract.key_references import check_key_references
from sluice.agreement.contract.latency import check_latency
from sluice.agreement.contract.quality import check_quality
from sluice.agreement.document import Document, Found, Spot, check_numbers
from sluice.agreement.model import Agreement
from sluice.agreement.shape import OPEN, Flag, Kind, check_shape
from sluice.terms import FLOW_PATTERN, Direction, FieldGroup, SubjectKind

NEED_AGREEMENT = ("044", "045")
"""Gaps that a role row of the agreement may fill."""

RECIPE = ("contactsFlow", "resultsFlow", "recordId")
"""What a return contract must say about itself."""

FOLDERS: dict[str, str] = {
    Direction.INBOUND: "inbound",
    Direction.INTERNAL: "internal",
    Direction.OUTBOUND_RETURN: "outbound",
}
"""Below a principal's prefix, the folder of the flows of a direction."""

NO_MAPPING = "052"
NO_CHANNEL = "054"
NEVER_DATED = "069"

_GAP_PROPERTIES = tuple(name for name, _ in GAPS)
_ABOUT_AGENTS = (FieldGroup.AGENT_REF, FieldGroup.HANDLING_TIMES, FieldGroup.QA_SCORE)
_AGENT_EMOTION = re.compile(rf"agent.*({'|'.join(EMOTION_WORDS)})|({'|'.join(EMOTION_WORDS)}).*agent", re.IGNORECASE)


def check_contract(document: Document, agreement: Agreement | None) -> Iterator[Found]:
    """Yield every finding of ours about one contract; without an agreement, what the file alone can tell."""
    yield from check_numbers(document.root)
    for rule in RULES:
        yield from rule(document)
    yield from check_quality(document)
    found = drafts(document, agreement)
    yield from _check_gaps(found, agreement)
    for draft in found:
        yield from _check_column(draft, agreement)
    if agreement:
        yield from _check_starts(found, agreement, contract_id(document)[1])
        yield from _check_pin(document, agreement)


def _check_gaps(found: tuple[Draft, ...], agreement: Agreement | None) -> Iterator[Found]:
    """Yield one finding per place: a default left OPEN leaves many columns open at one line."""
    places: dict[tuple[str, str], list[Found]] = {}
    for gap in (gap for draft in found for gap in draft.gaps):
        if agreement or gap.number not in NEED_AGREEMENT:
            places.setdefault((gap.spot.where, gap.number), []).append(gap)
    for gaps in places.values():
        names = ", ".join(gap.detail for gap in gaps[:5]) + (f" and {len(gaps) - 5} more" if len(gaps) > 5 else "")
        yield Found(gaps[0].spot, gaps[0].number, names)


def _check_top(document: Document) -> Iterator[Found]:
    root = document.root
    known: dict[str, Kind] = {"apiVersion": shape.API_VERSION, "version": VERSION, "status": shape.STATUS}
    for key, kind in known.items():
        yield from _check_given(root[key], kind)
    if not root["id"].is_given:
        yield Found(root["id"], "010")
    elif not _is_id(contract_id(document)):
        yield Found(root["id"], "020")


def _check_given(spot: Spot, kind: Kind) -> Iterator[Found]:
    if spot.is_given:
        yield from check_shape(spot, kind)
    else:
        yield Found(spot, "010")


def _is_id(parts: tuple[str, str, str]) -> bool:
    principal, direction, flow = parts
    return bool(
        re.fullmatch(PRINCIPAL.form, principal) and direction in tuple(Direction) and re.fullmatch(FLOW_PATTERN, flow)
    )


def _check_custom(document: Document) -> Iterator[Found]:
    top = {**shape.COLUMN_PROPERTIES, **shape.CONTRACT_PROPERTIES}
    yield from _check_properties(document.root, top)
    for column in columns(document):
        yield from _check_properties(column, shape.COLUMN_PROPERTIES)
    yield from _check_places(document)
    answers = custom(document.root)
    for name in ("principal", "direction", "agreementId", "agreementVersion"):
        if name not in answers or not answers[name].is_given:
            yield Found(document.root["customProperties"], "010", name)
    principal, direction, _ = contract_id(document)
    for name, said in (("principal", principal), ("direction", direction)):
        if said and name in answers and answers[name].text not in (None, said, OPEN):
            yield Found(answers[name], "021", f"{name} is {said} in the id")


def _check_places(document: Document) -> Iterator[Found]:
    """Find properties of ours where nothing reads them. Others may mean something of their own by such a name."""
    top = document.root
    read: tuple[tuple[Spot, dict[str, Kind]], ...] = (
        (top, {**shape.COLUMN_PROPERTIES, **shape.CONTRACT_PROPERTIES}),
        *((table, {}) for table in top["schema"]),
        *((column, shape.COLUMN_PROPERTIES) for column in columns(document)),
        *((server, shape.SERVER_PROPERTIES) for server in top["servers"]),
    )
    for place, known in read:
        for name, value in custom(place).items():
            if name in shape.PLACES and name not in known:
                is_error = name == shape.CUSTOMER_ID_IGNORES and known  # a warning at the table
                number = "011" if is_error else "053"
                yield Found(value, number, f"{name}: {shape.PLACES[name]}")
    for answers in map(custom, columns(document)):
        if "consentGiven" in answers and "consentChannel" not in {**answers, **custom(top)}:
            yield Found(answers["consentGiven"], NO_CHANNEL)


def _check_properties(spot: Spot, known: dict[str, Kind]) -> Iterator[Found]:
    seen: set[str] = set()
    for entry in spot["customProperties"]:
        name, value = entry["property"].text, entry["value"]
        if name is None:
            yield Found(entry, "010", "property")
            continue
        if name in seen:
            yield Found(entry["property"], "004", name)
        seen.add(name)
        if name in _GAP_PROPERTIES and value.value in (OPEN, [OPEN], []):
            continue  # a gap, found per column
        if name in known and value.is_given:
            wrong = check_shape(value, known[name]) if value.value not in EMOTION_WORDS else ()
            yield from (replace(found, detail=f"{name}: {found.detail}".removesuffix(": ")) for found in wrong)
        elif name not in known and difflib.get_close_matches(name, known, n=1, cutoff=0.8):
            yield Found(entry["property"], "096", difflib.get_close_matches(name, known, n=1, cutoff=0.8)[0])


def _check_server(document: Document) -> Iterator[Found]:
    servers = document.root["servers"]
    if len(servers.entries) != 1:
        yield Found(servers, "030", f"{len(servers.entries)} given")
    for server in servers:
        location = server["location"]
        last = (location.text or "").rpartition("/")[2]
        if not location.exists:
            yield Found(location, "010")
        elif not (location.text or "").startswith("s3://") or not last:
            yield Found(location, "031")
        elif (folder := _folder(document)) and not (location.text or "").rpartition("/")[0].endswith(folder):
            yield Found(location, "051", f"s3://<bucket>{folder}/{last}")
        if server["type"].value != "s3":
            yield Found(server["type"], "013", "one of s3")
        yield from _check_given(server["format"], shape.FORMAT)
        if server["delimiter"].is_given and server["delimiter"].value != "\t":
            yield from _check_delimiter(server["delimiter"])
        yield from _check_properties(server, shape.SERVER_PROPERTIES)
        dates, comma = custom(server).get("dateFormat"), custom(server).get("decimalComma")
        if comma and comma.value is True and server["format"].value in ("json", "ndjson"):
            yield Found(comma, "098")
        if dates and dates.text:
            yield from _check_format(dates, dates.text if "%" in dates.text else "", of_days=True)


def _folder(document: Document) -> str:
    """Where files of this flow are put and taken, whatever a location says; empty for a direction without one."""
    principal, direction, flow = contract_id(document)
    folder = FOLDERS.get(direction)
    return f"/{principal}/{folder}/{flow}" if folder and principal and flow else ""


def _check_delimiter(spot: Spot) -> Iterator[Found]:
    yield from check_shape(spot, shape.DELIMITER)
    if spot.text and not spot.text.isascii():
        yield Found(spot, "036")


def _check_tables(document: Document) -> Iterator[Found]:
    tables = document.root["schema"]
    if len(tables.entries) != 1 or not columns(document):
        yield Found(tables, "072", f"{len(tables.entries)} tables, {len(columns(document))} columns")
    seen: set[str] = set()
    for column in columns(document):
        name = column["name"]
        yield from _check_given(name, shape.COLUMN_NAME)
        if name.text in seen:
            yield Found(name, "070", name.text)
        seen.add(name.text or "")
        yield from _check_type(column)


def _check_type(column: Spot) -> Iterator[Found]:
    kind, pattern = column["logicalType"], column["logicalTypeOptions"]["format"]
    if kind.value == OPEN:
        yield Found(kind, "015")
    elif kind.value not in shape.LOGICAL_TYPES:
        yield Found(kind, "074", str(kind.value or "none"))
    if kind.value in DATED and pattern.is_given:
        yield from _check_format(pattern, pattern.text or "", of_days=kind.value in DAYS)
    for flag in ("required", "unique"):
        if column[flag].is_given:
            yield from Flag().check(column[flag])
    if column["examples"].exists:
        yield Found(column["examples"], "097")
    yield from (Found(spot, "099") for spot in _unjudged(column))


def _unjudged(column: Spot) -> Iterator[Spot]:
    """Yield constraints of the standard that the gate does not ask of any file."""
    is_dated = column["logicalType"].value in DATED
    yield from (spot for key, spot in column["logicalTypeOptions"].keys.items() if key != "format" or not is_dated)
    if column["primaryKey"].value:
        yield column["primaryKey"]
    if column["physicalName"].value not in (None, column["name"].value):
        yield column["physicalName"]


def _check_format(spot: Spot, pattern: str, *, of_days: bool) -> Iterator[Found]:
    """Check a format. ``of_days``: it is for something that has a day, not for a time alone."""
    form = strptime_format(pattern)
    if form is None:
        yield Found(spot, "037")
    elif not reads_back(form):
        yield Found(spot, "039")
    elif of_days and not says_a_day(form):
        yield Found(spot, "038")


def _check_return(document: Document) -> Iterator[Found]:
    """Check that a return says what it is made of, and each column where it comes from; no other contract does."""
    answers, direction = custom(document.root), contract_id(document)[1]
    if direction != Direction.OUTBOUND_RETURN:
        yield from (Found(answers[name], "033", name) for name in RECIPE if name in answers)
        return
    for name in RECIPE:
        if name not in answers or not answers[name].is_given:
            yield Found(document.root["customProperties"], "032", name)
    for column in columns(document):
        if "source" not in custom(column):
            yield Found(column, "034", column["name"].text or "")


def _check_results(document: Document) -> Iterator[Found]:
    """Check that agents' results, and nothing else, name the mapping of their platform."""
    answers, direction = custom(document.root), contract_id(document)[1]
    if (direction == Direction.INTERNAL) != ("resultMapping" in answers):
        yield Found(answers.get("resultMapping", document.root["customProperties"]), "035")


RULES: tuple[Callable[[Document], Iterator[Found]], ...] = (
    _check_top,
    _check_custom,
    _check_server,
    _check_tables,
    _check_return,
    _check_results,
    check_latency,
    check_key_references,
)


def _check_column(draft: Draft, agreement: Agreement | None) -> Iterator[Found]:
    yield from _check_emotion(draft)
    yield from _check_special(draft, agreement)
    if agreement:
        yield from _check_purposes(draft, agreement)
        yield from _check_row(draft, agreement)
        category = draft.answer("dataCategory")
        if category and category.text not in (*agreement.data_categories, dpv.NON_PERSONAL):
            yield Found(category, "067", f"{draft.name}: {dpv.short(category.text or '')}")


def _check_emotion(draft: Draft) -> Iterator[Found]:
    category, group = draft.word("dataCategory"), draft.group
    about_agent = group in _ABOUT_AGENTS or draft.word("subjectCategory") == dpv.DPV + "Employee"
    inferred = category in dpv.EMOTION_CATEGORIES and (about_agent or "agent" in draft.name.lower())
    if group in EMOTION_WORDS or inferred or _AGENT_EMOTION.search(draft.name):
        yield Found(draft.spot, "065", draft.name)


def _check_special(draft: Draft, agreement: Agreement | None) -> Iterator[Found]:
    special = draft.word("dataCategory") in dpv.SPECIAL_CATEGORIES | dpv.CRIMINAL_CATEGORIES
    carried = agreement is None or agreement.special_categories
    if special and not (carried and draft.word("art9Condition")):
        yield Found(draft.spot, "066", draft.name)
    if draft.word("subjectKey") == SubjectKind.NATIONAL_NUMBER and not draft.answer("nationalNumberAuthorisation"):
        yield Found(draft.spot, "068", draft.name)


def _check_purposes(draft: Draft, agreement: Agreement) -> Iterator[Found]:
    basis, holder = draft.word("legalBasis"), draft.word("basisHolder")
    for iri in draft.words("purposeIris"):
        listed = [purpose for purpose in agreement.purposes if purpose.iri == iri]
        spot = draft.answers["purposeIris"]
        if not listed:
            yield Found(spot, "060", dpv.short(iri))
        elif basis and not any(
            purpose.legal_basis == basis and holder in (None, purpose.basis_holder) for purpose in listed
        ):
            yield Found(draft.answers["legalBasis"], "061", f"{dpv.short(iri)} under {dpv.short(basis)}")


def _check_row(draft: Draft, agreement: Agreement) -> Iterator[Found]:
    rule, role, row = draft.answer("retentionRule"), draft.answer("roleProfile"), draft.row
    if rule and rule.value not in {known.code for known in agreement.retention_rules}:
        yield Found(rule, "062", str(rule.value))
    if row and role and role.value != row.role_profile:
        yield Found(role, "064", f"{draft.group} is {row.role_profile}")
    portable = draft.answer("portable")
    if row and not row.portable and portable and portable.value is True:
        yield Found(portable, "063", draft.name)


def _check_starts(found: tuple[Draft, ...], agreement: Agreement, direction: str) -> Iterator[Found]:
    """Find rules that start at an event for which copies of this direction have no day.

    Such a rule would never end, and nobody would see it.
    """
    if direction not in DATED_STARTS:
        return
    dated = DATED_STARTS[Direction(direction)]
    undated = {rule.code: rule for rule in agreement.retention_rules if rule.start_event not in dated}
    for draft in found:
        if rule := undated.get(draft.retention_rule or ""):
            spot = draft.answer("retentionRule") or draft.spot
            yield Found(spot, NEVER_DATED, f"{rule.code} starts at {rule.start_event}; {' '.join(dated)} have one")


def _check_pin(document: Document, agreement: Agreement) -> Iterator[Found]:
    pinned, principal = custom(document.root), contract_id(document)[0]
    name = pinned.get("agreementId", document.root["customProperties"])
    version = pinned.get("agreementVersion", document.root["customProperties"])
    if name.text and agreement.agreement_id != name.text:
        yield Found(name, "027", f"not {agreement.agreement_id}")
    elif version.text and agreement.version != version.text:
        yield Found(version, "028", f"not {agreement.version}")
    if principal and agreement.principal != principal:
        yield Found(name, "027", f"{agreement.agreement_id} is of {agreement.principal}")
