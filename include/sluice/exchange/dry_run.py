"""The gate without the house: the paper of the checkout, one file, the same child, nothing written."""

import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sluice.agreement.load import find_on_file
from sluice.agreement.model import Agreement, DataContract
from sluice.errors import FileMissing, NotFound, Ref, is_file
from sluice.exchange.house import CHILD
from sluice.exchange.job import Job, Suite, limits_of, read_report, read_suites
from sluice.exchange.naming import BRUSSELS
from sluice.exchange.nursery import Nursery
from sluice.exchange.paper import refuse_unread, refused
from sluice.gate.model import GateVerdict
from sluice.settings import Settings
from sluice.terms import Direction, Flow


@dataclass
class DryRun:
    """Judges files of one flow; one nursery for all of them."""

    settings: Settings
    agreement: Agreement
    contract: DataContract
    suites: tuple[Suite, ...]
    _stack: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def of(cls, settings: Settings, agreement_id: str, flow: Flow) -> Self:
        """For a flow of an agreement in the checkout. Raises NotFound or DocumentInvalid, coded."""
        agreement, contract = find_paper(settings, agreement_id, flow, datetime.now(BRUSSELS).date())
        return cls(settings, agreement, contract, read_suites(settings, contract))

    def __enter__(self) -> Self:
        self._nursery = self._stack.enter_context(Nursery(CHILD))
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="sluice-")))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stack.close()

    def run(self, file: Path) -> GateVerdict:
        """The verdict the inbound DAG will give on this file, unless its second judge disagrees (ADR 3).

        Raises FileMissing.
        """
        if not is_file(file):
            raise FileMissing(Ref("file", file.name))
        if reasons := refuse_unread(file.name, self.agreement, self.contract, datetime.now(BRUSSELS).date()):
            return refused(reasons)
        folder = self._folder / "job"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        job = Job(
            folder=folder,
            file=file.resolve(),
            file_name=file.name,
            contract=self.contract,
            suites=self.suites,
            subject_key="",
            origin=None,
            free_text=self.agreement.free_text,
        )
        end = self._nursery.run(job.as_json(), limits_of(self.settings, file.stat().st_size))
        return read_report(folder, end).verdict


def find_paper(settings: Settings, agreement_id: str, flow: Flow, on: date) -> tuple[Agreement, DataContract]:
    """An agreement that holds ``on`` a day and its inbound contract of a flow, from the checkout's files."""
    held = find_on_file(settings.principals_dir, agreement_id, on)
    if held is None:
        raise NotFound(Ref("agreement in force", agreement_id), Ref("folder", settings.principals_dir.name))
    agreement, contracts = held
    for contract in contracts:
        if contract.flow == flow and contract.direction is Direction.INBOUND:
            return agreement, contract
    raise NotFound(Ref("flow", flow), Ref("agreement", agreement_id), Ref("folder", settings.principals_dir.name))
