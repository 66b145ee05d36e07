"""The linter: each mistake gives its code at its line, and a right paper gives none."""

from pathlib import Path

import pytest

from agreement.papers import AGREEMENT, CONTRACT, CONTRACT_NAME, OLD_AGREEMENT, PRINCIPALS, Mistake, write_folder
from sluice.agreement.codes import CODES, GAP_CODES
from sluice.agreement.lint import lint_as, lint_path
from sluice.terms import Severity

PD = "https://w3id.org/dpv/pd#"
GDPR = "https://w3id.org/dpv/legal/eu/gdpr#"

PIN = "0123456789ABCDEF0123456789ABCDEF01234567"
ARRIVAL = "\narrival:\n  pgpKey: {{file: sends.asc, fingerprint: {}}}\n{}delivery:\n"
AGREEMENT_MISTAKES = (
    Mistake("AGR-001", "language: nl", "language: \udcff", "language"),
    Mistake("AGR-002", "language: nl", "language: [nl", "validFrom"),
    Mistake("AGR-003", "language: nl", "language: !!python/name:os.system nl", "language"),
    Mistake("AGR-003", "language: nl", "language: !!binary bmw=", "language"),
    Mistake("AGR-004", "language: nl", "language: nl\nlanguage: fr", "language: fr"),
    Mistake("AGR-005", "language: nl", "language: &l nl", "language: &l"),
    Mistake("AGR-005", "  e_rights:\n", "  e_rights:\n    <<: {forwardHours: 1}\n", "<<"),
    Mistake("AGR-006", "recipients: []", "recipients: []\n---\nmore: 1", "---"),
    Mistake("AGR-010", "basisText: eu-scc-2021-915\n", "", "agreementId"),
    Mistake("AGR-010", "      signedOn: 2025-12-18\n", "", "code: energy01"),
    Mistake("AGR-010", "forwardHours: 24", "forwardHours: null", "forwardHours"),
    Mistake("AGR-011", "language: nl", "language: nl\nlangage: nl", "langage"),
    Mistake("AGR-011", "basisHolder: principal", "basisHolder: principal\n      why: x", "why:"),
    Mistake("AGR-012", "validFrom: 2026-01-01", 'validFrom: "2026-01-01"', "validFrom"),
    Mistake("AGR-012", "countries: [NL]", "countries: [NO]", "countries"),
    Mistake("AGR-012", "forwardHours: 24", "forwardHours: soon", "forwardHours"),
    Mistake("AGR-012", "recipients: []", "recipients: nobody", "recipients"),
    Mistake("AGR-013", "basisText: eu-scc-2021-915", "basisText: handshake", "basisText"),
    Mistake("AGR-013", "fieldGroup: consent", "fieldGroup: consents", "fieldGroup: consents"),
    Mistake("AGR-013", "startEvent: received", "startEvent: someday", "someday"),
    Mistake("AGR-014", "minimumExamScore: 90", "minimumExamScore: 101", "101"),
    Mistake("AGR-014", "breachNoticeHours: 24", "breachNoticeHours: 96", "96"),
    Mistake("AGR-014", "delivery:\n", "limits: {columns: 65537}\ndelivery:\n", "limits"),
    Mistake("AGR-015", "subjectMatter: outbound", "subjectMatter: OPEN #", "subjectMatter: OPEN"),
    Mistake("AGR-016", "dpv#DirectMarketing", "dpv#DirectMarketting", "Marketting"),
    Mistake("AGR-016", "eu/gdpr#A6-1-f", "eu/gdpr#A6-1-g", "A6-1-g"),
    Mistake("AGR-016", "pd#TelephoneNumber", "pd#PhoneNumber", "pd#PhoneNumber"),
    Mistake("AGR-017", "version: 3.0.0", "version: v3", "version: v3"),
    Mistake("AGR-017", "duration: P90D", "duration: 90 days", "90 days"),
    Mistake("AGR-017", "duration: P90D", "duration: P", "duration: P,"),
    Mistake("AGR-018", "validFrom: 2026-01-01", "validFrom: 2026-02-30", "2026-02-30"),
    Mistake("AGR-019", "noticeDays: 30", "noticeDays: 0036", "0036"),
    Mistake("AGR-020", "supersedes: 2.4.0", "supersedes: 3.0.1", "supersedes"),
    Mistake("AGR-023", "validTo: null", "validTo: 2025-12-31", "validTo"),
    Mistake("AGR-026", "code: energy01", "code: energy02", "energy02"),
    Mistake("AGR-027", '"0987.654.394"', '"0987.654.395"', "0987.654.395"),
    Mistake("AGR-030", "code: P-CARE", "code: P-RENEW", "code: P-RENEW", 2),
    Mistake("AGR-031", "dpv#CustomerCare", "dpv#DirectMarketing", "dpv#DirectMarketing", 2),
    Mistake("AGR-033", "present: false", "present: true", "present: true"),
    Mistake("AGR-034", f'"{PD}UID"', f'"{PD}Health"', "pd#Health"),
    Mistake("AGR-035", "\ndelivery:\n", ARRIVAL.format(PIN, ""), "sends.asc"),
    Mistake("AGR-017", "\ndelivery:\n", ARRIVAL.format("C0FFEE", ""), "C0FFEE"),
    Mistake("AGR-012", "\ndelivery:\n", ARRIVAL.format(PIN, '  mustBeSigned: "no"\n'), "mustBeSigned"),
    Mistake("AGR-010", "\ndelivery:\n", "\narrival: {mustBeEncrypted: true}\ndelivery:\n", "arrival:"),
    Mistake("AGR-040", "  - {code: RESTORE,", "  #", "security:"),
    Mistake("AGR-041", "code: RESTORE", "code: PHYSICAL", "visitor register"),
    Mistake("AGR-050", "countries: [NL]", "countries: [US]", "[US]"),
    Mistake("AGR-051", "[NL]\n      transferBasis: null", f'[US]\n      transferBasis: "{GDPR}A46-2-c"', "A46-2-c"),
    Mistake("AGR-054", "  country: BE", "  country: US", "country: US"),
    Mistake("AGR-051", "  country: BE", f'  country: US\n  transferBasis: "{GDPR}A46-2-c"', "A46-2-c"),
    Mistake("AGR-054", "  country: BE", "  country: XQ", "country: XQ"),
    Mistake("AGR-052", "  noticeDays: 30\n", "", "subProcessors:"),
    Mistake("AGR-053", "countries: [NL]", "countries: [XQ]", "[XQ]"),
    Mistake("AGR-070", "code: RET-02", "code: RET-01", "duration: P1Y"),
    Mistake("AGR-071", "fieldGroup: contact_point", "fieldGroup: identity", "- direction: inbound", 2),
    Mistake("AGR-072", "retentionRule: RET-02", "retentionRule: RET-09", "RET-09"),
    Mistake("AGR-074", "roleProfile: SEED_OWNER", "roleProfile: JOINT", "JOINT"),
    Mistake(
        "AGR-077", "seedOwner: {signOff: null", "seedOwner: {twoPersonSignOff: true, signOff: CEO", "twoPersonSignOff"
    ),
    Mistake("AGR-080", "fieldGroup: consent", "fieldGroup: emotion", "emotion"),
)

