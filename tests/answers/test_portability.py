"""Portability (GDPR Art. 20): a package other programs read, a reason for every field that stays, never empty."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import polars as pl
import pytest
from jsonschema import Draft202012Validator

from answers.giving import WE_EXPORT, Package, cells_of, give, now, read, street_fixtures
from rights.estate import CONTACTS
from rights.town import DESK, Person, Town, open_town, papers_of, town_fixture
from sluice.agreement.contract.eligibility import NotPortable
from sluice.answers.decide import decide_portability
from sluice.answers.make import PackageWish, make
from sluice.answers.model import AnswerKind, NothingPortable
from sluice.answers.store import find_answers
from sluice.answers.sweep import make_decided
from sluice.errors import UsageError
from sluice.lake.write.formulas import restored
from sluice.rights.case.model import Action, Case, LetterKind, Right, State, Track
from sluice.rights.case.reasons import NOT_REQUIRED
from sluice.rights.case.store import get_case, list_open_cases
from sluice.rights.letters.write import note_opened, open_document
from sluice.rights.person.sealed import encrypt
from sluice.rights.schedule import sweep
from sluice.settings import Settings
from sluice.terms import Principal
from support.night import AGREEMENT, CONTRACT, RESULTS_CONTRACT, Edit

ENERGY = Principal("energy01")
BY_CONTRACT = tuple(Edit(file, "A6-1-f", "A6-1-b") for file in (AGREEMENT, CONTACTS, CONTRACT, RESULTS_CONTRACT))
ANY_NUMBER = Edit(CONTACTS, "'^E[0-9]{8}$'", "'^[E0-9]{8,30}$'")
GOING = (WE_EXPORT, *BY_CONTRACT, ANY_NUMBER, Edit(AGREEMENT, "portable: false", "portable: true"))
"""Everything is done for a contract with the person, and nothing restricts it."""
RECORD = "000123456789012345678"
STREET = "=2+5"


def plant(town: Town) -> None:
    """The first person has a customer number with leading zeros and a street that a spreadsheet would run."""
    town.arrive(ENERGY, town.people)
    cells = {"customer_number": RECORD, **cells_of(town, 0), "street": STREET}
    row = ";".join(cells.values())
    town.desk.drop(f"{town.head}\n{row}\n".encode(), "again.csv", (ENERGY, "renewal_campaign"))
    town.give_back(ENERGY, [each for each in town.people if each.number % 3 < 2])


whole = town_fixture([ENERGY], 3 * 6, plant, *GOING)
streets, town = street_fixtures(3, after=1)
"""The people of the first street are of the package that many tests read, and of the workbook."""


@pytest.fixture
def others(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    """A town in which nothing may be taken along."""
    with open_town(papers_of(store_settings, tmp_path, [ENERGY], WE_EXPORT), tmp_path, [ENERGY], 4) as opened:
        opened.arrive(ENERGY, opened.people)
        opened.give_back(ENERGY, opened.people)
        yield opened


def asked(town: Town, number: int) -> Case:
    return town.decided(town.people[number], Right.PORTABILITY, Action.EXPORT)


@pytest.fixture(scope="module")
def package(whole: Town) -> Package:
    return read(whole.house, give(whole.house, asked(whole, 1).case_id, AnswerKind.PORTABILITY))


def resources(package: Package) -> Mapping[str, dict[str, Any]]:
    return {each["path"]: each for each in package.json("datapackage.json")["resources"]}


def tables(package: Package) -> list[str]:
    return [name for name in package.files if name.startswith("data/") and name.endswith(".csv")]


def test_the_package_fits_its_descriptor_in_every_byte(package: Package) -> None:
    described = resources(package)

    assert set(described) == set(package.files) - {"datapackage.json", "SHA256SUMS"}
    for path, each in described.items():
        content = package.files[path]
        assert each["bytes"] == len(content)
        assert each["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    for path in tables(package):
        rows, schema = package.table(path), described[path]["schema"]
        assert [field["name"] for field in schema["fields"]] == rows.columns
        assert described[path]["dialect"]["delimiter"] == ","
        for field in schema["fields"]:
            assert fits(rows[field["name"]], field["type"]), (path, field)
        center = "Contact Center NV"  # as the agreements name us: no setting does
        who = {word for field in schema["fields"] for word in field["controller"].split("; ")}
        assert who <= {"Energy One NV", center}, path
    assert {name for name in package.files if name.startswith("data/")} == {
        name for path in tables(package) for name in (path, path.replace(".csv", ".json"))
    }


def test_a_column_that_is_empty_everywhere_is_no_column(town: Town) -> None:
    person = Person(99, "0470998877", "")
    cells = {"customer_number": person.record(ENERGY), **cells_of(town, 2), "phone": person.phone, "email": ""}
    row = ";".join(cells.values())
    town.desk.drop(f"{town.head}\n{row}\n".encode(), "new.csv", (ENERGY, "renewal_campaign"))
    town.desk.work()
    case = town.decided(person, Right.PORTABILITY, Action.EXPORT)

    package = read(town.house, give(town.house, case.case_id, AnswerKind.PORTABILITY))

    names = package.table("data/contact_point.csv").columns
    assert "phone" in names and "email" not in names
    assert {row["reasonCode"] for row in package.rows("eligibility.csv") if row["field"] == "email"} == {"NOT_HERE"}


def test_who_decides_of_a_column_stands_beside_it(package: Package) -> None:
    center = "Contact Center NV"  # as the agreements name us: no setting does
    rows = {(row["fieldGroup"], row["controller"]) for row in package.rows("eligibility.csv")}
    assert {("identity", "Energy One NV"), ("call_event", center)} <= rows
    assert {row["controller"] for row in package.rows("dictionary.csv") if row["fieldGroup"] == "call_event"} == {
        center
    }
    roles = {each["title"]: each["roles"] for each in package.json("datapackage.json")["contributors"]}
    assert roles == {"Energy One NV": ["controller"], center: ["controller", "processor"]}


def fits(cells: pl.Series, kind: str) -> bool:
    """Whether every value is of the type that the descriptor says (Table Schema 2.0, default formats)."""
    said = cells.drop_nulls()
    pattern = {
        "string": "",
        "integer": r"^-?[0-9]+$",
        "number": r"^-?[0-9]+([.][0-9]+)?$",
        "boolean": "^(true|false)$",
        "date": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "datetime": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
    }[kind]
    return bool(said.str.contains(pattern).all())


def test_a_descriptor_that_does_not_fit_is_found(package: Package) -> None:
    assert not fits(pl.Series(["31/12/2026"]), "date") and not fits(pl.Series(["1,5"]), "number")
    changed = package.files["eligibility.csv"] + b"x"
    assert hashlib.sha256(changed).hexdigest() not in resources(package)["eligibility.csv"]["hash"]


def test_the_descriptor_is_a_data_package(package: Package, schemas: Path) -> None:
    official = json.loads((schemas / "frictionless" / "datapackage-2.0.json").read_text())
    document = package.json("datapackage.json")
    errors = list(Draft202012Validator(official).iter_errors(document))
    assert [error.json_path for error in errors] == []
    assert list(Draft202012Validator(official).iter_errors({"resources": []})), "one that is none is found"


@pytest.mark.evidence
def test_csv_and_json_read_back_identical_in_three_readers(
    package: Package, record_property: Callable[[str, object], None], tmp_path: Path
) -> None:
    cells = 0
    for path in tables(package):
        types = {field["name"]: field["type"] for field in resources(package)[path]["schema"]["fields"]}
        wanted = [plain(row) for row in package.json(path.replace(".csv", ".json"))]
        csv = tmp_path / Path(path).name
        csv.write_bytes(package.files[path])
        for reader in (by_pandas, by_polars, by_duckdb):
            assert [plain(row) for row in reader(csv, types)] == wanted, (reader.__name__, path)
        cells += sum(len(row) for row in wanted)
    assert cells > 20
    record_property(
        "portability: csv and json read back",
        f"{cells:,} cells of {len(tables(package))} tables, identical in 3 readers",
    )


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Values as Python has them: nothing is None, numbers are numbers; apostrophes against formulas taken off."""
    found = {}
    for name, value in row.items():
        gone = value is None or value is pd.NA or value != value
        found[name] = None if gone else restored(value) if isinstance(value, str) else float(value)
    return found


