"""Values that must stand in another dataset (ODCS `relationships`): what a contract may say, how files are judged."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreement.papers import CONTRACT, write_folder
from gate.pandas_judge import said_by_pandas
from gate.papers import a_contract, a_field, a_key
from sluice.agreement.errors import PaperInvalid
from sluice.agreement.folder.lint import lint_path
from sluice.agreement.folder.load import load_contract
from sluice.agreement.model import FreeTextRules, KeyReference
from sluice.exchange.judging.file_facts import _rules
from sluice.exchange.judging.job import Job
from sluice.exchange.persons.known_keys import NO_KEYS
from sluice.exchange.persons.suppressed import keep_out
from sluice.gate.contract_rules import rules_for
from sluice.gate.errors import KindRefused
from sluice.gate.kinds import KNOWN, check_of
from sluice.gate.model import Check, Rule, RuleOutcome, State
from sluice.gate.onepass import Pass
from sluice.lake.s3.objects import StoredObject
from sluice.settings import Settings
from sluice.subject.refs import refer
from sluice.subject.scope import EVERYTHING, Scope, scope_of
from sluice.subject.suppression import Suppression
from sluice.terms import Flow, Principal, SubjectKind
from support.desk import Desk, open_desk
from support.effort import effort
from support.night import Edit, change, with_papers

FILE, LIST = "renewal_campaign.inbound.odcs.yaml", "customers.inbound.odcs.yaml"
NAME = "      - name: customer_number\n"
TO = f"{LIST}#/schema/customers/properties/customer_number"
REFERS = f"{NAME}        relationships: [{{to: {TO}}}]\n"
DIRECT_MARKETING = "https://w3id.org/dpv#DirectMarketing"
CUSTOMER = KeyReference("customer_number", Flow("customers"), "customer_number")


def papers(folder: Path, relationship: str, listed: str | None = "customer_number") -> Path:
    """The campaign's contract with a relationship of the customer number; beside it that of the list."""
    assert NAME in CONTRACT
    said = CONTRACT.replace(NAME, f"{NAME}        relationships: [{relationship}]\n")
    papers = write_folder(folder, contract=said)
    if listed is not None:
        (papers / LIST).write_text(of_customers(CONTRACT.replace(NAME, f"      - name: {listed}\n")), "utf-8")
    return papers / FILE


def of_customers(contract: str) -> str:
    return contract.replace("inbound.renewal_campaign", "inbound.customers").replace(
        "inbound/renewal_campaign/", "inbound/customers/"
    )


def told(path: Path, *codes: str) -> list[tuple[str, str]]:
    return [(each.code, each.message) for each in lint_path(path.parent) if each.code in codes]


@pytest.mark.parametrize("relationship", [f"{{to: {TO}}}", f"{{type: foreignKey, to: {TO.replace('#/', '#')}}}"])
def test_a_foreign_key_to_another_file_is_read(tmp_path: Path, relationship: str) -> None:
    path = papers(tmp_path, relationship)
    assert told(path, "CON-071", "CON-073", "CON-008") == []
    assert load_contract(path).references == (CUSTOMER,)


@pytest.mark.parametrize(
    "to",
    [
        "customers.customer_number",  # of a table in this file, which has one
        "other.yaml#/schema/customers/properties/customer_number",
        "customers.internal.odcs.yaml#/schema/customers/properties/customer_number",
        "https://example.com/customers.inbound.odcs.yaml#/schema/customers/properties/customer_number",
        "renewal_campaign.inbound.odcs.yaml#/schema/renewal_campaign/properties/customer_number",  # itself
        "[customers.customer_number, customers.phone]",
    ],
)
def test_one_that_no_file_can_be_judged_by_is_told_and_never_judged(tmp_path: Path, to: str) -> None:
    path = papers(tmp_path, f"{{to: {to}}}" if to.startswith("[") else f'{{to: "{to}"}}')
    [(_, message)] = told(path, "CON-071")
    assert ".relationships[0].to" in message
    with pytest.raises(PaperInvalid):
        load_contract(path)