CONTRACT_MISTAKES = (
    Mistake("CON-002", "status: active", "status: {active", "domain"),
    Mistake("CON-003", "status: active", "status: !active active", "status"),
    Mistake("CON-004", "status: active", "status: active\nstatus: draft", "status: draft"),
    Mistake("CON-005", "status: active", "status: &s active", "status"),
    Mistake("CON-008", "mustBeGreaterThan: 0", "mustBeBetween: [1, 1]", "mustBeBetween"),
    Mistake("CON-010", "id: energy01.inbound.renewal_campaign\n", "", "apiVersion"),
    Mistake("CON-010", "  - server: drop\n    type", "  - type", "  - type"),
    Mistake("CON-010", "  - {property: agreementId, value: DPA-ENERGY01}\n", "", "customProperties:            #"),
    Mistake("CON-011", "domain: telesales", "domane: telesales", "domane"),
    Mistake("CON-011", "        unique: true", "        uniqe: true", "uniqe"),
    Mistake("CON-011", "  name: energy01 desk", "  nme: energy01 desk", "nme: energy01"),
    Mistake("CON-012", "version: 1.0.0", "version: 1.0", "version: 1.0"),
    Mistake("CON-012", "unique: true", "unique: sometimes", "sometimes"),
    Mistake("CON-012", "{validValues: [", "{validValues: [BE, NL, NO, ", "validValues: [BE"),
    Mistake("CON-012", "{validValues: [", "{validValues: [2024-01-01, ", "2024-01-01"),
    Mistake(
        "CON-012",
        "metric: invalidValues\n            arguments: {pattern: '^E[0-9]{8}$'}",
        "metric: missingValues\n            arguments: {missingValues: [x, 0]}",
        "[x, 0]",
    ),
    Mistake("CON-013", "apiVersion: v3.1.0", "apiVersion: v2.0.0", "apiVersion"),
    Mistake("CON-013", "format: csv", "format: pdf", "format: pdf"),
    Mistake("CON-013", "metric: rowCount", "metric: rows", "metric: rows"),
    Mistake("CON-013", "value: contact_point", "value: contact_points", "contact_points"),
    Mistake("CON-013", "dataOrigin, value: observed", "dataOrigin, value: seen", "seen"),
    Mistake("CON-014", "maxRefusedShare, value: 0.1", "maxRefusedShare, value: 10", "maxRefusedShare"),
    Mistake("CON-016", "pd#EmailAddress", "pd#Email", 'pd#Email"'),
    Mistake("CON-017", 'delimiter: ";"', 'delimiter: ";;"', "delimiter"),
    Mistake("CON-017", "region, value: BE", "region, value: Belgium", "Belgium"),
    Mistake("CON-018", "status: active", "status: 2026-02-30", "status"),
    Mistake("CON-019", "min_value: 0,", "min_value: 0100,", "min_value"),
    Mistake("CON-019", "min_value: 0,", "min_value: 12:30,", "min_value"),
    Mistake("CON-019", "min_value: 0,", "min_value: 1:30.5,", "min_value"),
    Mistake("CON-019", "min_value: 0,", "min_value: 0x10,", "min_value"),
    Mistake("CON-020", "id: energy01.inbound.renewal_campaign", "id: renewals", "id: renewals"),
    Mistake("CON-020", "id: energy01.inbound", "id: energy01.inwards", "inwards"),
    Mistake("CON-021", "principal, value: energy01", "principal, value: energy02", "energy02"),
    Mistake("CON-021", "direction, value: inbound", "direction, value: internal", "internal"),
    Mistake("CON-022", "inbound.renewal_campaign", "inbound.renewals", "id:"),
    Mistake("CON-023", "id: energy01.inbound", "id: energy02.inbound", "id: energy02"),
    Mistake("CON-027", "value: DPA-ENERGY01", "value: DPA-OTHER", "DPA-OTHER"),
    Mistake("CON-028", "agreementVersion, value: 3.0.0", "agreementVersion, value: 3.0.1", "3.0.1"),
    Mistake(
        "CON-030",
        "servers:\n",
        "servers:\n  - {server: other, type: s3, location: s3://b/*.csv, format: csv}\n",
        "servers:",
    ),
    Mistake("CON-031", "/renewal_campaign/*.csv", "/renewal_campaign/", "location"),
    Mistake("CON-033", "property: maxRefusedShare, value: 0.1", "property: recordId, value: phone", "phone}"),
    Mistake("CON-035", "property: maxRefusedShare, value: 0.1", "property: resultMapping, value: five9", "five9"),
    Mistake("CON-031", "location: s3://", "location: https://", "location"),
    Mistake("CON-037", "format: dd/MM/yyyy", "format: dd/MMM/yyyy", "MMM"),
    Mistake(
        "CON-037",
        "date\n        logicalTypeOptions: {format: dd/MM/yyyy}",
        "time\n        logicalTypeOptions: {format: HH:mmZ}",
        "mmZ",
    ),
    Mistake("CON-037", '"%d/%m/%Y"', "dd/MM/yyyy", "dateFormat"),
    Mistake("CON-036", 'delimiter: ";"', 'delimiter: "§"', "delimiter"),
    Mistake("CON-038", "format: dd/MM/yyyy", "format: dd/mm/yyyy", "format: dd/mm"),
    Mistake("CON-038", "format: dd/MM/yyyy", "format: MM/yyyy", "MM/yyyy"),
    Mistake("CON-038", '"%d/%m/%Y"', '"%d/%M/%Y"', "dateFormat"),
    Mistake("CON-039", "format: dd/MM/yyyy", 'format: "dd/MM/yyyy HH:MM:ss"', "HH:MM"),
    Mistake("CON-039", '"%d/%m/%Y"', '"%d/%m/%Y %H:%m"', "dateFormat"),
    Mistake("CON-039", '"%d/%m/%Y"', '"%d/%m/%Y%"', "dateFormat"),
    Mistake("CON-040", "          - {property: fieldGroup, value: identity}\n", "", "name: customer_number"),
    Mistake("CON-041", f'          - {{property: dataCategory, value: "{PD}UID"}}\n', "", "name: customer_number"),
    Mistake("CON-041", f'dataCategory, value: "{PD}UID"', "dataCategory, value: OPEN", "OPEN"),
    Mistake("CON-042", 'value: ["https://w3id.org/dpv#DirectMarketing"]', "value: []", "purposeIris"),
    Mistake("CON-043", "  - {property: legalBasis, value:", "  - {property: basis, value:", "name: customer_number"),
    Mistake(
        "CON-044",
        "fieldGroup, value: financial}",
        "fieldGroup, value: survey}\n          - {property: roleProfile, value: OPEN}",
        "OPEN",
    ),
    Mistake("CON-046", "  - {property: dataOrigin, value: provided}\n", "", "name: customer_number"),
    Mistake("CON-060", "dpv#DirectMarketing", "dpv#ServiceMonitoring", "ServiceMonitoring"),
    Mistake("CON-061", "gdpr#A6-1-f", "gdpr#A6-1-a", "A6-1-a"),
    Mistake("CON-062", "retentionRule, value: RET-02", "retentionRule, value: RET-07", "RET-07"),
    Mistake("CON-064", "roleProfile, value: PRINCIPAL_CONTROLLER", "roleProfile, value: JOINT", "JOINT"),
    Mistake("CON-065", "fieldGroup, value: consent", "fieldGroup, value: sentiment", "name: opt_in_phone"),
    Mistake("CON-065", "name: campaign_code", "name: agent_emotion", "agent_emotion"),
    Mistake("CON-066", "pd#BirthDate", "pd#Health", "name: birth_date"),
    Mistake("CON-070", "name: first_name", "name: last_name", "name: last_name", 2),
    Mistake("CON-074", "logicalType: number", "logicalType: array", "array"),
    Mistake("CON-080", "id: customer_number_shape", "id: rows", "id: rows\n"),
    Mistake("CON-081", "mustBe: 0", "mustBe: .nan", ".nan"),
    Mistake("CON-081", "metric: rowCount, mustBeGreaterThan: 0", "metric: rowCount, mustBeLessThan: .inf", ".inf"),
    Mistake("CON-081", "{column: monthly_amount, min_value: 0,", "{column: monthly_amount, min_value: -.inf,", "-.inf"),
    Mistake("CON-081", '["nl", "fr", "de", "en"]', "[1, .nan]", ".nan"),
    Mistake("CON-082", "mustBeGreaterThan: 0", "mustBeGreaterThan: 0, mustBe: 1", "mustBe: 1"),
    Mistake("CON-083", "mustBe: 0", "mustBe: none", "none"),
    Mistake("CON-086", "{column: monthly_amount,", "{column: month_amount,", "month_amount"),
    Mistake("CON-087", "validValues:", "validvalues:", "validvalues"),
    Mistake("CON-088", "'^E[0-9]{8}$'", "'^E[0-9{8}$'", "E[0-9{8}"),
    Mistake("CON-089", "metric: invalidValues", "metric: rowCount", "metric: rowCount\n"),
    Mistake("CON-090", "type: expect_column_values_to_be_between", "type: expect_sql", "expect_sql"),
    Mistake("CON-091", "min_value: 0,", "min_value: 0, row_condition: x > 1,", "row_condition"),
    Mistake("CON-092", "metric: rowCount, mustBeGreaterThan: 0", "type: sql, query: select 1", "query"),
    Mistake("CON-093", "engine: greatExpectations", "engine: soda", "soda"),
    Mistake("CON-094", "{column: monthly_amount,", "{column: note,", "column: note"),
)

