"""The linter: each mistake gives its code at its line, and a right paper gives none."""

import shutil
from pathlib import Path

import pytest
import yaml

from agreement.papers import AGREEMENT, CONTRACT, CONTRACT_NAME, OLD_AGREEMENT, PRINCIPALS, Mistake, write_folder
from sluice.agreement.codes import CODES, GAP_CODES
from sluice.agreement.folder.lint import lint_as, lint_path
from sluice.settings import get_settings
from sluice.terms import Severity
from support.effort import effort

MISTAKES = yaml.safe_load(Path(__file__).with_name("mistakes.yaml").read_text(encoding="utf-8"))
AGREEMENT_MISTAKES, CONTRACT_MISTAKES, AGREEMENT_WARNINGS, CONTRACT_WARNINGS = (
    [Mistake(*each) for each in MISTAKES[kind]]
    for kind in ("agreement", "contract", "agreement warnings", "contract warnings")
)
ERROR, WARNING = Severity.ERROR, Severity.WARNING


def lint_changed(tmp_path: Path, mistake: Mistake, text: str) -> tuple[list[tuple[str, int]], str]:
    """Codes and lines of one changed paper, beside the other one and the older agreement."""
    changed = mistake.apply(text)
    is_agreement = text is AGREEMENT
    folder = write_folder(tmp_path)
    (folder / "agreement-2.4.0.yaml").write_text(OLD_AGREEMENT, encoding="utf-8")
    path = folder / ("agreement-3.0.0.yaml" if is_agreement else CONTRACT_NAME)
    path.write_bytes(changed.encode("utf-8", "surrogateescape"))
    return [(problem.code, problem.line) for problem in lint_path(path)], changed


@pytest.mark.parametrize(
    ("text", "mistake", "severity"),
    [(AGREEMENT, each, ERROR) for each in AGREEMENT_MISTAKES]
    + [(CONTRACT, each, ERROR) for each in CONTRACT_MISTAKES]
    + [(AGREEMENT, each, WARNING) for each in AGREEMENT_WARNINGS]
    + [(CONTRACT, each, WARNING) for each in CONTRACT_WARNINGS],
    ids=lambda each: f"{each.code} {each.new[:30]!r}" if isinstance(each, Mistake) else "",
)
def test_a_mistake_in_a_paper_is_named_with_its_line_and_a_warning_is_no_problem(tmp_path, text, mistake, severity):
    found, changed = lint_changed(tmp_path, mistake, text)
    assert (mistake.code, mistake.line(changed)) in found
    assert CODES[mistake.code].severity is severity


@pytest.mark.parametrize(("said", "meant"), [("UK", "GB"), ("EL", "GR"), ("XQ", "BE")])
def test_a_region_without_phone_numbers_is_told_with_the_code_that_has_them(tmp_path, said, meant):
    path = write_folder(tmp_path) / CONTRACT_NAME
    path.write_text(CONTRACT.replace("region, value: BE", f"region, value: {said}"), encoding="utf-8")
    assert [(problem.code, meant in problem.message) for problem in lint_path(path)] == [("CON-025", True)]


RETURN = "renewal_results.outbound_return.odcs.yaml"


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ("contactsFlow, value: renewal_campaign", "contactsFlow, value: renewals", "contactsFlow"),
        ("resultsFlow, value: renewal_results", "resultsFlow, value: results", "resultsFlow"),
        ("recordId, value: customer_number", "recordId, value: customer", "recordId"),
        ("source, value: contacts.customer_number", "source, value: contacts.number", "contacts.number"),
    ],
)
def test_a_return_that_could_never_be_made_is_a_problem_of_its_contract(tmp_path, old, new, at):
    folder = tmp_path / "energy01"
    shutil.copytree(PRINCIPALS / "energy01", folder)
    assert [problem for problem in lint_path(folder) if problem.code == "CON-050"] == [], "control: as it stands"
    text = (folder / RETURN).read_text(encoding="utf-8")
    assert old in text
    (folder / RETURN).write_text(changed := text.replace(old, new, 1), encoding="utf-8")
    [problem] = [found for found in lint_path(folder / RETURN) if found.code == "CON-050"]
    assert problem.line == changed[: changed.index(at)].count("\n") + 1


