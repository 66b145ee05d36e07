"""Who somebody is: without a login, with what is no token, under a name that no record can hold."""

import pytest
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN

from web.house import Web


def test_nobody_is_told_how_to_log_in_and_opens_nothing(web: Web) -> None:
    assert web.as_(None).get("/cases").headers["www-authenticate"] == "Bearer"
    assert web.as_(None).open().status_code == 401
    assert web.desk.sql("select 1 from subject_case") == []


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer x.y.z"}, {"Cookie": f"{COOKIE_NAME_JWT_TOKEN}=x.y.z"}])
def test_what_is_no_token_gets_nothing(web: Web, headers: dict[str, str]) -> None:
    answer = web.as_(None).get("/cases", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "SLU-602"), "as Airflow's own API answers"


@pytest.mark.parametrize("name", ["\u042d\u043c\u0438\u043b", "-", "a" * 101, "ann\u0430", "\u0430nn"])
def test_a_name_no_record_can_hold_opens_nothing_and_seals_nothing(web: Web, name: str) -> None:
    answer = web.as_(f"{name}:USER").open()
    assert (answer.status_code, answer.json()["code"]) == (403, "SLU-603")
    assert web.desk.objects(web.desk.settings.bucket_vault) == []


def test_a_name_is_taken_as_it_is_written_and_kept_in_one_spelling(web: Web) -> None:
    case = web.as_("E\u0301lodie  Maes:USER").open().json()["case"]

    steps = web.desk.sql(f"select distinct actor from case_transition where case_id = '{case}'")
    assert [row["actor"] for row in steps] == ["Élodie Maes"]
