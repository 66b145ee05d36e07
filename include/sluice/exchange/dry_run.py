"""Run the gate without its services: the paper of the checkout, one file, the same child; nothing is stored."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sluice.agreement.folder.load import (
    find_coming,
    find_flows_of,
    find_folders,
    find_left_behind,
    find_on_file,
    find_papers,
    load_agreements,
)
from sluice.agreement.model import Agreement, KeyReference, Problem
from sluice.agreement.papers import Paper, PaperMissing, PaperReason
from sluice.errors import Ref, UsageError
from sluice.exchange.early_refusal import missing_paper, refuse_unread, refused
from sluice.exchange.judging.job import (
    Job,
    Suite,
    file_limits_of,
    limits_of,
    load_rules,
    mapping_of,
    read_report,
    read_suites,
)
from sluice.exchange.judging.nursery import Nursery
from sluice.exchange.judging.progress import Say, reporting_progress
from sluice.gate.model import ROWS_SHOWN, Finding, GateVerdict
from sluice.given_files import check_readable
from sluice.settings import Settings
from sluice.terms import ARRIVING, Flow, Severity, Verdict
from sluice.times import brussels_today

SAID_EVERY_S = 0.2
SHOWN_OPTION = 200
"""Most characters shown of what a rule asks; a set of values may have thousands."""


@dataclass(frozen=True, slots=True)
class Tried:
    """The verdict on one file, and what the gate would do with its rows.

    ``asked``: what each rule asks, by rule id and code, in words of the contract. ``held``: why rows that the gate lets
    pass would wait until a person has read their notes. ``not_asked``: columns whose values must stand in another
    dataset, which only the center has.
    """

    verdict: GateVerdict
    asked: Mapping[tuple[str, str], str] = field(default_factory=dict)
    held: tuple[Finding, ...] = ()
    not_asked: tuple[KeyReference, ...] = ()

    @property
    def reasons(self) -> tuple[Finding, ...]:
        return (*self.verdict.reasons, *self.held)

    @property
    def rows_held(self) -> int:
        """Rows that would wait: ``rows_in = rows_accepted + rows_refused + rows_held``, as on a receipt."""
        return sum(each.count for each in self.held)

    @property
    def rows_accepted(self) -> int:
        return self.verdict.rows_accepted - self.rows_held


@dataclass
class DryRun:
    """Judges files of one flow, all in one nursery."""

    nursery: Nursery
    settings: Settings
    paper: Paper | PaperMissing
    suites: tuple[Suite, ...]
    _stack: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def of(cls, nursery: Nursery, settings: Settings, agreement_id: str, flow: Flow) -> Self:
        """Prepare to judge files of a flow of an agreement in the checkout.

        Raises DocumentInvalid, coded, and MappingInvalid for the mapping of a platform that cannot be used.
        """
        paper = find_paper(settings, agreement_id, flow, brussels_today())
        if isinstance(paper, PaperMissing):
            return cls(nursery, settings, paper, ())
        suites = read_suites(settings, paper.contract)
        load_rules(paper.contract, suites)
        if mapping := mapping_of(settings, paper.contract):
            from sluice.results.mapping import load_mapping  # no other file needs it, and it takes its time

            load_mapping(mapping)
        return cls(nursery, settings, paper, suites)

    def __enter__(self) -> Self:
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="sluice-")))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stack.close()

    def run(self, file: Path, say: Say = lambda done, count: None) -> Tried:
        """Return the verdict that the flow's DAG will give on this file, unless its second judge disagrees (ADR 3).

        It leaves out what only the center knows: persons who must stay out, which notes its key draws as a sample, and
        keys of other datasets. ``say`` is told the progress of a large file. Raises FileMissing, FileUnreadable.
        """
        check_readable(file, Ref("argument", "FILE"))
        if isinstance(self.paper, PaperMissing):
            is_refused = self.paper.reason is not PaperReason.CONTRACT_NOT_YET  # the center knows the one of today
            return Tried(
                refused((missing_paper(self.paper),), Verdict.REFUSED if is_refused else Verdict.UNDECIDED),
            )
        agreement, contract = self.paper.agreement, self.paper.contract
        if reasons := refuse_unread(file.name, agreement, contract, brussels_today()):
            return Tried(refused(reasons))
        folder = self._folder / "job"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        arrived = folder / "arrived"  # as in the DAG: a path that is not UTF-8 cannot be passed to the child
        arrived.symlink_to(file.resolve())
        job = Job(
            folder=folder,
            file=arrived,
            file_name=file.name,
            contract=contract,
            suites=self.suites,
            subject_key="",
            origin=None,
            free_text=replace(agreement.free_text, sample_share=0.0),
            limits=file_limits_of(self.settings, agreement),
            mapping=mapping_of(self.settings, contract),
        )
        with reporting_progress(folder, say, SAID_EVERY_S):
            most = limits_of(self.settings, agreement, file.stat().st_size)
            end = self.nursery.run(job.as_json(), most, job.reads)
        report = read_report(folder, end)
        if not report.has_pass:
            return Tried(report.verdict)
        asked, held = _asked(folder / "pass.json"), tuple(_held(folder / "held.json"))
        return Tried(_remarked(report.verdict) if held else report.verdict, asked, held, contract.references)


def _remarked(verdict: GateVerdict) -> GateVerdict:
    """Return the verdict on a file of which rows would wait: PASSED becomes WARNED, as with any other warning.

    The exchange would be partly accepted, as it is when the gate refuses rows.
    """
    is_passed = verdict.verdict is Verdict.PASSED
    return replace(verdict, verdict=Verdict.WARNED) if is_passed else verdict


def _held(path: Path) -> Iterator[Finding]:
    for code, rows in json.loads(path.read_text()).items():
        yield Finding(code, "exchange.held", None, len(rows), tuple(rows[:ROWS_SHOWN]), Severity.WARNING)


def _asked(path: Path) -> dict[tuple[str, str], str]:
    """Return what the rules of a pass ask, by id and code; if several rules share these, all of it."""
    told: dict[tuple[str, str], str] = {}
    for outcome in json.loads(path.read_text())["outcomes"]:
        rule = outcome["rule"]
        key, said = (rule["id"], rule["code"]), _said(rule["check"])
        told[key] = f"{told[key]}; {said}" if key in told else said
    return told


def _said(check: Mapping[str, Any]) -> str:
    """Describe a check: its kind, from the closed list, with its options as in the contract or the suite."""
    options = (f"{name} {json.dumps(value, ensure_ascii=False)}" for name, value in check["options"])
    words = f"{check['kind']} {', '.join(options)}".strip()
    return words if len(words) <= SHOWN_OPTION else f"{words[:SHOWN_OPTION]}…"


def find_paper(settings: Settings, agreement_id: str, flow: Flow, on: date) -> Paper | PaperMissing:
    """Return the agreement in the checkout that holds ``on`` a day, and its contract of a flow; or why there is none.

    The contract is that of the files that arrive: from the principal (inbound), else from a platform of the center
    (internal). Raises UsageError for a flow in which none arrives, and SettingInvalid where no papers are.
    """
    held = find_on_file(settings.papers(), agreement_id, on)
    if held is None:
        return _without_agreement(settings, agreement_id, on)
    agreement, contracts = held
    for direction in ARRIVING:
        for contract in contracts:
            if (contract.flow, contract.direction) == (flow, direction):
                return Paper(agreement, contract)
    written = {each.direction for each in find_flows_of(Path(agreement.path).parent) if each.flow == flow}
    if written and written.isdisjoint(ARRIVING):
        refs = Ref("rule", "NO_FILE_ARRIVES_IN_THIS_FLOW"), Ref("direction", ", ".join(sorted(written)))
        raise UsageError(Ref("option", "--flow"), *refs, Ref("instead", f"one of {', '.join(arriving(agreement))}"))
    coming = find_coming(settings.principals_dir, agreement_id, on)
    days = [day for contract, day in coming if contract.flow == flow and contract.direction in ARRIVING]
    if days:
        return PaperMissing(PaperReason.CONTRACT_NOT_YET, agreement, begins=min(days))
    left = find_left_behind(settings.principals_dir, agreement)
    if any(contract.flow == flow and contract.direction in ARRIVING for contract in left):
        return PaperMissing(PaperReason.AGREEMENT_EXPIRED, agreement)
    return PaperMissing(PaperReason.CONTRACT_GAP if written else PaperReason.NO_CONTRACT, agreement)


def arriving(agreement: Agreement) -> list[str]:
    """Return the flows in whose files arrive, of the contracts beside an agreement; `none` if there is none."""
    beside = find_flows_of(Path(agreement.path).parent)
    return sorted({each.flow for each in beside if each.direction in ARRIVING}) or ["none"]


def faults_of_papers(principals_dir: Path, agreement_id: str, flow: Flow | None) -> list[Problem]:
    """Return the errors of the papers that name an agreement: its own files, and the contracts of one flow, if any."""
    from sluice.agreement.folder.lint import lint_path  # only where a paper is missing: its imports take their time

    named = agreement_id.encode(errors="surrogateescape")
    papers = (path for folder in find_folders(principals_dir) for path in find_papers(folder))
    asked = [path for path in papers if _is_about(path, named, flow)]
    found = [problem for path in asked for problem in lint_path(path)]
    return [problem for problem in found if problem.severity is Severity.ERROR]


def _is_about(path: Path, named: bytes, flow: Flow | None) -> bool:
    is_asked = not path.name.endswith(".odcs.yaml") or (flow is not None and path.name.startswith(f"{flow}."))
    try:
        return is_asked and named in path.read_bytes()
    except OSError:
        return False


def _without_agreement(settings: Settings, agreement_id: str, on: date) -> PaperMissing:
    papers = load_agreements(settings.principals_dir, agreement_id)
    versions = [each for each in papers if each.agreement_id == agreement_id]
    if not versions:
        return PaperMissing(PaperReason.NO_AGREEMENT)
    is_over = any(each.valid_from <= on for each in versions)
    return PaperMissing(PaperReason.AGREEMENT_EXPIRED if is_over else PaperReason.AGREEMENT_NOT_YET, versions[-1])
