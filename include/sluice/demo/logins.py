"""Who logs in to the demo's Airflow: two people, for whoever decided or prepared a thing cannot release it."""

import json
from collections.abc import MutableMapping
from pathlib import Path

from sluice.services.airflow import USERS_VARIABLE

FIRST, SECOND = "admin", "bert.maes"


def add_second_login(environ: MutableMapping[str, str]) -> None:
    """Ask for both, unless somebody said who logs in. It counts from the next start of Airflow."""
    if not environ.get(USERS_VARIABLE):
        environ[USERS_VARIABLE] = f"{FIRST}:admin,{SECOND}:user"


def told_logins(passwords: Path) -> str:
    """Who has a password; where Airflow ran before and knows one person only, how a second one comes."""
    names = sorted(json.loads(passwords.read_text(encoding="utf-8")))
    if len(names) > 1:
        return f"{', '.join(names)} (one decides, another releases)"
    return f"{names[0]} (a second one, who releases: make down, make demo)"