def test_keys_of_several_columns_at_once_are_told_too_and_a_return_has_no_references(tmp_path):
    path = papers(tmp_path / "a", f"{{to: {TO}}}")
    at = "    properties:\n"
    change(path, at, f"    relationships: [{{from: [a.b, a.c], to: [d.b, d.c]}}]\n{at}")
    assert [code for code, _ in told(path, "CON-071")] == ["CON-071"]
    path = papers(tmp_path / "b", f"{{to: {TO}}}")
    change(path, "energy01.inbound.renewal_campaign", "energy01.outbound_return.renewal_campaign")
    assert [code for code, _ in told(path, "CON-071")] == ["CON-071"]


@pytest.mark.parametrize("listed", [None, "customer_no"])
def test_a_column_that_no_contract_beside_it_has_is_told(tmp_path: Path, listed: str | None) -> None:
    path = papers(tmp_path, f"{{to: {TO}}}", listed)
    [(_, message)] = told(path, "CON-073")
    assert "customers.customer_number" in message


CELLS = st.sampled_from(["", "1", "01", "1.0", " 1", "a", "A", "é", "e\u0301", "a\nb", "\U0001f600", "nan", "None"])
UNKNOWN = Check(KNOWN, ("a",), (("dataset", "list.a"),))


def found(cells: list[str | None], keys: list[str], cuts: tuple[int, ...] = ()) -> RuleOutcome:
    frame = pl.DataFrame({"a": cells}, schema={"a": pl.String})
    whole = Pass([Rule("a.key", UNKNOWN, "VALUE_UNKNOWN_KEY")], keys={"list.a": pl.Series(keys, dtype=pl.String)})
    for start, stop in pairwise([0, *sorted(cuts), max(len(cells), *cuts, 0)]):
        whole.add(frame.slice(start, stop - start))
    return whole.result(lambda rows: frame[rows]).outcomes[0]


@pytest.mark.slow
@settings(max_examples=effort(50, 1_000), deadline=None, derandomize=True, database=None)
@given(
    cells=st.lists(CELLS | st.none(), max_size=12),
    keys=st.lists(CELLS, min_size=1, unique=True),
    cuts=st.lists(st.integers(0, 12), max_size=3),
)
def test_it_is_what_great_expectations_calls_a_set_of_values_whose_members_are_the_keys(cells, keys, cuts):
    frame = pl.DataFrame({"a": cells}, schema={"a": pl.String})
    check = check_of("expect_column_values_to_be_in_set", {"column": "a", "value_set": keys})
    [theirs] = said_by_pandas(frame, [check], {})
    ours = found(cells, keys, tuple(cuts))
    assert (False, ours.success, tuple((ours.failing if ours.failing is not None else pl.Series()).to_list())) == (
        theirs.raised,
        theirs.success,
        theirs.failing,
    )


def test_a_key_of_nothing_is_known_without_keys_nothing_is_answered_and_no_suite_can_ask_for_it():
    assert found(["x", None], []).failing.to_list() == [0]  # type: ignore[union-attr]  # counted
    frame = pl.DataFrame({"a": ["x"]})
    alone = Pass([Rule("a.key", UNKNOWN, "VALUE_UNKNOWN_KEY")])
    alone.add(frame)
    assert alone.result(lambda rows: frame[rows]).outcomes[0].state is State.RAISED
    with pytest.raises(KindRefused):
        check_of(KNOWN, {"column": "a", "dataset": "list.a"})


@pytest.mark.parametrize(("is_reviewed", "has_keys", "asked"), [(False, True, 1), (False, False, 0), (True, True, 0)])
def test_a_dry_run_and_a_file_that_lay_with_its_reader_are_not_asked(tmp_path, is_reviewed, has_keys, asked):
    contract = replace(a_contract(a_key(), a_field("a")), references=(KeyReference("a", Flow("list"), "a"),))
    assert [each.id for each in rules_for(contract, ()) if each.check.kind == KNOWN] == ["a.key"]
    job = Job(
        folder=tmp_path, file=tmp_path / "f", file_name="f", contract=contract, suites=(), subject_key="", origin=None,
        free_text=FreeTextRules({}, 0.0), is_reviewed=is_reviewed, keys={} if has_keys else None,
    )  # fmt: skip
    assert sum(rule.check.kind == KNOWN for rule in _rules(job)) == asked


@contextmanager
def desk_with_a_list(settings: Settings, folder: Path, *edits: Edit) -> Iterator[Desk]:
    changed = with_papers(settings, folder, Edit(FILE, NAME, REFERS), *edits)
    (changed.principals_dir / "energy01" / LIST).write_text(of_customers(CONTRACT), "utf-8")
    with open_desk(changed, folder) as desk:
        yield desk


