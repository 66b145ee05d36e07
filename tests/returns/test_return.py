"""Results meet contacts and go back: what leaves, what stays, and that both are said."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from sluice.cli.receipt import app
from sluice.gate.judge import as_undecided
from sluice.gate.model import Finding, GateVerdict, PassResult
from sluice.ledger.model import SignatureInvalid
from sluice.returns import make
from sluice.returns.release import release
from support.night import DUE_DAY, Call, Night, call_log

pytestmark = pytest.mark.stores


def test_a_prepared_return_waits_for_somebody_else(night: Night) -> None:
    people = night.people(3)
    night.results(call_log([Call(f"c{n}", record, phone) for n, (record, phone) in enumerate(people)]))

    night.make()

    [line] = night.returns()
    assert (line.decision, night.delivered()) == ("open", {})


def test_the_principal_verifies_whose_each_column_is_offline(night: Night, tmp_path: Path) -> None:
    people = night.people(2)
    night.results(call_log([Call(f"c{n}", record, phone) for n, (record, phone) in enumerate(people)]))
    night.make()
    release(night.desk.house, night.returns()[0].id, "an", datetime.now(UTC))
    night.make()
    stated = next(content for name, content in night.delivered().items() if name.endswith(".roles.json"))
    (tmp_path / "roles.json").write_bytes(stated)
    (tmp_path / "changed.json").write_bytes(stated.replace(b"A", b"B", 1))
    (tmp_path / "key.pem").write_bytes(night.desk.house.keyring.public_pem)
    runner = CliRunner()

    told = runner.invoke(
        app, ["roles", str(tmp_path / "roles.json"), "--key", str(tmp_path / "key.pem"), "--format", "json"]
    )
    forged = runner.invoke(app, ["roles", str(tmp_path / "changed.json"), "--key", str(tmp_path / "key.pem")])

    whose = {column["name"]: column["controller"] for column in json.loads(told.stdout)["columns"]}
    assert (whose["customer_number"], whose["disposition"]) == ("principal", "center")
    assert isinstance(forged.exception, SignatureInvalid)


def test_a_column_is_echoed_from_the_file_that_says_how_it_was_last_whenever_an_older_one_comes(night: Night) -> None:
    """The older file came last; by its name it is of last week."""
    people = pl.read_csv(night.contacts, separator=";", infer_schema=False)
    other = pl.when(pl.col("product") == "GAS").then(pl.lit("ELEC")).otherwise(pl.lit("GAS"))
    older = people.with_columns(product=other).write_csv(separator=";").encode()
    night.desk.drop(older, f"contacts_{DUE_DAY - timedelta(days=7)}.csv")
    night.desk.work()
    night.called(Call("c0", *night.people(1)[0]))
    night.make()
    night.release(night.returns()[0])

    row = pl.read_csv(night.file(night.returns()[0]), separator=";", infer_schema=False).to_dicts()[0]
    assert row["product"] == people["product"][0]


def test_where_great_expectations_says_otherwise_no_file_goes_though_one_was_written(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two judges that differ are a fault nobody can cause from outside: the second one is made to doubt."""

    def doubts(verdict: GateVerdict, passed: PassResult) -> GateVerdict:
        return as_undecided(verdict, Finding("UNREADABLE_JUDGES_DIFFER", "great_expectations", None, 1, stops=True))

    monkeypatch.setattr(make, "ask_gx", doubts)
    night.called(Call("c1", *night.people(1)[0]))
    night.make()

    [line] = night.returns()
    assert (line.decision, line.reason_code, line.rows_accepted) == ("undecided", "UNREADABLE_JUDGES_DIFFER", 0)
    assert night.delivered() == {}
