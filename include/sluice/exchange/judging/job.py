"""What goes down to the judging child and what comes up: both are checked, and neither holds a handle.

A job carries keys of the principal, so it travels by pipe and is never written to disk.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from sluice.agreement.limits import LIMITS, limits_in_force
from sluice.agreement.model import Agreement, DataContract, FreeTextRules
from sluice.errors import DocumentInvalid, GateFailed, Ref
from sluice.exchange.early_refusal import finding, refused
from sluice.exchange.judging.nursery import ChildEnd, ChildLimits
from sluice.exchange.model import ChildReport
from sluice.gate.contract_rules import rules_for
from sluice.gate.errors import Faults, SuiteUnreadable
from sluice.gate.model import Rule
from sluice.gate.suites import read_suite
from sluice.lake.read.pgp_in import PgpKeys
from sluice.lake.table import FileLimits
from sluice.subject.correction import Correction
from sluice.subject.key import SubjectKey
from sluice.terms import CustomerIdIgnores, Sha256, Verdict

if TYPE_CHECKING:
    from sluice.settings import Settings

REPORT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Suite:
    """One expectation suite as the file says it, with the hash of that text."""

    name: str
    text: str
    sha256: Sha256


@dataclass(frozen=True, slots=True)
class Job:
    """One file to judge. ``origin``: exchange id and version id if its rows are to be kept; None in a dry run."""

    folder: Path
    file: Path
    file_name: str
    contract: DataContract
    suites: tuple[Suite, ...]
    subject_key: str
    """Base64; empty in a dry run, which makes no references."""
    origin: tuple[str, str] | None
    free_text: FreeTextRules
    mapping: Path | None = None
    """For agents' results, the file that maps the platform's columns to canonical ones."""
    suppressed: Path | None = None
    """References of persons who must stay out, with the reason."""
    corrections: tuple[Correction, ...] = ()
    """Corrected values of persons. What the file says instead is stale if the file is older, or if it repeats the value
    that was corrected."""
    as_of: datetime | None = None
    """The moment from which the file's content dates. None in a dry run, which knows no corrections."""
    put_at: datetime | None = None
    """When the file was put where it lies, however late it is opened. None in a dry run, which takes the present."""
    sample_key: str = ""
    """Base64: the key that decides which notes a person reads. Empty in a dry run, which draws none."""
    is_reviewed: bool = False
    """Whether a person has read the notes already, so that none of them waits for one."""
    limits: FileLimits = field(default_factory=FileLimits)
    keys: Mapping[str, Path] | None = None
    """Keys of other datasets by name, as Parquet of one column. None in a dry run, which skips the rules about them."""
    excused: Path | None = None
    """References of persons who are kept out of anything: the keys of other datasets are not checked in their rows."""
    ignores: frozenset[CustomerIdIgnores] = frozenset()
    """What is ignored when the principal's customer numbers are compared."""
    pgp: PgpKeys | None = None
    """What opens the file if it came encrypted; None where there is no key, as in a dry run."""

    @property
    def reads(self) -> list[Path]:
        """Every file that the child reads."""
        named = (self.file, self.mapping, self.suppressed, self.excused, *(self.keys or {}).values())
        return [path for path in named if path is not None]

    @property
    def key(self) -> SubjectKey:
        return SubjectKey(base64.b64decode(self.subject_key), self.ignores)

    def as_json(self) -> dict[str, Any]:
        """Return the job as it goes down the pipe."""
        return dict(job_adapter().dump_python(self, mode="json"))

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> "Job":
        """Make the job that came out of the pipe."""
        return job_adapter().validate_json(json.dumps(raw))


@cache
def job_adapter() -> TypeAdapter[Job]:
    """Return what turns a job into JSON and back.

    It is made only once, because that takes as long as judging a small file.
    """
    return TypeAdapter(Job)


@cache
def report_adapter() -> TypeAdapter[ChildReport]:
    """As :func:`job_adapter`, for the child's report."""
    return TypeAdapter(ChildReport)