def test_a_return_of_which_nothing_proves_whose_record_it_is_is_told(tmp_path: Path) -> None:
    folder, results = tmp_path / "energy01", "renewal_results.internal.odcs.yaml"
    shutil.copytree(PRINCIPALS / "energy01", folder)
    assert [problem for problem in lint_path(folder) if problem.code == "CON-055"] == [], "control: as it stands"
    text = (folder / results).read_text(encoding="utf-8")
    key = "          - {property: subjectKey, value: phone_e164}\n"
    assert key in text, "the record id alone proves nothing, as rows are joined on it"
    (folder / results).write_text(text.replace(key, ""), encoding="utf-8")
    [problem] = [found for found in lint_path(folder) if found.code == "CON-055"]
    assert (Path(problem.path).name, problem.severity) == (RETURN, Severity.WARNING)
    assert "one of email, phone_e164" in problem.message


@pytest.mark.parametrize(
    ("text", "old", "new", "told"),
    [
        (AGREEMENT, "      legalBasis:", "      legalbasis:", "perhaps legalBasis"),
        (AGREEMENT, "pd#TelephoneNumber", "pd#PhoneNumber", "perhaps https://w3id.org/dpv/pd#TelephoneNumber"),
        (AGREEMENT, "    - code: energy01", "\t- code: energy01", "column 1: a tab"),
        (AGREEMENT, "language: nl", "language: nl: fr", "column 13"),
        (AGREEMENT, "transfersOutsideEea: forbidden", "transfersOutsideEea: no", "one of forbidden"),
        (CONTRACT, "logicalType: date", "logicaltype: date", "perhaps logicalType"),
        (CONTRACT, "expect_column_values_to_be_between", "expect_column_value_to_be_between", "values_to_be_between"),
        (CONTRACT, "min_value: 0", "min: 0", "column min_value max_value strict_min strict_max"),
    ],
)
def test_a_mistake_is_told_with_what_was_probably_meant(tmp_path, text, old, new, told):
    is_agreement = text is AGREEMENT
    folder = write_folder(tmp_path)
    path = folder / ("agreement-3.0.0.yaml" if is_agreement else CONTRACT_NAME)
    assert old in text and not any(told in problem.message for problem in lint_path(path)), "control"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(told in problem.message for problem in lint_path(path))


def test_a_contract_whose_agreement_cannot_be_read_says_so(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, agreement=AGREEMENT.replace("language: nl", "language: [nl"))
    found = {problem.code: problem.message for problem in lint_path(folder)}
    assert set(found) == {"AGR-002", "CON-027"}
    assert "agreement-3.0.0.yaml cannot be read, see AGR-002" in found["CON-027"]


def test_results_without_their_mapping_are_a_problem_where_mappings_are(tmp_path, monkeypatch):
    folder = tmp_path / "energy01"
    shutil.copytree(PRINCIPALS / "energy01", folder)
    path = folder / "renewal_results.internal.odcs.yaml"
    assert not any(problem.code == "CON-052" for problem in lint_path(folder)), "control: as it stands"
    path.write_text(path.read_text(encoding="utf-8").replace("value: five9", "value: five10"), encoding="utf-8")
    [problem] = [found for found in lint_path(path) if found.code == "CON-052"]
    assert "five10; there are amazon_connect, five9" in problem.message
    monkeypatch.setenv("SLUICE_MAPPINGS_DIR", str(tmp_path / "none"))
    get_settings.cache_clear()
    assert not any(found.code == "CON-052" for found in lint_path(path)), "a principal's own machine has none"


def test_most_mistakes_are_reported_once_and_alone(tmp_path: Path) -> None:
    alone, sample = 0, CONTRACT_MISTAKES[:: effort(10, 4)]
    for number, mistake in enumerate(sample):
        found, _ = lint_changed(tmp_path / str(number), mistake, CONTRACT)
        alone += len({code for code, _ in found if CODES[code].severity is ERROR}) == 1
    assert alone >= 0.8 * len(sample)


