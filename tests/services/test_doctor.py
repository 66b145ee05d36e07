"""Each check of the doctor passes on a sound installation, and fails on one that is not."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from sluice.services.doctor import Check, describe_settings, examine
from sluice.services.seaweed import credential
from sluice.settings import Settings

pytestmark = pytest.mark.stores


def checks(settings: Settings) -> dict[str, Check]:
    return {check.name: check for check in examine(settings)}


def changed(settings: Settings, **values: object) -> Settings:
    return settings.model_copy(update=values)


def test_a_sound_installation_passes(store_settings: Settings) -> None:
    found = checks(store_settings)
    assert [name for name, check in found.items() if not check.ok] == ["services"]  # these are the tests' own


def test_an_administrator_is_not_a_role_for_the_application(store_settings: Settings) -> None:
    found = checks(changed(store_settings, database_url=store_settings.database_admin_url))
    assert not found["database role"].ok and not found["database role"].is_missing


def test_what_does_not_answer_is_missing_and_named(store_settings: Settings) -> None:
    nowhere = SecretStr("postgresql://sluice@127.0.0.1:1/sluice")
    found = checks(changed(store_settings, database_url=nowhere, s3_endpoint="http://127.0.0.1:1"))
    failed = {name for name, check in found.items() if not check.ok and check.is_missing}
    assert failed == {"services", "database", "buckets", "store"}
    assert all(found[name].cure for name in failed)


def test_missing_buckets_are_named(store_settings: Settings) -> None:
    found = checks(changed(store_settings, bucket_lake="no-such-bucket"))
    assert not found["buckets"].ok and "no-such-bucket" in found["buckets"].detail


def test_a_secret_that_others_can_read_is_found(store_settings: Settings) -> None:
    credential(store_settings.var, "client-a")
    path = store_settings.var / "secrets" / "s3-client-a.json"
    assert checks(store_settings)["keys"].ok
    path.chmod(0o644)
    assert "s3-client-a.json" in checks(store_settings)["keys"].detail


def test_a_broken_dag_is_named(store_settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "torn.py").write_text("from airflow.sdk import DAG\nraise RuntimeError\n")
    assert "torn.py" in checks(changed(store_settings, home=tmp_path))["DAGs"].detail


def test_settings_are_shown_without_secrets(store_settings: Settings) -> None:
    shown = describe_settings(store_settings)
    assert store_settings.s3_secret_key is not None
    assert store_settings.s3_secret_key.get_secret_value() not in str(shown)
    assert shown["s3_secret_key"] == "(set)"
    assert shown["bucket_lake"] == store_settings.bucket_lake
