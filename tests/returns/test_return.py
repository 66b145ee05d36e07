"""Results meet contacts and go back: what leaves, what stays, and that both are said."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from night import Call, Night, call_log
from sluice.cli.receipt import app
from sluice.ledger.model import SignatureInvalid
from sluice.returns.release import release

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
