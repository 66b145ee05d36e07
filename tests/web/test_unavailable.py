"""A store that is away is told as such, and what was begun is finished by the next one who asks."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from sluice.rights.case.model import Actor, Right, Role
from sluice.rights.opening import envelope_of
from sluice.rights.person.identifiers import Identifier
from sluice.rights.person.sealed import case_id_of, seal
from sluice.settings import get_settings
from sluice.terms import Principal, SubjectKind
from support.desk import Desk
from web.house import PHONE, Web


def test_a_store_that_is_away_is_a_503_that_says_when_to_try_again(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_DATABASE_URL", "postgresql://nobody:secretword@127.0.0.1:1/none")
    get_settings.cache_clear()
    for answer in (web.get("/cases"), web.open()):
        assert (answer.status_code, answer.json()["code"]) == (503, "SLU-102")
        assert answer.headers["retry-after"].isdigit() and "secretword" not in answer.text


def test_a_case_whose_opener_died_after_sealing_is_finished_by_the_same_key(web: Web, desk: Desk) -> None:
    key, person = uuid4(), (Identifier(SubjectKind.PHONE, PHONE),)
    case_id = case_id_of(desk.house.keyring, key)
    actor = Actor(Role.DESK, "anna")
    day, now = date(2026, 11, 20), datetime.now(UTC)
    envelope = envelope_of(case_id, Right.ERASURE, Principal("energy01"), (person,), day, now, actor)
    seal(desk.house, replace(envelope, channel="form"))
    assert web.get("/cases").json()["cases"] == []

    answer = web.open(str(key))

    assert (answer.status_code, answer.json()["case"]) == (200, case_id)
    assert len(web.get("/cases").json()["cases"]) == 1
    assert len(desk.objects(desk.settings.bucket_vault)) == 1
