"""Each check of the doctor passes on a sound installation, and fails on one that is not."""

import base64
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr

from sluice.db import connect
from sluice.exchange.anchor import EvidenceOfAnother, anchor_ledger
from sluice.exchange.house import open_house
from sluice.keys import Keyring
from sluice.lake.s3 import objects
from sluice.lake.s3.objects import open_client
from sluice.rights.mail.mail_store import begin_mail, note_mail_error
from sluice.services import buckets, doctor, stack
from sluice.services.doctor import describe_settings, examine
from sluice.services.seaweed import credential
from sluice.settings import Settings
from sluice.terms import Principal
from support.desk import environment
from support.installation import examine_one

pytestmark = pytest.mark.stores


def changed(settings: Settings, **values: object) -> Settings:
    return settings.model_copy(update=values)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is away is asked a second long."""
    monkeypatch.setattr(objects, "TRY_FOR_SECONDS", 1)
    monkeypatch.setattr(buckets, "PATIENCE_SECONDS", 1)


def test_a_sound_installation_passes(module_settings: Settings) -> None:
    assert [check.name for check in examine(module_settings) if not check.ok] == [
        "services"
    ]  # these are the tests' own


def test_an_administrator_is_not_a_role_for_the_application(module_settings: Settings) -> None:
    admin = changed(module_settings, database_url=module_settings.database_admin_url)
    assert not examine_one("database role", admin).ok


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", ["services", "database", "buckets", "store"])
def test_what_does_not_answer_is_missing_and_has_a_cure(module_settings: Settings, name: str) -> None:
    nowhere = SecretStr("postgresql://sluice@127.0.0.1:1/sluice")
    found = examine_one(name, changed(module_settings, database_url=nowhere, s3_endpoint="http://127.0.0.1:1"))
    assert not found.ok and found.is_missing and found.cure


def test_who_reads_strangers_files_and_keeps_the_network_or_every_file_is_told(module_settings: Settings) -> None:
    assert examine_one("readers of files", module_settings).ok
    asked = (
        "from sluice.kernel import deny; from sluice.services import doctor; from sluice.settings import Settings\n"
        "look = next(each for each in doctor.LOOKS if each.name == 'readers of files')\n"
        "assert deny('landlock_create_ruleset'); print(doctor.check(look, Settings()))\n"
        "assert deny('unshare', 'seccomp', 'prctl'); print(doctor.check(look, Settings()))"
    )
    done = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    files, network = done.stdout.splitlines()
    assert "ok=True" in files and "reach no network, and every file of their user" in files
    assert "ok=False" in network and "reach the network" in network


def test_missing_buckets_are_named(module_settings: Settings) -> None:
    found = examine_one("buckets", changed(module_settings, bucket_lake="no-such-bucket"))
    assert not found.ok and "no-such-bucket" in found.detail


@pytest.mark.usefixtures("impatient")
def test_whether_evidence_is_locked_is_said_and_no_failure(module_settings: Settings) -> None:
    found = examine_one("evidence", module_settings)
    assert found.ok and found.detail == "no object lock: whoever owns the bucket can remove what is in it"
    locked = changed(module_settings, bucket_evidence=f"locked-{module_settings.bucket_evidence}")
    bucket, client = locked.bucket_evidence, open_client(locked)
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    assert examine_one("evidence", locked).detail == "object lock on, without a default retention"
    for mode, unit in (("GOVERNANCE", "Days"), ("COMPLIANCE", "Years")):
        rule = {"DefaultRetention": {"Mode": mode, unit: 10}}
        lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
        client.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=lock)
        assert examine_one("evidence", locked).detail == f"object lock on, {mode.lower()}, 10 {unit.lower()}"
    client.delete_bucket(Bucket=bucket)
    assert examine_one("evidence", locked).detail == "object lock not known (NoSuchBucket)"
    assert not examine_one("evidence", changed(module_settings, s3_endpoint="http://127.0.0.1:1")).ok


def test_buckets_of_another_installation_are_found_and_nothing_starts_on_them(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_house(store_settings) as house:
        anchor_ledger(house, datetime.now(UTC))
    other = changed(store_settings, var=tmp_path / "other", keys_dir=tmp_path / "keys")

    def bring_up(settings: Settings) -> None:
        for name, value in environment(settings).items():
            monkeypatch.setenv(name, value)
        stack.bring_up(settings.home, settings.var, with_airflow=False, report=lambda line: None)

    bring_up(store_settings)
    assert examine_one("evidence", store_settings).ok, "the control"
    with pytest.raises(EvidenceOfAnother):
        bring_up(other)
    found = examine_one("evidence", other)
    assert not found.ok and "SLU-456" in found.detail and "SLUICE_BUCKET_" in found.detail
    keyless = changed(store_settings, var=tmp_path / "keyless", signing_key=None)
    assert not examine_one("evidence", keyless).ok, "who has no key yet signed nothing there"
    assert not (tmp_path / "keyless" / "secrets").exists(), "a look makes none"


def test_a_secret_that_others_can_read_is_found(store_settings: Settings) -> None:
    credential(store_settings.var, "client-a")
    path = store_settings.var / "secrets" / "s3-client-a.json"
    assert examine_one("keys", store_settings).ok
    path.chmod(0o644)
    assert "s3-client-a.json" in examine_one("keys", store_settings).detail


def test_keys_that_another_master_key_wrapped_are_found(store_settings: Settings) -> None:
    mine = Keyring.open(store_settings)
    mine.subject_key(Principal("client-a"))
    mine.quarantine_identity(Principal("client-a"))
    mine.forbid(Principal("client-b"), "subject")
    assert examine_one("keys", store_settings).ok

    other = SecretStr(base64.b64encode(bytes(32)).decode())
    found = examine_one("keys", changed(store_settings, master_key=other))

    assert not found.ok and found.is_missing
    assert found.detail == "2 of 2 cannot be opened with this master key, or not be read, first client-a/quarantine"
    gone = examine_one("keys", changed(store_settings, master_key=None))
    assert not gone.ok and "SLU-116" in gone.detail and "master.key" in gone.detail


def test_a_country_without_last_days_is_found_before_somebody_asks(module_settings: Settings) -> None:
    assert "BE: a request of today is due on 2" in examine_one("legal clock", module_settings).detail
    found = examine_one("legal clock", changed(module_settings, center_country="UK"))
    assert not found.ok and "COUNTRY_OUTSIDE_EEA" in found.detail and "SLUICE_CENTER_COUNTRY" in found.cure


WAYS = "mail, webhook, queue"


@pytest.mark.parametrize(
    ("name", "said", "lacks"),
    [
        ("smtp_url", SecretStr("mail.geheim.example"), "SMTP_URL"),
        ("smtp_url", SecretStr("smtp://[geheim"), "SMTP_URL"),
        ("smtp_url", SecretStr("smtps://geheim.example"), "MAIL_FROM"),
        ("webhook_url", SecretStr("http://geheim.example"), "WEBHOOK_URL"),
        ("lineage_url", "geheim.example/api", "LINEAGE_URL"),
        ("lineage_url", "http://[geheim", "LINEAGE_URL"),
        ("sqs_queue_url", "geheim", "SQS_QUEUE_URL"),
    ],
)
def test_an_address_to_which_nothing_can_go_is_named_before_something_has_to(
    module_settings: Settings, name: str, said: object, lacks: str
) -> None:
    assert examine_one(WAYS, module_settings).detail == "the desk hears by the log only"
    found = examine_one(WAYS, changed(module_settings, **{name: said}))
    assert not found.ok and f"setting SLUICE_{lacks}." in found.detail and "geheim" not in found.detail


def test_what_the_desk_should_have_heard_and_what_has_no_more_to_be_sent(store_settings: Settings) -> None:
    near = changed(store_settings, smtp_url=SecretStr("smtp://localhost:1"), mail_from="desk@center.example")
    assert examine_one(WAYS, near).detail == "the desk hears by mail"
    with connect(store_settings) as conn:
        for number in (UUID(int=1), UUID(int=2)):
            begin_mail(conn, str(number), "ALARM")
            note_mail_error(conn, str(number), "SLU-999")
        found = examine_one(WAYS, near)
        assert not found.ok and found.detail == "not sent: 2 by mail (SLU-999)" and found.cure
        conn.execute("update mail set next_attempt_at = now() - interval '1 day'")
    assert examine_one(WAYS, near).ok, "their cases are over"


def test_a_setting_that_nobody_reads_is_named_and_what_it_says_is_not(
    module_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_SLOTS", "2")
    assert examine_one("settings", module_settings).ok
    monkeypatch.setenv("SLUICE_LINEAGE_ULR", "geheim")
    found = examine_one("settings", module_settings)
    assert not found.ok and "SLUICE_LINEAGE_ULR" in found.detail and "geheim" not in found.detail


def test_what_kubernetes_tells_of_the_services_of_a_release_is_no_setting(
    module_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "SERVICE_HOST": "10.0.0.1",
        "SERVICE_PORT": "8080",
        "SERVICE_PORT_API_SERVER": "8080",
        "PORT": "tcp://10.0.0.1:8080",
        "PORT_8080_TCP": "tcp://10.0.0.1:8080",
        "PORT_8080_TCP_ADDR": "10.0.0.1",
    }.items():
        monkeypatch.setenv(f"SLUICE_API_SERVER_{name}", value)
    assert examine_one("settings", module_settings).ok
    monkeypatch.setenv("SLUICE_S3_PORT", "8333")
    assert "SLUICE_S3_PORT" in examine_one("settings", module_settings).detail, "the control"


def test_a_broken_dag_is_named_and_airflow_writes_its_logs_where_ours_are(
    module_settings: Settings, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / "dags").mkdir(parents=True)
    (home / "dags" / "torn.py").write_text("from airflow.sdk import DAG\nraise RuntimeError\n")
    assert "torn.py" in examine_one("DAGs", changed(module_settings, home=home)).detail
    assert not (home / "var").exists() and not (home / "logs").exists()


def test_of_a_setting_that_makes_no_client_the_name_is_said(module_settings: Settings) -> None:
    for name in ("buckets", "suppressions", "store", "places"):
        found = examine_one(name, changed(module_settings, s3_endpoint="localhost:9000"))
        assert "SLU-104" in found.detail and "SLUICE_S3_ENDPOINT" in found.detail and found.is_missing
        assert "9000" not in found.detail


def test_a_look_that_breaks_says_where_and_stops_no_other(
    module_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor.migrations, "current", lambda url: {}[url])
    monkeypatch.setattr(doctor, "PARSE_SECONDS", 0.01)

    found = {check.name: check for check in examine(module_settings)}

    assert found["migrations"].detail.startswith("KeyError at test_doctor.py:")
    assert found["DAGs"].detail == "not parsed within 0.01 s"
    assert found["places"].ok


def test_a_server_without_our_roles_is_not_migrated(module_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "POWER", doctor.POWER.replace("sluice_owner", "no_such_role"))

    found = examine_one("database role", module_settings)

    assert "SLU-204" in found.detail and "42704" in found.detail and found.is_missing


def test_settings_are_shown_without_secrets(module_settings: Settings) -> None:
    shown = describe_settings(module_settings)
    assert module_settings.s3_secret_key is not None
    assert module_settings.s3_secret_key.get_secret_value() not in str(shown)
    assert shown["s3_secret_key"] == "(set)"
    assert shown["bucket_lake"] == module_settings.bucket_lake
