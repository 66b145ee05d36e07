"""The demo has two logins, says which, and shows an exchange that was accepted."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sluice.demo.files import Drop
from sluice.demo.logins import add_second_login, told_logins
from sluice.demo.story import Outcome, example_of
from sluice.exchange.read import ExchangeLine
from sluice.services.airflow import USERS_VARIABLE, environment, passwords_path, settle_port

NOW = datetime(2026, 11, 28, tzinfo=UTC)
REFUSED = Outcome(
    Drop("energy01", "renewal_campaign", Path("x.csv"), "x.csv", None, None, "anything"),
    ExchangeLine(
        "aaaaaaaa-0000-4000-8000-000000000000", "energy01", "inbound", "renewal_campaign", None, "refused",
        "NAME_UNSAFE",
        NOW, NOW, 0, 0, 0, 0, NOW, None,
    ),
    1.0,
)  # fmt: skip
ACCEPTED = replace(
    REFUSED, line=replace(REFUSED.line, id="bbbbbbbb-0000-4000-8000-000000000000", decision="accepted", rows_accepted=5)
)


def test_who_decides_and_who_releases_can_both_log_in(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    add_second_login(environ)
    settle_port(tmp_path)
    handed = environment(tmp_path, tmp_path, "postgresql://x", environ)[USERS_VARIABLE]
    users = dict(each.split(":") for each in handed.split(","))
    assert users == {"admin": "admin", "bert.maes": "user"}

    own = {USERS_VARIABLE: "eva.smit:viewer"}
    add_second_login(own)
    assert own == {USERS_VARIABLE: "eva.smit:viewer"}, "who said who logs in is followed"


def test_both_logins_are_told_and_how_a_second_one_comes(tmp_path: Path) -> None:
    passwords = passwords_path(tmp_path)
    assert told_logins(passwords) == "admin (a second one, who releases: make down, make demo)"
    passwords.write_text(json.dumps({"admin": "x1y2", "bert.maes": "z3w4"}))
    told = told_logins(passwords)
    assert told.startswith("admin, bert.maes") and "x1y2" not in told and "z3w4" not in told


def test_the_example_is_an_exchange_of_which_rows_were_accepted() -> None:
    assert example_of([REFUSED, ACCEPTED, REFUSED]) == "bbbbbbbb"
    assert example_of([REFUSED]) == "aaaaaaaa", "a file of somebody's own may be refused"