WARNINGS = (
    (AGREEMENT, Mistake("AGR-021", "supersedes: 2.4.0", "supersedes: 2.3.0", "supersedes")),
    (AGREEMENT, Mistake("AGR-024", "signedOn: 2025-12-18", "signedOn: 2026-02-01", "2026-02-01")),
    (AGREEMENT, Mistake("AGR-025", "documentSha256: ", f'documentSha256: "{"0" * 64}" #', "documentSha256")),
    (AGREEMENT, Mistake("AGR-036", "delivery:\n", "limits: {columns: 1025}\ndelivery:\n", "limits")),
    (AGREEMENT, Mistake("AGR-042", 'text: "restore test', 'text: ""} # "', "security:")),
    (AGREEMENT, Mistake("AGR-073", "language: nl", "language: nl", "seedOwner")),
    (AGREEMENT, Mistake("AGR-076", "roleProfile: PRINCIPAL_CONTROLLER", "roleProfile: SEED_OWNER", "SEED_OWNER")),
    (CONTRACT, Mistake("CON-029", "agreementVersion, value: 3.0.0", "agreementVersion, value: 2.4.0", "2.4.0")),
    (
        CONTRACT,
        Mistake(
            "CON-063",
            "          - {property: fieldGroup, value: identity}",
            "          - {property: portable, value: true}\n          - {property: fieldGroup, value: identity}",
            "portable",
        ),
    ),
    (CONTRACT, Mistake("CON-067", "pd#UID", "pd#Username", "pd#Username")),
    (CONTRACT, Mistake("CON-068", "value: principal_customer_id", "value: national_number", "name: customer_number")),
    (CONTRACT, Mistake("CON-096", "property: automated", "property: automatted", "automatted")),
    (CONTRACT, Mistake("CON-098", "format: csv", "format: json", "decimalComma")),
    (CONTRACT, Mistake("CON-099", "        unique: true", "        primaryKey: true", "primaryKey")),
    (CONTRACT, Mistake("CON-099", "        unique: true", "        physicalName: klantnr", "physicalName")),
    (CONTRACT, Mistake("CON-099", "        unique: true", "        logicalTypeOptions: {maxLength: 9}", "maxLength")),
    (CONTRACT, Mistake("CON-099", "        unique: true", "        logicalTypeOptions: {format: email}", "email}")),
    (CONTRACT, Mistake("CON-099", "{format: dd/MM/yyyy}", "{format: dd/MM/yyyy, minimum: 01/01/1900}", "minimum")),
    (CONTRACT, Mistake("CON-097", "        unique: true", "        examples: [E1]", "examples")),
)


