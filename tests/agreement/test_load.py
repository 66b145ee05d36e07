"""Loading: what a paper means, when it does not load, and how fast a folder is skimmed."""

import codecs
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
import yaml

from agreement.papers import AGREEMENT, CONTRACT, CONTRACT_NAME, PRINCIPALS, write_folder
from sluice.agreement.contract.shape import SERVER_PROPERTIES
from sluice.agreement.document import KEPT_BYTES, Fault, parse_yaml
from sluice.agreement.errors import PaperInvalid
from sluice.agreement.folder.load import (
    find_flows,
    find_on_file,
    load_agreement,
    load_agreements,
    load_contract,
)
from sluice.agreement.shape import Word
from sluice.errors import DocumentInvalid
from sluice.terms import DataOrigin, Direction, FieldGroup, RoleProfile, SubjectKind

PAPER = "agreement-3.0.0.yaml"


def test_the_given_examples_load_as_they_are(schemas: Path) -> None:
    agreement = load_agreement(schemas / "examples" / "agreement.yaml")
    contract = load_contract(schemas / "examples" / "contract.odcs.yaml")
    assert (agreement.agreement_id, agreement.version, agreement.principal) == ("DPA-ENERGY01", "3.0.0", "energy01")
    assert agreement.is_in_force(date(2026, 1, 1)) and not agreement.is_in_force(date(2025, 12, 31))
    assert (contract.principal, contract.direction, contract.flow) == ("energy01", "inbound", "renewal_campaign")
    assert [field.name for field in contract.subject_fields] == ["vendor_lead_code", "phone_number"]
    assert contract.file_format.pattern == "*.csv" and contract.file_format.encoding == "cp1252"
    assert contract.fields[2].date_format == "%d/%m/%Y" and contract.fields[2].retention_rule == "RET-02"
    assert contract.max_refused_share == 0.1


def test_a_column_overrides_the_default_of_its_contract() -> None:
    contract = load_contract(PRINCIPALS / "energy01" / CONTRACT_NAME)
    note, phone = contract.field("note"), contract.field("phone")
    assert note is not None and phone is not None
    assert (note.group, note.origin, note.automated) == (FieldGroup.NOTE_FREE_TEXT, DataOrigin.AGENT_MADE, False)
    assert (phone.subject_key, phone.origin) == (SubjectKind.PHONE, DataOrigin.PROVIDED)
    assert not phone.portable  # the agreement's role row restricts it


def test_role_and_retention_fall_back_to_the_agreements_row(tmp_path: Path) -> None:
    contract = CONTRACT.replace("  - {property: roleProfile, value: PRINCIPAL_CONTROLLER}\n", "").replace(
        "  - {property: retentionRule, value: RET-01}\n", ""
    )
    folder = write_folder(tmp_path, contract=contract)
    product = load_contract(folder / CONTRACT_NAME).field("first_name")
    assert product is not None
    assert (product.role_profile, product.retention_rule) == (RoleProfile.PRINCIPAL_CONTROLLER, "RET-01")


def test_a_contract_with_a_gap_does_not_load_and_names_file_line_and_rule(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, contract=CONTRACT.replace("value: contact_point}", "value: OPEN}", 1))
    with pytest.raises(PaperInvalid) as refused:
        load_contract(folder / CONTRACT_NAME)
    assert isinstance(refused.value, DocumentInvalid)
    refs = {ref.kind: ref.value for ref in refused.value.refs}
    assert refs["rule"] == "CON-040" and str(refs["file"]).endswith(CONTRACT_NAME)
    assert "value: OPEN}" in CONTRACT.replace("contact_point}", "OPEN}", 1).splitlines()[int(refs["line"]) - 1]


def test_a_contract_without_its_agreement_or_of_another_principal_does_not_load(tmp_path):
    (tmp_path / CONTRACT_NAME).write_text(CONTRACT, encoding="utf-8")
    with pytest.raises(PaperInvalid, match="CON-027"):
        load_contract(tmp_path / CONTRACT_NAME)
    write_folder(tmp_path).rename(tmp_path / "energy02")
    (flow,) = find_flows(tmp_path)
    assert flow.principal == "energy02"
    assert [problem.code for problem in flow.broken] == ["CON-020"]


@pytest.mark.parametrize(
    "tag",
    ["!!python/object/apply:os.system ['true']", "!!python/name:os.system", "!!set {a}", "!include x", "!!binary YQ=="],
)
def test_no_tag_is_ever_constructed(tmp_path: Path, tag: str) -> None:
    path = tmp_path / "agreement-3.0.0.yaml"
    path.write_text(AGREEMENT.replace("language: nl", f"language: {tag}"), encoding="utf-8")
    with pytest.raises(PaperInvalid, match="AGR-003"):
        load_agreement(path)


def test_the_plain_loader_takes_what_ours_refuses() -> None:
    """Control of the tag and duplicate checks: the loader everybody uses says nothing."""
    assert yaml.load("a: !!set {x}", Loader=yaml.SafeLoader) == {"a": {"x"}}
    assert yaml.load("a: 1\na: 2", Loader=yaml.SafeLoader) == {"a": 2}


