"""Every setting of Sluice, one class, prefix ``SLUICE_``.

Order: the environment, then ``var/run/services.env`` (written by ``sluice up`` for the embedded
services), then the defaults here. ``sluice doctor`` prints them without secrets.
"""

import os
import pwd
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from sluice.errors import Ref, SettingInvalid

PREFIX = "SLUICE_"


def get_home() -> Path:
    """Find the checkout: ``SLUICE_HOME``, else the nearest folder upward from here that is one, else this file's own.

    If none has an ``airflow.cfg``, the working folder is taken. Raises SettingInvalid if the named one is not there.
    """
    if named := os.environ.get("SLUICE_HOME"):
        if not Path(named).is_dir():
            raise SettingInvalid(Ref("setting", f"{PREFIX}HOME (no such folder)"))
        return Path(named).resolve()
    here = _working_folder()
    for folder in (here, *here.parents):
        if (folder / "airflow.cfg").is_file() and (folder / "include" / "sluice").is_dir():
            return folder
    checkout = Path(__file__).resolve().parents[2]
    return checkout if (checkout / "airflow.cfg").is_file() else here


def _working_folder() -> Path:
    """Where the command was called; the root where somebody has removed that folder meanwhile."""
    try:
        return Path.cwd().resolve()
    except FileNotFoundError:
        return Path("/")


def _check_dsn(dsn: SecretStr) -> SecretStr:
    """Check that a libpq DSN can be parsed. Raises ValueError, whose message does not quote it."""
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        return dsn  # without the driver nothing can connect anyway
    try:
        conninfo_to_dict(dsn.get_secret_value())
    except ProgrammingError:
        raise ValueError("no libpq DSN") from None
    return dsn


Dsn = Annotated[SecretStr, AfterValidator(_check_dsn)]


def _below_home(path: Path, info: ValidationInfo) -> Path:
    """Resolve a relative path below home.

    It must not depend on a process's working folder, or the process would make new keys there.
    """
    home: Path = info.data.get("home", Path())
    return home / path


Place = Annotated[Path, AfterValidator(_below_home)]

NEVER_EMPTY = ("database_url", "database_admin_url", "master_key", "signing_key", "s3_access_key", "s3_secret_key")
"""Settings that may be missing but not empty: an empty secret is a mistake, not a request for a new key or store."""


MOST_DAYS, MOST_SECONDS, MOST_MB = 36_500, 31_536_000, 1 << 24
"""Bounds of times (a century, a year) and of memory (16 TiB), far above what is of use and far below what a date, a
timer or the kernel cannot hold: that would show in a task at night, or as a file that cannot be judged."""