def lint_changed(tmp_path: Path, mistake: Mistake, text: str) -> tuple[list[tuple[str, int]], str]:
    """Codes and lines of one changed paper, beside the other one and the older agreement."""
    changed = mistake.apply(text)
    is_agreement = text is AGREEMENT
    folder = write_folder(tmp_path)
    (folder / "agreement-2.4.0.yaml").write_text(OLD_AGREEMENT, encoding="utf-8")
    path = folder / ("agreement-3.0.0.yaml" if is_agreement else CONTRACT_NAME)
    path.write_bytes(changed.encode("utf-8", "surrogateescape"))
    return [(problem.code, problem.line) for problem in lint_path(path)], changed


@pytest.mark.parametrize("mistake", AGREEMENT_MISTAKES, ids=lambda m: f"{m.code} {m.new[:30]!r}")
def test_a_mistake_in_an_agreement_is_named_with_its_line(tmp_path: Path, mistake: Mistake) -> None:
    found, changed = lint_changed(tmp_path, mistake, AGREEMENT)

    assert (mistake.code, mistake.line(changed)) in found
    assert CODES[mistake.code].severity is Severity.ERROR


@pytest.mark.parametrize("mistake", CONTRACT_MISTAKES, ids=lambda m: f"{m.code} {m.new[:30]!r}")
def test_a_mistake_in_a_contract_is_named_with_its_line(tmp_path: Path, mistake: Mistake) -> None:
    found, changed = lint_changed(tmp_path, mistake, CONTRACT)

    assert (mistake.code, mistake.line(changed)) in found
    assert CODES[mistake.code].severity is Severity.ERROR


