"""Logins of the demo's Airflow: two persons, because whoever decided or prepared something cannot release it."""

import json
from collections.abc import MutableMapping
from pathlib import Path

from sluice.services.airflow import USERS_VARIABLE

FIRST, SECOND = "admin", "bert.maes"


def add_second_login(environ: MutableMapping[str, str]) -> None:
    """Request both logins, unless others were configured. Takes effect at the next start of Airflow."""
    if not environ.get(USERS_VARIABLE):
        environ[USERS_VARIABLE] = f"{FIRST}:admin,{SECOND}:user"


def told_logins(passwords: Path) -> str:
    """Return who has a password. If an older Airflow knows only one person, say how to get the second."""
    names = sorted(json.loads(passwords.read_text(encoding="utf-8")))
    if len(names) > 1:
        return f"{', '.join(names)} (one decides, another releases)"
    return f"{names[0]} (a second one, who releases: make down, make demo)"
