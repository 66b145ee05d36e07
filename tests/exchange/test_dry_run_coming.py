"""While the papers of next year lie in the folder, a dry run judges by none of them, and says why it cannot tell."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from returns.commands import at_terminal, sluice
from sluice.agreement.in_force.activate import activate_all
from sluice.cli.whole import app
from sluice.settings import Settings
from sluice.times import brussels_today
from support.desk import ENERGY, Desk, open_desk
from support.night import AGREEMENT, Edit, change, with_papers

pytestmark = pytest.mark.stores
CONTRACT = "renewal_campaign.inbound.odcs.yaml"
RUN = ("--agreement", "DPA-ENERGY01", "--flow", ENERGY[1], "--dry-run")
NEXT_YEAR = date(brussels_today().year + 1, 1, 1)


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(with_papers(store_settings, tmp_path), tmp_path) as opened:
        yield opened


def folder_of(desk: Desk) -> Path:
    return desk.settings.principals_dir / ENERGY[0]


def activate(desk: Desk) -> None:
    for each in activate_all(desk.house.conn, desk.settings.principals_dir, datetime.now(UTC)):
        assert not each.is_refused, each.problems


def contract_from(desk: Desk, first: date) -> None:
    """From this day on DUAL is no product any more."""
    path = folder_of(desk) / CONTRACT
    change(path, "version: 1.0.0", "version: 1.1.0")
    change(path, '["ELEC", "GAS", "DUAL"]', '["ELEC", "GAS"]')
    change(
        path,
        "  - {property: maxRefusedShare",
        f"  - {{property: validFrom, value: {first}}}\n  - {{property: maxRefusedShare",
    )
    activate(desk)


def agreement_from(desk: Desk, first: date) -> None:
    """A new version of the agreement, with every contract issued anew under it."""
    text = (folder_of(desk) / AGREEMENT).read_text(encoding="utf-8")
    for old, new in (
        ("version: 3.0.0", "version: 3.1.0"),
        ("supersedes: 2.4.0", "supersedes: 3.0.0"),
        ("validFrom: 2026-01-01\nvalidTo", f"validFrom: {first}\nvalidTo"),
        ("documentSha256: 7", "documentSha256: 8"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder_of(desk) / "agreement-3.1.0.yaml").write_text(text, encoding="utf-8")
    for path in folder_of(desk).glob("*.odcs.yaml"):
        change(
            path,
            "agreementVersion, value: 3.0.0}",
            f"agreementVersion, value: 3.1.0}}\n  - {{property: validFrom, value: {first}}}",
        )
        change(path, "version: 1.0.0", "version: 1.1.0")
    activate(desk)


@pytest.mark.parametrize("papers_from", [contract_from, agreement_from], ids=["contract", "agreement"])
def test_a_contract_that_does_not_hold_yet_is_named_with_its_first_day(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, papers_from: object
) -> None:
    assert callable(papers_from)
    papers_from(desk, NEXT_YEAR)
    path = desk.campaign(60)[0]
    dropped = desk.drop(path)
    desk.work()

    with at_terminal(desk, monkeypatch):
        said = sluice("gate", "run", str(path), *RUN)
        shown = CliRunner().invoke(app, ["gate", "run", str(path), *RUN])

    record = desk.shown(dropped).record
    assert record is not None
    assert (desk.line(dropped).decision, record.how.contract_version) == ("accepted", "1.0.0")
    assert (said.exit, said.document["verdict"]) == (3, "UNDECIDED"), "not another verdict than the center's"
    [reason] = said.document["reasons"]
    assert (reason["code"], reason["rule"]) == ("FORBIDDEN_CONTRACT_NOT_YET", f"paper.in_force:{NEXT_YEAR}")
    assert str(NEXT_YEAR) in shown.stderr


def test_the_center_says_so_too_of_a_flow_that_has_no_contract_until_then(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = "agreementVersion, value: 3.0.0}"
    later = Edit(CONTRACT, pin, f"{pin}\n  - {{property: validFrom, value: {NEXT_YEAR}}}")
    with open_desk(with_papers(store_settings, tmp_path, later), tmp_path) as desk:
        path = desk.campaign(60)[0]
        dropped = desk.drop(path)
        unheard_of = desk.drop(path, where=(ENERGY[0], "no_such_flow"))
        desk.work()
        with at_terminal(desk, monkeypatch):
            [reason] = sluice("gate", "run", str(path), *RUN).document["reasons"]
        record = desk.shown(dropped).record

        assert record is not None
        told = [(each.code, each.rule) for each in record.reasons]
        assert told == [(reason["code"], reason["rule"])]
        assert desk.line(dropped).reason_code == "FORBIDDEN_CONTRACT_NOT_YET"
        assert desk.line(unheard_of).reason_code == "FORBIDDEN_NO_CONTRACT", "the control"


def test_one_that_holds_from_today_on_judges_both(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    contract_from(desk, brussels_today())
    path = desk.campaign(60)[0]
    dropped = desk.drop(path)
    desk.work()

    with at_terminal(desk, monkeypatch):
        said = sluice("gate", "run", str(path), *RUN)

    assert (desk.line(dropped).decision, said.document["verdict"]) == ("refused", "REFUSED")
    assert {each["code"] for each in said.document["reasons"]} >= {"LIMIT_REFUSED_SHARE", "VALUE_NOT_IN_SET"}


def test_a_contract_that_was_not_issued_anew_has_the_verdict_of_the_center(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (folder_of(desk) / AGREEMENT).read_text(encoding="utf-8")
    for old, new in (
        ("version: 3.0.0", "version: 3.1.0"),
        ("supersedes: 2.4.0", "supersedes: 3.0.0"),
        ("validFrom: 2026-01-01\nvalidTo", f"validFrom: {brussels_today()}\nvalidTo"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder_of(desk) / "agreement-3.1.0.yaml").write_text(text, encoding="utf-8")
    activate(desk)
    path = desk.campaign(60)[0]
    dropped = desk.drop(path)
    desk.work()

    with at_terminal(desk, monkeypatch):
        [reason] = sluice("gate", "run", str(path), *RUN).document["reasons"]
        shown = CliRunner().invoke(app, ["gate", "run", str(path), *RUN])

    assert reason["code"] == desk.line(dropped).reason_code == "FORBIDDEN_AGREEMENT_EXPIRED"
    assert "names another version of DPA-ENERGY01 than 3.1.0" in shown.stderr
