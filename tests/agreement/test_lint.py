"""The linter: each mistake gives its code at its line, and a right paper gives none."""

import shutil
from pathlib import Path

import pytest

from agreement.mistakes import AGREEMENT_MISTAKES, CONTRACT_MISTAKES, WARNINGS
from agreement.papers import AGREEMENT, CONTRACT, CONTRACT_NAME, OLD_AGREEMENT, PRINCIPALS, Mistake, write_folder
from sluice.agreement.codes import CODES, GAP_CODES
from sluice.agreement.folder.lint import lint_as, lint_path
from sluice.settings import get_settings
from sluice.terms import Severity


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


@pytest.mark.parametrize(("said", "meant"), [("UK", "GB"), ("EL", "GR"), ("XQ", "BE")])
def test_a_region_without_phone_numbers_is_told_with_the_code_that_has_them(
    tmp_path: Path, said: str, meant: str
) -> None:
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
def test_a_return_that_could_never_be_made_is_a_problem_of_its_contract(
    tmp_path: Path, old: str, new: str, at: str
) -> None:
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
def test_a_mistake_is_told_with_what_was_probably_meant(
    tmp_path: Path, text: str, old: str, new: str, told: str
) -> None:
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


def test_results_without_their_mapping_are_a_problem_where_mappings_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    alone = 0
    sample = CONTRACT_MISTAKES[::4]
    for number, mistake in enumerate(sample):
        found, _ = lint_changed(tmp_path / str(number), mistake, CONTRACT)
        alone += len({code for code, _ in found if CODES[code].severity is Severity.ERROR}) == 1

    assert alone >= 0.8 * len(sample)


def test_every_code_of_the_table_has_a_test() -> None:
    elsewhere = {
        "AGR-007",
        "AGR-047",
        "CON-047",
        "AGR-009",
        "CON-009",
        "AGR-022",
        "AGR-028",
        "AGR-029",
        "AGR-075",
        "CON-001",
        "CON-006",
        "CON-007",
        "AGR-037",
    } | {
        "CON-015",
        "CON-024",
        "CON-050",
        "CON-052",
        "CON-055",
        "CON-026",
        "CON-032",
        "CON-034",
        "CON-045",
        "CON-072",
        "CON-075",
        "CON-076",
        "CON-077",
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
    assert [problem.code for problem in lint_as(folder / "nothing.yaml", "CON")] == ["CON-001"]
    (folder / "empty").mkdir()
    assert [problem.code for problem in lint_as(folder / "empty", "AGR")] == ["AGR-047"], "a path that is misspelt"
    [problem] = lint_as(folder / "empty", "CON")
    assert problem.code == "CON-047" and ".yaml" in problem.message and "UTF-8" not in problem.message


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


@pytest.mark.parametrize(("last", "codes"), [("a", ["CON-075"] * 3), ("d", [])])
def test_datasets_that_refer_to_each_other_in_a_circle_would_wait_for_ever(
    tmp_path: Path, last: str, codes: list[str]
) -> None:
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
