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
from sluice.agreement.model import DataContract
from sluice.errors import NotFound, Ref
from sluice.exchange.house import CHILD
from sluice.exchange.job import Job, Suite, limits_of, read_report, read_suites
from sluice.exchange.naming import BRUSSELS
from sluice.exchange.nursery import Nursery
from sluice.gate.model import GateVerdict
from sluice.settings import Settings
from sluice.terms import Direction, Flow


@dataclass
class DryRun:
    """Judges files of one flow; one nursery for all of them."""

    settings: Settings
    contract: DataContract
    suites: tuple[Suite, ...]
    _stack: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def of(cls, settings: Settings, agreement_id: str, flow: Flow) -> Self:
        """For a flow of an agreement in the checkout. Raises NotFound or DocumentInvalid, coded."""
        contract = find_contract(settings, agreement_id, flow, datetime.now(BRUSSELS).date())
        return cls(settings, contract, read_suites(settings, contract))

    def __enter__(self) -> Self:
        self._nursery = self._stack.enter_context(Nursery(CHILD))
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="sluice-")))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stack.close()

    def run(self, file: Path) -> GateVerdict:
        """The verdict the inbound DAG will give on these bytes. Raises NotFound for no such file."""
        if not file.is_file():
            raise NotFound(Ref("file", file.name))
        folder = self._folder / "job"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        job = Job(folder, file.resolve(), file.name, self.contract, self.suites, subject_key="", origin=None)
        end = self._nursery.run(job.as_json(), limits_of(self.settings, file.stat().st_size))
        return read_report(folder, end).verdict


def find_contract(settings: Settings, agreement_id: str, flow: Flow, on: date) -> DataContract:
    """The inbound contract of a flow under an agreement that holds ``on`` a day, from the checkout's files."""
    held = find_on_file(settings.principals_dir, agreement_id, on)
    for contract in held[1] if held else ():
        if contract.flow == flow and contract.direction is Direction.INBOUND:
            return contract
    missing = "flow" if held else "agreement in force"
    raise NotFound(Ref(missing, flow if held else agreement_id), Ref("folder", settings.principals_dir.name))
