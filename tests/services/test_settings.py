"""A setting that cannot be used is named, and what it says is not: it may hold a password."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from sluice.cli.main import main
from sluice.db import connect
from sluice.errors import DatabaseError, NotMigrated, SettingInvalid, SettingMissing
from sluice.keys import Keyring
from sluice.settings import Settings, get_settings
from support.stores import Databases


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
        ("SLUICE_KEEP_RUNS_DAYS", "1000000"),
        ("SLUICE_KEEP_ARRIVED_DAYS", "99999999999"),
        ("SLUICE_TASK_HOURS", "999999999999"),
        ("SLUICE_POLL_SECONDS", "inf"),
        ("SLUICE_GATE_MEMORY_MB", "99999999999999999"),
        ("SLUICE_SCAN_WALL_SECONDS", "99999999999999"),
        ("SLUICE_BUCKET_INTERNAL", "exchange"),
        ("SLUICE_BUCKET_EVIDENCE", "lake"),
        ("SLUICE_S3_SECRET_KEY", "geheim"),
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
    "name",
    ["MASTER_KEY", "SIGNING_KEY", "DATABASE_URL", "S3_SECRET_KEY", "VAR", "KEYS_DIR", "BUCKET_EVIDENCE", "ENVIRONMENT"],
)
@pytest.mark.parametrize("said", ["", " \n"])
def test_an_empty_setting_is_refused_where_nothing_would_be_something_else(
    monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.setenv(f"SLUICE_{name}", said)
    get_settings.cache_clear()
    with pytest.raises(SettingInvalid) as refused:
        get_settings()
    assert f"setting SLUICE_{name} (empty)" in str(refused.value) and str(refused.value).count("SLUICE_") == 1


def test_an_empty_setting_that_may_be_missing_is_missing_and_white_space_around_is_none_of_it(
    monkeypatch: pytest.MonkeyPatch, fresh_settings: None
) -> None:
    for name in ("LINEAGE_URL", "WEBHOOK_URL", "SMTP_URL", "SQS_QUEUE_URL", "CENTER_NAME", "OTHER_BUCKETS"):
        monkeypatch.setenv(f"SLUICE_{name}", "")
    monkeypatch.setenv("SLUICE_BUCKET_EVIDENCE", " proofs\n")
    settings = get_settings()
    assert (settings.lineage_url, settings.webhook_url, settings.smtp_url, settings.sqs_queue_url) == (None,) * 4
    assert (settings.center_name, settings.other_buckets, settings.bucket_evidence) == (None, "", "proofs")


def test_one_key_of_a_store_without_the_other_is_refused_in_both_directions(
    monkeypatch: pytest.MonkeyPatch, fresh_settings: None
) -> None:
    """It would be left aside, and the machine's own credential used in its place."""
    monkeypatch.setenv("SLUICE_S3_ACCESS_KEY", "center")
    with pytest.raises(SettingInvalid, match=r"SLUICE_S3_SECRET_KEY \(one_key_of_two\)"):
        get_settings()
    monkeypatch.setenv("SLUICE_S3_SECRET_KEY", "geheim")
    settings = get_settings()
    assert settings.s3_access_key and settings.s3_secret_key, "the control"


def test_a_key_that_is_set_and_empty_makes_no_new_one(tmp_path: Path) -> None:
    for name in ("master_key", "signing_key"):
        with pytest.raises(SettingMissing):
            Keyring.open(Settings(var=tmp_path, **{name: SecretStr("")}))


def test_a_fault_of_one_setting_is_not_told_of_those_that_follow_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_CENTER_COUNTRY", "Belgium")
    get_settings.cache_clear()
    with pytest.raises(SettingInvalid) as refused:
        get_settings()
    assert "SLUICE_CENTER_COUNTRY" in str(refused.value) and "SLUICE_KEYS_DIR" not in str(refused.value)


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

    monkeypatch.setattr("sluice.lake.s3.objects._session", boto3.session.Session)


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


PLACES = ("var", "principals_dir", "controllers_dir", "expectations_dir", "mappings_dir", "keys_dir")


def test_a_relative_place_is_one_below_home_whatever_folder_a_process_works_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("SLUICE_HOME", str(tmp_path))
    for name in PLACES:
        monkeypatch.setenv(f"SLUICE_{name.upper()}", f"mine/{name}")
    (tmp_path / "mine" / "var" / "run").mkdir(parents=True)
    (tmp_path / "mine" / "var" / "run" / "services.env").write_text("SLUICE_CENTER=found\n")
    for folder in (tmp_path, tmp_path / "elsewhere"):
        monkeypatch.chdir(folder)
        get_settings.cache_clear()
        settings = get_settings()

        assert {name: getattr(settings, name) for name in PLACES} == {name: tmp_path / "mine" / name for name in PLACES}
        assert settings.center == "found"
    get_settings.cache_clear()


@pytest.mark.parametrize("words", [("agreement", "list"), ("demo", "file.csv"), ("status",)])
def test_a_home_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    (tmp_path / "file.csv").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLUICE_HOME", str(tmp_path / "sluise"))

    assert leave(monkeypatch, *words, "--format", "json") == 4

    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "SLU-104" and "setting SLUICE_HOME (no such folder)" in error["message"]


GATE = ("gate", "run", "file.csv", "--agreement", "DPA-ENERGY01", "--flow", "renewal_campaign", "--dry-run")
ROLES = ("agreement", "roles", "DPA-X", "--direction", "inbound")


@pytest.mark.parametrize("name", ["SLUICE_HOME", "SLUICE_PRINCIPALS_DIR"])
@pytest.mark.parametrize("words", [GATE, ("agreement", "list"), ROLES])
def test_a_folder_without_papers_is_told_by_what_needs_them(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    words: tuple[str, ...],
) -> None:
    (tmp_path / "file.csv").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, str(tmp_path if name == "SLUICE_HOME" else tmp_path / "nowhere"))

    assert leave(monkeypatch, *words, "--format", "json") == 4

    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "SLU-104" and f"setting {name} (no folder of principals there)" in error["message"]


PUBLIC_KEY = """
from sluice.keys import Keyring
from sluice.settings import get_settings
print(Keyring.open(get_settings()).public_pem)
"""


@pytest.mark.slow
def test_a_second_process_in_another_folder_makes_no_second_key(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    made = []
    for home, folder in ((".", tmp_path), ("..", tmp_path / "elsewhere"), (str(tmp_path), tmp_path / "elsewhere")):
        environment = {**os.environ, "SLUICE_HOME": home, "SLUICE_VAR": "var", "SLUICE_KEYS_DIR": "keys"}
        command = [sys.executable, "-c", PUBLIC_KEY]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
        made.append(done.stdout)

    assert made[0] == made[1] == made[2] != b""
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_relative_home_is_the_folder_it_names_now_and_what_is_absolute_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SLUICE_VAR")

    settings = Settings(home=Path(), keys_dir=Path("/safe"))

    assert (settings.home, settings.var, settings.keys_dir) == (tmp_path, tmp_path / "var", Path("/safe"))