def lines_of(desk: Desk, rows: int) -> list[bytes]:
    return desk.campaign(rows=rows)[0].read_bytes().splitlines(keepends=True)


def sent(desk: Desk, *lines: bytes, name: str = "file.csv", flow: str = "renewal_campaign") -> StoredObject:
    dropped = desk.drop(b"".join(lines), name, ("energy01", flow))
    desk.work()
    return dropped


def listed(desk: Desk, *lines: bytes) -> StoredObject:
    return sent(desk, *lines, name="list.csv", flow="customers")


@pytest.mark.stores
def test_a_file_waits_for_its_list_and_then_values_that_are_in_no_accepted_file_of_it_are_refused(
    store_settings, tmp_path
):
    def keys(sent: StoredObject) -> str:
        record = desk.shown(sent).record
        return record.how.suites["keys customers.customer_number"] if record else ""

    with desk_with_a_list(store_settings, tmp_path) as desk:
        head, *rows = lines_of(desk, 40)
        early = sent(desk, head, *rows, name="early.csv")
        assert (desk.line(early).decision, desk.line(early).reason_code) == ("undecided", NO_KEYS)
        listed(desk, head, *rows[:-1])
        again = sent(desk, head, *rows, name="again.csv")
        line, shown = desk.line(again), desk.shown(again)
        assert (line.decision, line.reason_code) == ("partly_accepted", "VALUE_UNKNOWN_KEY")
        assert (line.rows_accepted, line.rows_refused) == (39, 1)
        [reason] = shown.record.reasons if shown.record else []
        assert (reason.rule, reason.column, reason.rows) == ("customer_number.key", "customer_number", (40,))
        listed(desk, head, *rows[-1:])  # however small the newest is, each accepted file of the list counts
        whole = sent(desk, head, *rows[1:], name="whole.csv")
        assert (desk.line(whole).decision, desk.line(whole).reason_code) == ("accepted", None)
        assert keys(again) != keys(whole) and {len(keys(again)), len(keys(whole))} == {64}, "the record says by which"


FOR_CARE = (
    Edit(FILE, 'value: ["https://w3id.org/dpv#DirectMarketing"]', 'value: ["https://w3id.org/dpv#CustomerCare"]'),
    Edit(FILE, 'legalBasis, value: "https://w3id.org/dpv/legal/eu/gdpr#A6-1-f"',
         'legalBasis, value: "https://w3id.org/dpv/legal/eu/gdpr#A6-1-b"'),
)  # fmt: skip


def stay_out(desk: Desk, rows: list[bytes], reason: Suppression, scope: Scope) -> None:
    numbers = (row.split(b";")[0].decode().strip('"') for row in rows)
    key = desk.house.subject_key(Principal("energy01"))
    refs = frozenset(str(refer(key, SubjectKind.PRINCIPAL_CUSTOMER_ID, number).ref) for number in numbers)
    assert len(refs) == len(rows)
    keep_out(
        desk.house, Principal("energy01"), refs, reason, cause="test", case_id=None, now=datetime.now(UTC), scope=scope
    )


@pytest.mark.stores
@pytest.mark.parametrize(
    ("reason", "scope", "edits", "held"),
    [
        (Suppression.ERASED, EVERYTHING, (), 12),
        (Suppression.OBJECTED, scope_of(Suppression.OBJECTED, frozenset({DIRECT_MARKETING})), FOR_CARE, 0),
    ],
    ids=["erased", "objected to another purpose"],
)
def test_who_stays_out_of_the_list_is_not_refused_where_a_file_refers_to_it(
    store_settings, tmp_path, reason, scope, edits, held
):
    with desk_with_a_list(store_settings, tmp_path, *edits) as desk:
        head, *rows = lines_of(desk, 40)
        stay_out(desk, rows[:12], reason, scope)
        of_list = desk.line(listed(desk, head, *rows[:-1]))
        assert of_list.rows_accepted == 39 - 12, "control: they are not in the list"
        line = desk.line(sent(desk, head, *rows))
        assert (line.decision, line.rows_accepted, line.rows_refused) == ("partly_accepted", 39 - held, 1)