def by_pandas(path: Path, types: Mapping[str, str]) -> list[dict[str, Any]]:
    kinds = {name: {"integer": "Int64", "number": "Float64"}.get(kind, "string") for name, kind in types.items()}
    return pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values=[""]).astype(object).to_dict("records")


def by_polars(path: Path, types: Mapping[str, str]) -> list[dict[str, Any]]:
    kinds = {name: {"integer": pl.Int64, "number": pl.Float64}.get(kind, pl.String) for name, kind in types.items()}
    return pl.read_csv(path, schema=kinds).to_dicts()


def by_duckdb(path: Path, types: Mapping[str, str]) -> list[dict[str, Any]]:
    kinds = {name: {"integer": "BIGINT", "number": "DOUBLE"}.get(kind, "VARCHAR") for name, kind in types.items()}
    read = duckdb.read_csv(str(path), dtype=kinds, header=True, delimiter=",", quotechar='"', escapechar='"')
    return [dict(zip(read.columns, row, strict=True)) for row in read.fetchall()]


@pytest.mark.evidence
def test_the_workbook_runs_nothing_and_keeps_zeros_long_numbers_and_dates(
    whole: Town, record_property: Callable[[str, object], None]
) -> None:
    person = whole.people[0]
    decided = whole.agree(whole.ask(person, Right.PORTABILITY, RECORD, language="fr"), Action.EXPORT)
    package = read(whole.house, give(whole.house, decided.case_id, AnswerKind.PORTABILITY))

    book = openpyxl.load_workbook(io.BytesIO(package.files["portability.xlsx"]))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    formulas = [cell for cell in cells if cell.data_type == "f"]
    texts = {cell.value for cell in cells if cell.data_type == "s"}
    dates = [cell for cell in cells if cell.is_date]
    assert formulas == [] and STREET in texts and RECORD in texts and person.phone in texts
    assert person.phone.startswith(("0", "+")) and dates
    assert f"'{STREET}" in package.files["data/contact_point.csv"].decode()
    assert {row["street"] for row in package.json("data/contact_point.json")} >= {STREET}
    assert "LISEZ-MOI.txt" in package.files
    record_property(
        "portability: workbook", f"{len(cells):,} cells, {len(formulas)} formulas, leading zeros, 21 digits, dates kept"
    )