def read_suites(settings: "Settings", contract: DataContract) -> tuple[Suite, ...]:
    """Read the suites that a contract names from ``expectations/``.

    Raises DocumentInvalid for a missing suite, SuiteUnreadable for one that is not UTF-8 text.
    """
    found = []
    for name in contract.suites:
        path = settings.expectations_dir / f"{name}.json"
        if not path.is_file():
            missing = Ref("rule", "NO_SUCH_SUITE"), Ref("wanted", f"expectations/{name}.json")
            raise DocumentInvalid(Ref("suite", name), Ref("contract", contract.contract_id), *missing)
        found.append(_read_suite(name, path))
    return tuple(found)


def _read_suite(name: str, path: Path) -> Suite:
    try:
        content = path.read_bytes()
        return Suite(name, content.decode(), Sha256(hashlib.sha256(content).hexdigest()))
    except (OSError, UnicodeDecodeError):  # its context would quote the file
        pass
    raise SuiteUnreadable(Ref("suite", name))


def load_rules(contract: DataContract, suites: Sequence[Suite]) -> tuple[Rule, ...]:
    """Return every rule that files of a contract are judged by. Raises DocumentInvalid (SLU-43x) if any cannot be used.

    Call before a file is judged: then a fault of the paper is never reported as one of the file.
    """
    faults, read = Faults(), []
    for suite in suites:
        with faults.noted():
            read.append(read_suite(suite.text.encode(), suite.name))
    with faults.noted():
        rules = rules_for(contract, read)
    faults.check()
    return rules


def mapping_of(settings: "Settings", contract: DataContract) -> Path | None:
    """The mapping file a contract of agents' results names."""
    return settings.mappings_dir / f"{contract.result_mapping}.yaml" if contract.result_mapping else None


def mapping_hash(path: Path | None) -> dict[str, str]:
    """Name and SHA-256 of a mapping file, as the record of an exchange gives them; nothing without a mapping."""
    if path is None:
        return {}
    from sluice.results.mapping import load_mapping

    mapping = load_mapping(path)
    return {f"mapping {mapping.platform}": mapping.sha256}


def limits_of(settings: "Settings", agreement: Agreement, file_bytes: int) -> ChildLimits:
    """Return what the child that judges one file of an agreement may use."""
    most = limits_in_force(agreement.limits, settings)
    return ChildLimits.of(most["memory_mb"], most["cpu_seconds"], most["wall_seconds"], file_bytes)


def file_limits_of(settings: "Settings", agreement: Agreement) -> FileLimits:
    """Return how large the parts of a file of an agreement may be."""
    return _file_limits(limits_in_force(agreement.limits, settings))


def widest_limits(settings: "Settings") -> FileLimits:
    """Return the most that any agreement gets here, to read files that were taken in under one of them."""
    return _file_limits({limit.name: limit.allowed(settings) for limit in LIMITS})


def _file_limits(most: Mapping[str, int]) -> FileLimits:
    return FileLimits(
        file_bytes=most["file_mb"] << 20,
        cell_bytes=most["cell_kb"] << 10,
        columns=most["columns"],
        name_characters=most["name_characters"],
        json_depth=most["json_depth"],
        archive_ratio=most["archive_ratio"],
    )


def read_report(folder: Path, end: ChildEnd) -> ChildReport:
    """Read the child's report. If the child did not finish, the verdict is UNDECIDED, with its end as the reason."""
    if end is not ChildEnd.DONE:
        return _unfinished(end)
    path = folder / "report.json"
    if path.stat().st_size > REPORT_BYTES:
        return _unfinished(ChildEnd.OUTPUT)
    try:
        return report_adapter().validate_json(path.read_bytes())
    except ValidationError:
        pass
    raise GateFailed(Ref("report", "unreadable"))


def _unfinished(end: ChildEnd) -> ChildReport:
    verdict = refused((finding(end.value, "child.limits"),), Verdict.UNDECIDED)
    return ChildReport(verdict=verdict, sighting=None, has_pass=False)
