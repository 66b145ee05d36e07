"""``sluice case`` as the desk uses it: the keys of the contract, the exit codes, and never a value of a person."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from returns.commands import at_terminal, sluice
from sluice.cli.whole import app
from sluice.settings import Settings
from support.desk import JANUARY, Desk, open_desk

KEYS = {"case", "state", "sub_cases", "received", "legal_due", "extended_due"}
PHONE = "0470123456"
OPEN = ("case", "open", "--right", "erasure", "--identifier", f"phone:{PHONE}", "--by", "anna")


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with open_desk(store_settings, tmp_path, JANUARY) as opened, at_terminal(opened, monkeypatch):
        yield opened


def part_of(document: dict[str, object], track: str) -> dict[str, object]:
    parts = document["sub_cases"]
    assert isinstance(parts, list)
    return next(dict(part) for part in parts if part["track"] == track)


def test_a_case_from_open_to_show(desk: Desk) -> None:
    opened = sluice(*OPEN, "--principal", "energy01", "--received", "2026-11-20")
    case = str(opened.document["case"])

    assert opened.exit == 0 and set(opened.document) >= KEYS
    assert (opened.document["state"], opened.document["received"]) == ("RECEIVED", "2026-11-20")
    assert (opened.document["legal_due"], opened.document["extended_due"]) == ("2026-12-21", "2027-02-22")
    assert len(desk.sql("select 1 from suppression_run where reason = 'soft_hold'")) == 1
    followed = sluice("case", "follow")
    assert (followed.exit, followed.document["forwarded"], followed.document["late"]) == (0, 1, 1)
    shown = sluice("case", "show", case[:8])
    assert part_of(shown.document, "processor")["state"] == "AWAITING_INSTRUCTION"
    assert [step["to"] for step in shown.document["steps"]][:3] == ["RECEIVED", "SCOPED", "SCOPED"]
    assert [(each["step"], each["who"], each["until"]) for each in shown.document["next"]] == [
        ("check_identity", "center", "2026-12-21"),
        ("post_letter", "center", "2026-12-21"),
        ("await_instruction", "energy01", "2026-12-21"),
    ]
    table = CliRunner().invoke(app, ["case", "show", case[:8]]).stdout
    assert "Next" in table and f"sluice case identity {case[:8]}" in table
    listed = sluice("case", "list", "--state", "awaiting_instruction", "--open")
    assert [each["case"] for each in listed.document["cases"]] == [case]
    assert sluice("case", "list", "--principal", "bank01").document == {"cases": [], "more": False}


def test_a_list_that_ends_at_its_limit_says_so(desk: Desk) -> None:
    opened = [str(sluice(*OPEN, "--principal", name).document["case"]) for name in ("energy01", "bank01")]

    cut = sluice("case", "list", "--limit", "1")
    assert ([each["case"] for each in cut.document["cases"]], cut.document["more"]) == (opened[1:], True)
    assert "1 shown; there are more: `--limit N`" in CliRunner().invoke(app, ["case", "list", "--limit", "1"]).stderr
    whole = CliRunner().invoke(app, ["case", "list", "--limit", "2", "--format", "json"])
    assert (json.loads(whole.stdout)["more"], whole.stderr) == (False, ""), "control"


def test_what_the_center_decides_goes_by_command(desk: Desk) -> None:
    case = str(sluice(*OPEN, "--principal", "energy01").document["case"])
    early = sluice("case", "decide", case, "--accept", "erase")
    assert (early.exit, early.error) == (1, "SLU-521"), "nobody is assessed before the identity check"

    assert sluice("case", "pause", case).document["state"] == "ID_PENDING"
    assert sluice("case", "pause", case).exit == 1
    assert sluice("case", "show", case).document["paused_legal_due"] is None
    assert sluice("case", "identity", case).document["state"] == "SCOPED"
    extended = sluice("case", "extend", case, "--reason", "A12Complexity")
    assert part_of(extended.document, "controller")["state"] == "EXTENDED" and extended.document["extended"]
    assert sluice("case", "extend", case, "--reason", "A12Complexity").exit == 1
    assert sluice("case", "decide", case, "--refuse", "A17LegallyRequired").exit == 1, "no remedies"
    wrong = ("--refuse", "A17LegallyRequired", "--remedies", "remedies.be", "--language", "fr")
    assert sluice("case", "decide", case, *wrong).exit == 1, "not the person's language"
    refuse = ("--accept", "erase", "--refuse", "callback=A17LegalClaims", "--remedies", "remedies.be")
    decided = sluice("case", "decide", case, *refuse)
    assert part_of(decided.document, "controller")["state"] == "PARTIAL"
    ours = part_of(decided.document, "processor")
    named = sluice("case", "decide", case, "--accept", "erase", "--sub-case", str(ours["sub_case"]))
    assert (named.exit, named.error) == (1, "SLU-521"), "a principal's part waits for its principal"
    assert sluice("case", "withdraw", case).document["state"] == "WITHDRAWN_BY_SUBJECT"
    assert sluice("case", "withdraw", case).exit == 1
    assert "COMPLAINT" not in str(sluice("case", "show", case).document)
    for _ in ("once", "again"):
        assert sluice("case", "complaint", case).exit == 0, "a case that is over too"
    assert sluice("case", "show", case).document["flags"] == "COMPLAINT"


def test_wrong_usage_is_exit_2_and_quotes_nothing(desk: Desk) -> None:
    for words in (
        ("case", "open", "--right", "oblivion", "--identifier", f"phone:{PHONE}"),
        ("case", "open", "--right", "erasure", "--identifier", PHONE),
        ("case", "open", "--right", "erasure", "--identifier", "phone:12"),
        (*OPEN, "--received", "20/11/2026"),
        (*OPEN, "--channel", "pigeon"),
        (*OPEN, "--channel", "file"),
        ("case", "extend", "00000000", "--reason", "A17LegalClaims"),
        (*OPEN, "--received", "2999-01-01"),
        (*OPEN, "--language", "de"),
        ("case", "list", "--state", "LOST"),
        ("case", "decide", "00000000"),
        ("case", "decide", "00000000", "--accept", "forget"),
        ("case", "decide", "00000000", "--refuse", "A12UnfoundedRequest", "--abuse-proven"),
        ("case", "withdraw", "00000000", "--evidence", "nowhere.pdf"),
        ("case", "complaint", "00000000", "--evidence", "nowhere.pdf"),
    ):
        assert sluice(*words).exit == 2, words
    assert sluice(*OPEN, "--principal", "nobody01").exit == 1
    assert sluice("case", "show", "00000000").exit == 1


def test_no_value_of_a_person_is_printed(desk: Desk) -> None:
    case = str(sluice(*OPEN, "--principal", "energy01").document["case"])
    sluice("case", "follow")
    for words in (OPEN, ("case", "list"), ("case", "show", case), ("case", "follow")):
        for form in ("table", "json"):
            done = CliRunner().invoke(app, [*words, "--format", form])
            assert done.exit_code == 0 and done.output
            assert PHONE not in done.output and "470123456" not in done.output
    assert PHONE not in json.dumps(sluice("case", "show", case).document)


def test_a_customer_number_says_whose_it_is_and_no_word_of_it_comes_back(desk: Desk) -> None:
    opened = ("case", "open", "--right", "erasure", "--by", "anna", "--identifier")

    assert sluice(*opened, "customer@energy01:C-000001").exit == 0
    held = desk.sql("select principal from suppression_run where reason = 'soft_hold' and lifted_at is null")
    assert held == [{"principal": "energy01"}]
    for said, exit_, code in (
        ("customer@nobody01:C-000001", 1, "SLU-524"),
        ("customer@0470123456:C-000001", 1, "SLU-524"),
        ("phone@energy01:0470123456", 2, "SLU-522"),
    ):
        refused = sluice(*opened, said)
        assert (refused.exit, refused.error) == (exit_, code) and "0470123456" not in str(refused)
    assert sluice(*opened, "customer@energy01:C-000001", "--principal", "shop01").exit == 2
    assert sluice("suppression", "check", "customer@energy01:C-000001").exit == 2, "one kind and one value there"
    assert sluice("suppression", "check", "customer:C-000001").document["suppressed"] is True