def test_every_field_that_stays_has_its_reason(package: Package) -> None:
    rows = package.rows("eligibility.csv")

    stays = [row for row in rows if row["included"] == "false"]
    assert stays and all(row["reasonCode"] == "NOT_HERE" or row["justification"] for row in stays)
    assert {row["reasonCode"] for row in stays} <= {*NotPortable, "NOT_HERE"}
    given = {(row["fieldGroup"], row["field"]) for row in rows if row["included"] == "true"}
    columns = {(path[5:-4], name) for path in tables(package) for name in package.table(path).columns}
    assert given == columns, "a column is given where it is there, and nowhere else"
    by_field = {(row["dataset"], row["field"]): row for row in rows}
    inbound = "energy01.inbound.renewal_campaign"
    assert by_field[inbound, "phone"]["included"] == "true"
    assert by_field[inbound, "campaign_code"]["reasonCode"] == "ORIGIN", "derived"
    assert by_field[inbound, "note"]["reasonCode"] == "ORIGIN" and "note_free_text" not in package.text.split("data/")
    words = package.rows("dictionary.csv")
    phone = next(row for row in words if row["field"] == "phone")
    assert (phone["label_nl"], phone["label_fr"]) == ("Telefoonnummer", "Numéro de téléphone")
    assert "agent" not in {row["field"] for row in words}


def test_what_partly_applies_is_given_in_part(town: Town) -> None:
    case = town.ask(town.people[1], Right.PORTABILITY)

    decided, _ = decide_portability(town.house, case.case_id, now(), DESK)

    ours = next(part for part in decided.sub_cases if part.track is Track.CONTROLLER)
    assert ours.state is State.PARTIAL and "call_event" in ours.action_fields
    assert "disposition" not in ours.action_fields, "made by our agents"
    made = give(town.house, case.case_id, AnswerKind.PORTABILITY)
    assert "data/call_event.csv" in [line.path for line in made.files]


