"""The embedded services, and the errors of starting them (SLU-111 to SLU-118; SLU-120 is in plugins_folder)."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sluice.errors import Exit, SluiceError


class ServiceNotStarted(SluiceError):
    code = "SLU-111"
    summary = "a service did not start"
    cure = "read its log file, then run `sluice up` again"
    exit = Exit.MISSING


class StoreUnfit(SluiceError):
    code = "SLU-112"
    summary = "the S3 endpoint does not keep the promises Sluice rests on"
    cure = "use an endpoint with versions and conditional writes (AWS S3, Ceph, MinIO, or the embedded one)"
    exit = Exit.MISSING


class StackBusy(SluiceError):
    code = "SLU-113"
    summary = "another process is starting or stopping the services of this checkout"
    cure = "wait for it, then run the command again"
    exit = Exit.MISSING


class NoSystemUser(SluiceError):
    code = "SLU-115"
    summary = "PostgreSQL refuses to run as root and no other system user could be used"
    cure = "run as an ordinary user, or set SLUICE_DATABASE_URL"
    exit = Exit.MISSING


class FolderNotOurs(SluiceError):
    code = "SLU-118"
    summary = "a folder for the sockets of the store belongs to somebody else, or others may enter it"
    cure = "look whose it is and remove it, or set SLUICE_VAR to a shorter path"
    exit = Exit.MISSING


class State(StrEnum):
    """The state of a service. ``given``: provided by the environment, so neither started nor stopped here."""

    UP = "up"
    STARTING = "starting"
    DOWN = "down"
    GIVEN = "given"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running embedded PostgreSQL; each URL is a libpq DSN with its password."""

    admin_url: str
    app_url: str
    airflow_url: str
    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class SeaweedServer:
    """A running embedded S3 and the credential of its administrator."""

    endpoint: str
    access_key: str
    secret_key: str
    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running embedded Redis; its URL contains the password."""

    url: str
    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Credential:
    """An S3 access key of one identity."""

    access_key: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class Service:
    """One line of ``sluice status``."""

    name: str
    state: State
    address: str
    log: Path | None
    pid: int | None
    data: Path | None = None