@pytest.mark.parametrize(("text", "mistake"), WARNINGS, ids=lambda v: v.code if isinstance(v, Mistake) else "")
def test_a_warning_is_shown_and_is_no_problem(tmp_path: Path, text: str, mistake: Mistake) -> None:
    found, changed = lint_changed(tmp_path, mistake, text)

    assert (mistake.code, mistake.line(changed)) in found
    assert CODES[mistake.code].severity is Severity.WARNING


def test_most_mistakes_are_reported_once_and_alone(tmp_path: Path) -> None:
    alone = 0
    sample = CONTRACT_MISTAKES[::4]
    for number, mistake in enumerate(sample):
        found, _ = lint_changed(tmp_path / str(number), mistake, CONTRACT)
        alone += len({code for code, _ in found if CODES[code].severity is Severity.ERROR}) == 1

    assert alone >= 0.8 * len(sample)


def test_every_code_of_the_table_has_a_test() -> None:
    elsewhere = {
        "AGR-007",
        "AGR-009",
        "CON-009",
        "AGR-022",
        "AGR-028",
        "AGR-029",
        "AGR-075",
        "CON-001",
        "CON-006",
        "CON-007",
    } | {
        "CON-015",
        "CON-024",
        "CON-026",
        "CON-032",
        "CON-034",
        "CON-045",
        "CON-072",
        "CON-084",
        "CON-085",
    }
    tested = {m.code for m in (*AGREEMENT_MISTAKES, *CONTRACT_MISTAKES)} | {m.code for _, m in WARNINGS}

    assert set(CODES) - tested - elsewhere == set()
    assert len({(m.code, m.new) for m in (*AGREEMENT_MISTAKES, *CONTRACT_MISTAKES)}) >= 40