def test_the_pdf_is_never_the_portable_file_alone(town: Town) -> None:
    case = asked(town, 1)
    with pytest.raises(UsageError):
        make(town.house, case.case_id, AnswerKind.PORTABILITY, now(), DESK, PackageWish(forms=("pdf",)))
    made = make(town.house, case.case_id, AnswerKind.PORTABILITY, now(), DESK, PackageWish(forms=("json",)))
    assert {line.path.rpartition(".")[2] for line in made.files if line.path.startswith("data/")} == {"json"}
    package = read(town.house, made)
    assert package.files["portability.pdf"].startswith(b"%PDF"), "and it always comes along"
    said = package.files["LEESMIJ.txt"].decode()
    assert "portability.xlsx" not in said and "portability.pdf" in said and "per soort: json\n" in said
    only_book = make(town.house, case.case_id, AnswerKind.PORTABILITY, now(), DESK, PackageWish(forms=("xlsx",)))
    said = read(town.house, only_book).files["LEESMIJ.txt"].decode()
    assert "data/" not in said and "portability.xlsx" in said and "SHA256SUMS" in said


def test_a_right_that_does_not_apply_is_refused_per_field_with_its_letter_and_keeps_no_other_waiting(
    others: Town,
) -> None:
    first, second = asked(others, 1), asked(others, 2)

    assert make_decided(others.house, "airflow", now()) == (0, 0)
    assert make_decided(others.house, "airflow", now()) == (0, 0), "nothing is owed any more"

    for case in (first, second):
        ended = get_case(others.house.conn, case.case_id)
        letter = ended.letters[-1]
        assert letter.kind is LetterKind.REFUSAL and set(letter.sub_cases) == {p.sub_case_id for p in ended.sub_cases}
        document = json.loads(open_document(others.house, letter))
        assert all(word in json.dumps(document) for word in ("NotRequiredJustification", "remedies"))
        note_opened(others.house.conn, letter, now(), DESK)
    for _ in range(3):
        assert sweep(others.house, now()).failed == 0
    done = get_case(others.house.conn, first.case_id)
    assert (done.state, {part.action for part in done.sub_cases}) == (State.CLOSED, {Action.REFUSE})
    rows = others.desk.sql("select reasons, remedies_ref from case_transition where reason_code = 'NOTHING_PORTABLE'")
    assert len(rows) == 4 and all(row["reasons"] and row["remedies_ref"] == "remedies.be" for row in rows)

    case = others.ask(others.people[3], Right.PORTABILITY)

    decided, lines = decide_portability(others.house, case.case_id, now(), DESK)

    ours = next(part for part in decided.sub_cases if part.track is Track.CONTROLLER)
    assert ours.state is State.REFUSED
    mine = [line for line in lines if line.controller == ours.controller]
    assert mine and {line.iri for line in mine} == {NOT_REQUIRED} and not any(line.included for line in mine)
    letter = decided.find_letter(LetterKind.REFUSAL, ours.sub_case_id)
    assert letter is not None and letter.language == "nl"
    others.agree(decided, Action.EXPORT)
    with pytest.raises(NothingPortable):
        give(others.house, case.case_id, AnswerKind.PORTABILITY)
    vault = others.desk.objects(others.desk.settings.bucket_vault)
    assert not [each for each in vault if each.key.startswith("_answers/")], "no empty file"


def test_an_unforeseen_fault_of_one_case_keeps_no_other_waiting(town: Town) -> None:
    for number in (1, 2):
        asked(town, number)
    broken, whole = sorted(list_open_cases(town.house.conn), key=lambda case: case.opened_at)
    content = encrypt(town.house.keyring, b"no request at all")
    town.house.objects.put(broken.subject_bucket, broken.subject_key, content, "application/octet-stream")

    assert make_decided(town.house, "airflow", now()) == (1, 1)

    assert find_answers(town.house.conn, whole.case_id) and not find_answers(town.house.conn, broken.case_id)