def test_every_code_of_the_table_has_a_test() -> None:
    elsewhere = {f"AGR-{code}" for code in ["007", "009", "022", "028", "029", "037", "047", "075"]}
    contracts = "001 006 007 009 015 024 026 032 034 045 047 050 052 055 072 075 076 077 084 085"
    elsewhere |= {f"CON-{code}" for code in contracts.split()}
    errors = {(each.code, each.new) for each in (*AGREEMENT_MISTAKES, *CONTRACT_MISTAKES)}
    tested = {code for code, _ in errors} | {each.code for each in (*AGREEMENT_WARNINGS, *CONTRACT_WARNINGS)}
    assert set(CODES) - tested - elsewhere == set() and len(errors) >= 40


def test_the_papers_of_the_checkout_and_the_given_examples_have_no_problem(schemas: Path, tmp_path: Path) -> None:
    same = CONTRACT.replace("        unique: true", "        physicalName: customer_number\n        primaryKey: false")
    assert same != CONTRACT
    write_folder(tmp_path, contract=same)
    examples = schemas / "examples"
    for place in (PRINCIPALS, examples, examples / "contract.odcs.yaml", examples / "agreement.yaml", tmp_path):
        found = lint_path(place)
        assert [
            each for each in found if (each.severity is ERROR and place != tmp_path) or each.code == "CON-099"
        ] == []


def test_what_is_left_open_is_a_gap_at_each_place_and_a_default_one_problem_that_names_its_columns(tmp_path):
    text = CONTRACT.replace("value: 0.1}", "value: OPEN}").replace("value: identity}", "value: OPEN}")
    folder = write_folder(tmp_path / "0", contract=text)
    codes = [problem.code for problem in lint_path(folder / CONTRACT_NAME) if problem.severity is Severity.ERROR]
    assert codes.count("CON-040") == 4  # customer_number, first_name, last_name, birth_date
    assert codes.count("CON-015") == 1
    assert set(codes) <= GAP_CODES
    agreement = AGREEMENT.replace("    retentionRule: RET-01\n    portable: false\n", "    portable: false\n", 1)
    contract = CONTRACT.replace("  - {property: retentionRule, value: RET-01}\n", "")
    folder = write_folder(tmp_path / "1", agreement, contract)
    gaps = [problem for problem in lint_path(folder / CONTRACT_NAME) if problem.code == "CON-045"]
    assert [p.message.split(" - ")[1].split(".")[0] for p in gaps] == [
        "customer_number",
        "first_name",
        "last_name",
        "birth_date",
    ]
    text = CONTRACT.replace('["https://w3id.org/dpv#DirectMarketing"]', "[OPEN]")
    folder = write_folder(tmp_path / "2", contract=text)
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


def test_a_paper_of_the_other_kind_names_the_right_command_and_one_of_the_right_kind_is_linted_as_ever(tmp_path):
    folder = write_folder(tmp_path, agreement=AGREEMENT.replace("forwardHours: 24", "forwardHours: soon"))
    agreement, contract = folder / "agreement-3.0.0.yaml", folder / CONTRACT_NAME
    (of_agreement,) = lint_as(agreement, "CON")
    (of_contract,) = lint_as(contract, "AGR")
    assert (of_agreement.code, of_contract.code) == ("CON-009", "AGR-009")
    assert "this is an agreement" in of_agreement.message and "sluice agreement lint" in of_agreement.message
    assert "this is a contract" in of_contract.message and "sluice contract lint" in of_contract.message
    assert of_agreement.line == Mistake("", "", "", "agreementId:").line(agreement.read_text(encoding="utf-8"))
    assert of_contract.line == Mistake("", "", "", "kind:").line(contract.read_text(encoding="utf-8"))
    assert lint_as(agreement, "AGR") == lint_path(agreement) != []
    assert lint_as(contract, "CON") == lint_path(contract)
    assert lint_as(folder, "AGR") == lint_as(folder, "CON") == lint_path(folder)
    assert [problem.code for problem in lint_as(folder / "nothing.yaml", "CON")] == ["CON-001"]
    (folder / "empty").mkdir()
    assert [problem.code for problem in lint_as(folder / "empty", "AGR")] == ["AGR-047"], "a path that is misspelt"
    [problem] = lint_as(folder / "empty", "CON")
    assert problem.code == "CON-047" and ".yaml" in problem.message and "UTF-8" not in problem.message