def test_the_principals_of_the_checkout_have_no_problem() -> None:
    problems = [p for p in lint_path(PRINCIPALS) if p.severity is Severity.ERROR]

    assert problems == []


def test_no_paper_of_ours_says_what_nothing_judges(schemas: Path, tmp_path: Path) -> None:
    same = CONTRACT.replace("        unique: true", "        physicalName: customer_number\n        primaryKey: false")
    assert same != CONTRACT
    write_folder(tmp_path, contract=same)

    places = (PRINCIPALS, schemas / "examples", tmp_path)
    assert [p for place in places for p in lint_path(place) if p.code == "CON-099"] == []


def test_the_given_examples_lint_clean_as_they_are(schemas: Path) -> None:
    for path in (
        schemas / "examples",
        schemas / "examples" / "contract.odcs.yaml",
        schemas / "examples" / "agreement.yaml",
    ):
        assert [p for p in lint_path(path) if p.severity is Severity.ERROR] == []


def test_a_contract_left_open_is_a_gap_at_each_place_and_nothing_else(tmp_path: Path) -> None:
    text = CONTRACT.replace("value: 0.1}", "value: OPEN}").replace("value: identity}", "value: OPEN}")
    folder = write_folder(tmp_path, contract=text)

    codes = [problem.code for problem in lint_path(folder / CONTRACT_NAME) if problem.severity is Severity.ERROR]

    assert codes.count("CON-040") == 4  # customer_number, first_name, last_name, birth_date
    assert codes.count("CON-015") == 1
    assert set(codes) <= GAP_CODES