class Settings(BaseSettings):
    """Settings as read once per process; see :func:`get_settings`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, hide_input_in_errors=True)

    home: Annotated[Path, AfterValidator(Path.resolve)] = Field(default_factory=get_home, description="the checkout")
    var: Place = Field(
        default_factory=lambda done: done["home"] / "var",
        description="everything this installation writes beside its stores; ignored by git, mode 0700",
    )
    principals_dir: Place = Field(
        default_factory=lambda done: done["home"] / "include" / "principals",
        description="agreements and contracts: <principal>/agreement-*.yaml, <principal>/*.odcs.yaml",
    )
    controllers_dir: Place = Field(
        default_factory=lambda done: done["home"] / "include" / "controllers",
        description="whom persons may have their data sent to: <code>.yaml, and its certificate",
    )
    expectations_dir: Place = Field(
        default_factory=lambda done: done["home"] / "expectations", description="suites, JSON"
    )
    mappings_dir: Place = Field(
        default_factory=lambda done: done["home"] / "include" / "mappings",
        description="how each platform's export becomes canonical result rows, YAML",
    )
    environment: str = Field(default="dev", description="name of this installation, in lineage namespaces")
    center: str = Field(default="center", description="code of the contact center in agreements")
    center_name: str | None = Field(
        default=None, description="name of the center on letters; else as its agreements say"
    )
    center_contact: str | None = Field(default=None, description="address, phone or e-mail of the privacy desk")
    center_country: str = Field(default="BE", pattern="^[A-Z]{2}$", description="where the center works")

    database_url: Dsn | None = Field(default=None, description="DSN of the application role")
    database_admin_url: Dsn | None = Field(default=None, description="DSN that may migrate")

    s3_endpoint: str | None = Field(default=None, description="S3 endpoint; 'aws' for AWS itself")
    s3_access_key: SecretStr | None = Field(default=None, description="access key; else the AWS chain")
    s3_secret_key: SecretStr | None = Field(
        default=None, validate_default=True, description="secret key; else the AWS chain"
    )
    s3_region: str = Field(default="eu-central-1", description="region")
    bucket_exchange: str = Field(default="exchange", description="shared with principals")
    bucket_internal: str = Field(default="internal", description="agents' results; no principal can reach it")
    bucket_lake: str = Field(default="lake", description="accepted data")
    bucket_vault: str = Field(default="vault", description="quarantine, encrypted")
    bucket_evidence: str = Field(default="evidence", description="checkpoints, certificates")
    other_buckets: str = Field(
        default="", description="buckets of the same account that are not Sluice's: names or patterns, with commas"
    )

    master_key: SecretStr | None = Field(default=None, description="base64, 32 bytes; wraps all other keys")
    keys_dir: Place = Field(
        default_factory=lambda done: done["var"] / "keys",
        description="wrapped keys of the principals; shared between workers, apart from the database",
    )
    signing_key: SecretStr | None = Field(default=None, description="Ed25519 private key, PEM")

    lineage_url: str | None = Field(default=None, description="OpenLineage: http(s)://, file:/// or nothing")
    smtp_url: SecretStr | None = Field(
        default=None, description="smtps://user:password@host, smtp+starttls://... or smtp://localhost:25; else no mail"
    )
    mail_from: str | None = Field(default=None, description="sender of mail; needed with SLUICE_SMTP_URL")
    mail_desk: str | None = Field(default=None, description="where alarms go; the sender by default")
    webhook_url: SecretStr | None = Field(
        default=None, description="https://..., or http://localhost; what the desk has to hear goes there too"
    )
    sqs_queue_url: str | None = Field(default=None, description="S3 notifications; polling when absent")

    keep_arrived_days: int = Field(
        default=30, ge=0, le=MOST_DAYS, description="days a file stays as it came or went out, at most"
    )
    keep_quarantine_days: int = Field(
        default=30, ge=1, le=MOST_DAYS, description="days refused data stays, encrypted, at most"
    )

    keep_acks_days: int = Field(
        default=7, ge=0, le=MOST_DAYS, description="how long a file under acks/ stays once it is answered"
    )

    keep_dial_days: int = Field(
        default=5, ge=1, le=MOST_DAYS, description="how long a dial list stays; then a new one is made"
    )

    keep_runs_days: int = Field(
        default=30, ge=1, le=MOST_DAYS, description="how long Airflow's runs and the logs of tasks stay"
    )

    slots: int = Field(default=2, ge=1, le=64, description="files judged at once per flow")
    task_hours: int = Field(default=6, ge=1, le=8760, description="Airflow stops a task then, and tries it again")
    poll_seconds: float = Field(
        default=1.0, gt=0, le=MOST_SECONDS, description="how often the inbound prefixes are listed"
    )
    most_file_mb: int = Field(
        default=2048, ge=1, le=MOST_MB, description="MiB of a file that an agreement may allow at most"
    )
    most_archive_ratio: int = Field(default=100, ge=1, description="the same for how much a packed file may swell")
    most_cell_kb: int = Field(default=1024, ge=1, description="the same for one cell, KiB")
    most_columns: int = Field(default=1024, ge=1, description="the same for columns")
    most_json_depth: int = Field(default=32, ge=1, le=200, description="the same for depth of JSON")
    most_name_characters: int = Field(default=200, ge=1, description="the same for the name of a column")
    gate_memory_mb: int = Field(
        default=1024, ge=256, le=MOST_MB, description="memory of the judging process, plus 12x the file"
    )
    gate_cpu_seconds: int = Field(
        default=120,
        ge=1,
        le=MOST_SECONDS,
        description="CPU time of the judging process, plus 1 s per 4 MiB of the file",
    )
    gate_wall_seconds: int = Field(
        default=300,
        ge=1,
        le=MOST_SECONDS,
        description="wall time of the judging process, plus 1 s per 2 MiB of the file",
    )
    scan_memory_mb: int = Field(
        default=2048,
        ge=256,
        le=MOST_MB,
        description="memory of a process that reads an object again, plus 12x the object",
    )
    scan_cpu_seconds: int = Field(
        default=300,
        ge=1,
        le=MOST_SECONDS,
        description="CPU time of the same for one object, plus 1 s per 256 KiB of it",
    )
    scan_wall_seconds: int = Field(
        default=900,
        ge=1,
        le=MOST_SECONDS,
        description="wall time of the same for one object, plus 3 s per 256 KiB of it",
    )

    def papers(self) -> Path:
        """The folder of the principals' papers, where a command is of no use without. Raises SettingInvalid."""
        if not self.principals_dir.is_dir():
            named = "PRINCIPALS_DIR" if "principals_dir" in self.model_fields_set else "HOME"
            raise SettingInvalid(Ref("setting", f"{PREFIX}{named} (no folder of principals there)"))
        return self.principals_dir

    @field_validator("*", mode="before")
    @classmethod
    def _without_space(cls, value: Any, info: ValidationInfo) -> Any:
        """Without the white space around. What is empty then is not set, where a setting may say nothing."""
        if not isinstance(value, str):
            return value
        field = cls.model_fields[info.field_name or ""]
        if not value.strip() and (info.field_name in NEVER_EMPTY or field.default not in (None, "")):
            raise PydanticCustomError("empty", "empty")
        return value.strip() or field.default

    @field_validator("s3_secret_key")
    @classmethod
    def _both_or_none(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """One key without the other would be left aside, and whatever credential the machine has would be used."""
        if "s3_access_key" in info.data and (info.data["s3_access_key"] is None) != (secret is None):
            raise PydanticCustomError("one_key_of_two", "one key of two")
        return secret

    @field_validator("bucket_internal", "bucket_lake", "bucket_vault", "bucket_evidence")
    @classmethod
    def _bucket_of_its_own(cls, bucket: str, info: ValidationInfo) -> str:
        """Principals reach the exchange bucket, and what one bucket keeps is swept from another as unknown."""
        if bucket in (value for name, value in info.data.items() if name.startswith("bucket_")):
            raise PydanticCustomError("bucket_of_another", "bucket of another")
        return bucket


def login_name() -> str:
    """The user who runs this process, by the system's user database and not the environment; else the user id."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


@cache
def get_settings() -> Settings:
    """The settings of this process: environment first, then what ``sluice up`` wrote."""
    var = get_home() / os.environ.get("SLUICE_VAR", "var")
    return read_settings(var / "run" / "services.env")


def read_settings(env_file: Path, **known: Any) -> Settings:
    """Read the settings from the environment, then ``env_file``; ``known`` overrides both.

    Raises SettingInvalid with the name of each setting that cannot be used, never with its value.
    """
    try:
        return Settings(_env_file=env_file, **known)  # type: ignore[call-arg]
    except ValidationError as error:
        found = [(str(each["loc"][0]), each["type"]) for each in error.errors() if each["loc"]]
        wrong = [each for each in found if each[1] != "default_factory_not_called"]  # because another one is wrong
    raise SettingInvalid(*(Ref("setting", f"{PREFIX}{name.upper()} ({why})") for name, why in wrong))