@pytest.mark.timeout(60)  # they would grow to 9 ** 19 words
def test_aliases_that_grow_without_end_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "agreement-1.yaml"
    levels = "\n".join(f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 20))
    path.write_text(f"agreementId: X\na0: &a0 [x]\n{levels}\n", encoding="utf-8")
    began = time.process_time()
    with pytest.raises(PaperInvalid, match="AGR-005"):
        load_agreement(path)
    assert time.process_time() - began < 1


def test_every_flow_of_the_checkout_is_found_and_the_agreement_of_a_date():
    flows = {(flow.principal, flow.direction, flow.flow) for flow in find_flows(PRINCIPALS)}
    assert ("energy01", Direction.INBOUND, "renewal_campaign") in flows
    assert len(flows) == 9 and all(not flow.broken for flow in find_flows(PRINCIPALS))
    assert {a.agreement_id for a in load_agreements(PRINCIPALS)} >= {"DPA-ENERGY01", "DPA-WATER01", "DPA-BANK01"}
    old, new = (find_on_file(PRINCIPALS, "DPA-ENERGY01", day) for day in (date(2025, 12, 31), date(2026, 1, 1)))
    assert old and old[0].version == "2.4.0" and old[1] == ()
    assert (
        new
        and new[0].version == "3.0.0"
        and {contract.flow for contract in new[1]} == {"renewal_campaign", "renewal_results"}
    )
    assert find_on_file(PRINCIPALS, "DPA-WATER01", date(2026, 6, 1)) is None


def test_a_broken_file_breaks_no_other_and_its_flow_is_known_by_its_name(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "second.inbound.odcs.yaml").write_text("kind: [", encoding="utf-8")
    (folder / "agreement-4.0.0.yaml").write_text("agreementId: {", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    flows = {flow.flow: flow for flow in find_flows(tmp_path)}
    assert set(flows) == {"renewal_campaign", "second"}
    assert [problem.code for problem in flows["renewal_campaign"].broken] == ["AGR-002"]
    assert [problem.code for problem in flows["second"].broken] == ["AGR-002", "CON-002"]


def test_two_hundred_principals_are_skimmed_in_half_the_time_that_reading_an_agreement_takes(tmp_path: Path) -> None:
    """CPU beside CPU: how busy the machine is does not matter."""
    for number in range(200):
        folder = tmp_path / f"p{number}"
        folder.mkdir()
        paper = f"{AGREEMENT}\n# {folder}\n"  # no other: what was read before, also by another test, is kept
        (folder / PAPER).write_text(paper, encoding="utf-8")
        (folder / CONTRACT_NAME).write_text(CONTRACT.replace("id: energy01", f"id: p{number}"), encoding="utf-8")
    began = time.process_time()
    flows = find_flows(tmp_path)
    skimmed = time.process_time()
    for number in range(0, 200, 20):
        load_agreement(tmp_path / f"p{number}" / PAPER)
    read = time.process_time()
    assert len(flows) == 200 and not any(flow.broken for flow in flows)
    assert skimmed - began < min(0.8, 20 * (read - skimmed) / 2)


def test_the_loader_of_the_dag_factory_imports_nothing_heavy() -> None:
    code = "import sys, sluice.agreement.folder.load; print(*sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "yaml" in loaded
    assert not loaded & {"jsonschema", "psycopg", "pydantic", "polars", "boto3", "babel", "typer", "airflow"}


def test_what_is_not_told_by_the_bytes_may_be_named() -> None:
    encodings = SERVER_PROPERTIES["encoding"]
    assert isinstance(encodings, Word) and all(codecs.lookup(each) for each in encodings.words)
    assert {"cp1250", "cp1254", "cp850"} <= set(encodings.words), "docs/limits.md asks for that"


def test_the_same_bytes_are_parsed_once_what_is_large_is_not_kept_and_a_fault_is_told_each_time():
    assert parse_yaml(b"kind: one\n") is parse_yaml(b"kind: one\n")
    assert parse_yaml(b"kind: two\n")["kind"].value == "two"
    large = b"kind: one\n" + b"#" * KEPT_BYTES
    assert parse_yaml(large) is not parse_yaml(large)
    assert parse_yaml(large)["kind"].value == "one"
    for _ in range(2):
        with pytest.raises(Fault):
            parse_yaml(b"- a list\n")


@pytest.mark.parametrize("number", ["1:" * 200 + "1", "9" * 401, "1:" * 200 + "1.5"])
def test_a_number_of_hundreds_of_digits_is_refused_before_it_is_computed(number: str) -> None:
    """In base 60 half a megabyte of them took ten seconds, by the square of its length."""
    with pytest.raises(Fault, match="018"):
        parse_yaml(f"a: {number}\n".encode())
    assert parse_yaml(b"a: " + b"9" * 400 + b"\n")["a"].value == int("9" * 400), "the control"