def test_a_column_without_retention_anywhere_is_a_gap(tmp_path: Path) -> None:
    agreement = AGREEMENT.replace("    retentionRule: RET-01\n    portable: false\n", "    portable: false\n", 1)
    contract = CONTRACT.replace("  - {property: retentionRule, value: RET-01}\n", "")
    folder = write_folder(tmp_path, agreement, contract)

    gaps = [problem for problem in lint_path(folder / CONTRACT_NAME) if problem.code == "CON-045"]

    assert [p.message.split(" - ")[1].split(".")[0] for p in gaps] == [
        "customer_number",
        "first_name",
        "last_name",
        "birth_date",
    ]


def test_one_default_left_open_is_one_problem_that_names_its_columns(tmp_path: Path) -> None:
    text = CONTRACT.replace('["https://w3id.org/dpv#DirectMarketing"]', "[OPEN]")
    folder = write_folder(tmp_path, contract=text)

    found = [problem for problem in lint_path(folder / CONTRACT_NAME) if problem.code == "CON-042"]

    assert len(found) == 1
    assert "customer_number, first_name, last_name, phone, email and 15 more" in found[0].message


def test_what_is_no_paper_or_no_file_is_said(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, contract="kind: Recipe\n")
    (folder / "agreement-9.yaml").write_text("- agreementId: x\n", encoding="utf-8")
    (folder / "agreement-8.yaml").write_text("hello: world\n", encoding="utf-8")

    codes = {Path(p.path).name: p.code for p in lint_path(folder) if p.severity is Severity.ERROR}

    assert codes == {CONTRACT_NAME: "CON-007", "agreement-9.yaml": "AGR-006", "agreement-8.yaml": "AGR-007"}
    assert [p.code for p in lint_path(folder / "nothing.yaml")] == ["AGR-001"]


def test_a_paper_of_the_other_kind_is_one_problem_that_names_the_right_command(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, agreement=AGREEMENT.replace("forwardHours: 24", "forwardHours: soon"))
    agreement, contract = folder / "agreement-3.0.0.yaml", folder / CONTRACT_NAME

    (of_agreement,) = lint_as(agreement, "CON")
    (of_contract,) = lint_as(contract, "AGR")

    assert (of_agreement.code, of_contract.code) == ("CON-009", "AGR-009")
    assert "this is an agreement" in of_agreement.message and "sluice agreement lint" in of_agreement.message
    assert "this is a contract" in of_contract.message and "sluice contract lint" in of_contract.message
    assert of_agreement.line == Mistake("", "", "", "agreementId:").line(agreement.read_text(encoding="utf-8"))
    assert of_contract.line == Mistake("", "", "", "kind:").line(contract.read_text(encoding="utf-8"))


@pytest.mark.parametrize("number", ["0", "-1", "0.5", "10", "00.5", '"010"', "1e3"])
def test_a_number_that_is_what_it_looks_like_is_none_of_another_base(tmp_path: Path, number: str) -> None:
    folder = write_folder(tmp_path, contract=CONTRACT.replace("min_value: 0,", f"min_value: {number},"))

    assert [problem for problem in lint_path(folder / CONTRACT_NAME) if problem.code == "CON-019"] == []


