"""A setting that cannot be used is named, and what it says is not: it may hold a password."""

import json
import sys

import pytest

from sluice.cli.main import main
from sluice.db import connect
from sluice.errors import DatabaseError, NotMigrated
from sluice.settings import Settings, get_settings
from stores import Databases


def leave(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """What the command ends with; settings are read anew."""
    monkeypatch.setattr(sys, "argv", ["sluice", *words])
    get_settings.cache_clear()
    with pytest.raises(SystemExit) as left:
        main()
    get_settings.cache_clear()
    return int(str(left.value.code))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("SLUICE_DATABASE_URL", "sluice:geheim@db/sluice"),
        ("SLUICE_DATABASE_ADMIN_URL", "postgresql://sluice:geheim@db/sluice?no_such=1"),
        ("SLUICE_KEEP_DIAL_DAYS", "geheim"),
        ("SLUICE_SLOTS", "-7"),
    ],
)
@pytest.mark.parametrize("verb", ["doctor", "status"])
def test_a_setting_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, said: str, verb: str
) -> None:
    monkeypatch.setenv(name, said)

    assert leave(monkeypatch, verb, "--format", "json") == 4

    shown = capsys.readouterr()
    error = json.loads(shown.out)["error"]
    assert error["code"] == "SLU-104" and f"setting {name} " in error["message"]
    assert said not in shown.out + shown.err and "geheim" not in shown.out + shown.err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("SLUICE_S3_ENDPOINT", "localhost:9000"),
        ("SLUICE_S3_ENDPOINT", "http://my_store:9000"),
        ("AWS_ENDPOINT_URL", "localhost:9000"),
        ("SLUICE_S3_REGION", "eu west"),
        ("AWS_PROFILE", "nobody"),
    ],
)
def test_an_address_of_a_store_that_is_none_is_named(
    store_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    said: str,
) -> None:
    assert store_settings.database_url is not None
    monkeypatch.setenv("SLUICE_DATABASE_URL", store_settings.database_url.get_secret_value())
    monkeypatch.setenv(name, said)
    made_anew(monkeypatch)

    assert leave(monkeypatch, "ledger", "verify", "--format", "json") == 4

    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "SLU-104" and f"setting {name}." in error["message"] and said not in error["message"]


def made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session of boto3 that reads the environment of this test."""
    import boto3

    monkeypatch.setattr("sluice.lake.objects._session", boto3.session.Session)


def test_a_read_of_a_database_that_was_never_migrated_says_so(
    databases: Databases, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with databases.fresh(template="template0") as empty:
        monkeypatch.setenv("SLUICE_DATABASE_URL", empty.app_url)

        assert leave(monkeypatch, "exchange", "list", "--format", "json") == 4

    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == NotMigrated.code and "sluice up" in error["message"]


def test_another_error_of_a_read_keeps_its_state_and_nothing_else(store_settings: Settings) -> None:
    with pytest.raises(DatabaseError) as refused, connect(store_settings) as conn:
        conn.execute("select 'geheim'::int")

    assert "22P02" in str(refused.value) and not isinstance(refused.value, NotMigrated)
    assert refused.value.__context__ is None and conn.closed