@pytest.mark.parametrize("number", ["0", "-1", "0.5", "10", "00.5", '"010"', "1e3"])
def test_a_number_that_is_what_it_looks_like_is_none_of_another_base(tmp_path: Path, number: str) -> None:
    folder = write_folder(tmp_path, contract=CONTRACT.replace("min_value: 0,", f"min_value: {number},"))
    assert [problem for problem in lint_path(folder / CONTRACT_NAME) if problem.code == "CON-019"] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"kind: DataContract\nschema: " + b"[" * 40 + b"]" * 40, "CON-006"),
        (b"- kind: DataContract\n", "CON-006"),
        (b"#" * (1024 * 1024 + 1), "CON-001"),
    ],
    ids=["deep", "a list", "large"],
)
def test_what_is_deep_large_or_of_another_shape_is_refused_before_it_is_built(tmp_path, body, code):
    (tmp_path / CONTRACT_NAME).write_bytes(body)
    assert [p.code for p in lint_path(tmp_path / CONTRACT_NAME)] == [code]


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


@pytest.mark.parametrize(("last", "codes"), [("a", ["CON-075"] * 3), ("d", [])])
def test_datasets_that_refer_to_each_other_in_a_circle_would_wait_for_ever(tmp_path, last, codes):
    """``b`` refers to ``a`` and ``c`` to ``b``; ``a`` itself to ``c``, or to one that refers to nothing."""
    folder = write_folder(tmp_path, contract=None)
    named = "      - name: customer_number\n"
    for flow, to in (("a", "c" if last == "a" else "d"), ("b", "a"), ("c", "b"), ("d", "")):
        there = f"{to}.inbound.odcs.yaml#/schema/rows/properties/customer_number"
        text = CONTRACT.replace(named, f"{named}        relationships: [{{to: {there}}}]\n" if to else named)
        text = text.replace("inbound.renewal_campaign", f"inbound.{flow}")
        (folder / f"{flow}.inbound.odcs.yaml").write_text(text, encoding="utf-8")
    found = [problem for problem in lint_path(folder) if problem.severity is Severity.ERROR]
    assert [problem.code for problem in found] == codes
    assert all("customer_number" in problem.message for problem in found)


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
    found = [problem.code for problem in lint_path(folder) if problem.code.startswith("CON")]
    assert found == ["CON-050"] * 2, "it stands alone: the flows that it is made of are not there"
    broken = text.replace("  - {property: recordId, value: customer_number}\n", "").replace(
        "          - {property: source, value: contacts.phone}\n", ""
    )
    (folder / name).write_text(broken, encoding="utf-8")
    assert {problem.code for problem in lint_path(folder)} >= {"CON-032", "CON-034"}


@pytest.mark.parametrize(
    ("older", "last", "told"),
    [
        ("2025-12-31", "null", None),
        ("2026-12-31", "2026-12-31", None),
        ("null", "2026-12-31", "2026-12-31; 2.4.0 would have held on"),
        ("2027-12-31", "2026-12-31", "2026-12-31; 2.4.0 would have held to 2027-12-31"),
    ],
    ids=["control: as it stands", "control: the same day", "an open one", "a later day"],
)
def test_a_last_version_that_ends_what_would_have_gone_on_is_told(tmp_path, older, last, told):
    folder = tmp_path / "energy01"
    shutil.copytree(PRINCIPALS / "energy01", folder)
    for version, old, new in (("2.4.0", "2025-12-31", older), ("3.0.0", "null", last)):
        paper = folder / f"agreement-{version}.yaml"
        text = paper.read_text(encoding="utf-8")
        assert f"\nvalidTo: {old}" in text
        paper.write_text(text.replace(f"\nvalidTo: {old}", f"\nvalidTo: {new}", 1), encoding="utf-8")
    found = [problem for problem in lint_path(folder) if problem.code == "AGR-037"]
    assert [Path(problem.path).name for problem in found] == (["agreement-3.0.0.yaml"] if told else [])
    assert all(told and told in problem.message and problem.severity is Severity.WARNING for problem in found)