def test_a_paper_of_the_right_kind_and_a_folder_are_linted_as_ever(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, agreement=AGREEMENT.replace("forwardHours: 24", "forwardHours: soon"))
    agreement, contract = folder / "agreement-3.0.0.yaml", folder / CONTRACT_NAME

    assert lint_as(agreement, "AGR") == lint_path(agreement) != []
    assert lint_as(contract, "CON") == lint_path(contract)
    assert lint_as(folder, "AGR") == lint_as(folder, "CON") == lint_path(folder)
    assert [problem.code for problem in lint_as(folder / "nothing.yaml", "CON")] == ["AGR-001"]


@pytest.mark.parametrize("body", [b"kind: DataContract\nschema: " + b"[" * 40 + b"]" * 40, b"- kind: DataContract\n"])
def test_deep_or_other_shapes_are_refused_before_they_are_built(tmp_path: Path, body: bytes) -> None:
    (tmp_path / CONTRACT_NAME).write_bytes(body)

    assert [p.code for p in lint_path(tmp_path / CONTRACT_NAME)] == ["CON-006"]


def test_a_file_larger_than_a_mebibyte_is_not_read(tmp_path: Path) -> None:
    (tmp_path / CONTRACT_NAME).write_bytes(b"#" * (1024 * 1024 + 1))

    assert [p.code for p in lint_path(tmp_path / CONTRACT_NAME)] == ["CON-001"]


def test_a_contract_alone_is_linted_without_what_its_agreement_says(tmp_path: Path) -> None:
    (tmp_path / CONTRACT_NAME).write_text(CONTRACT, encoding="utf-8")

    found = lint_path(tmp_path / CONTRACT_NAME)

    assert [(p.code, p.severity) for p in found] == [("CON-026", Severity.WARNING)]
    assert [p.code for p in lint_path(tmp_path)] == ["CON-027"]


def test_doubles_and_shared_ids_are_found_across_files(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "agreement-copy.yaml").write_text(AGREEMENT, encoding="utf-8")
    (folder / "copy.odcs.yaml").write_text(CONTRACT, encoding="utf-8")
    other = write_folder(tmp_path / "more", AGREEMENT.replace("code: energy01", "code: energy02"), None)
    other.rename(tmp_path / "energy02")

    codes = {problem.code for problem in lint_path(tmp_path)}

    assert {"AGR-022", "CON-024", "AGR-029"} <= codes


def test_an_agreement_without_inbound_rows_and_a_contract_without_columns(tmp_path: Path) -> None:
    agreement = AGREEMENT.replace("direction: inbound", "direction: internal")
    contract = CONTRACT[: CONTRACT.index("    properties:\n")] + CONTRACT[CONTRACT.index("slaProperties:") :]
    folder = write_folder(tmp_path, agreement, contract)

    codes = {problem.code for problem in lint_path(folder)}

    assert {"AGR-075", "CON-072"} <= codes


def test_messages_name_place_and_cure_but_no_contact(tmp_path: Path) -> None:
    text = AGREEMENT.replace("email: privacy@energy01.example", "email: someone secret")
    folder = write_folder(tmp_path, text)

    messages = [problem.message for problem in lint_path(folder)]

    assert any("parties.controllers[0].contact.email" in message and "Cure: " in message for message in messages)
    assert not any("secret" in message for message in messages)


def test_a_return_says_what_it_is_made_of_and_where_each_column_comes_from(tmp_path: Path) -> None:
    name = "renewal_results.outbound_return.odcs.yaml"
    text = (PRINCIPALS / "energy01" / name).read_text(encoding="utf-8")
    folder = write_folder(tmp_path, contract=None)
    (folder / name).write_text(text, encoding="utf-8")
    assert [problem.code for problem in lint_path(folder) if problem.code.startswith("CON")] == []

    broken = text.replace("  - {property: recordId, value: customer_number}\n", "").replace(
        "          - {property: source, value: contacts.phone}\n", ""
    )
    (folder / name).write_text(broken, encoding="utf-8")

    assert {problem.code for problem in lint_path(folder)} >= {"CON-032", "CON-034"}
