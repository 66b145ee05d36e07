"""Operators for erasure: opaque ids in and out, one use case each."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import BaseOperator, Context, XComArg

from sluice.orchestration.guard import guarded
from sluice.orchestration.operators import HouseOperator, UseCaseOperator
from sluice.settings import get_settings

if TYPE_CHECKING:
    from sluice.exchange.house import House

MACHINE = "airflow"
"""The maker of plans that nobody made. It is no person, so a single person may release them."""
T = TypeVar("T")


class FindReleased(BaseOperator):
    """Plans decided erasures, and returns the ids of cases that may be erased now, in turn and up to a limit.

    The next run takes the others. Cases up to the limit take longer than the five minutes to the next tick, and a tick
    that passes during a run starts the next run as soon as that one ends.
    """

    template_fields: Sequence[str] = ()

    def execute(self, context: Context) -> list[str]:
        from sluice.rights.erasure.control import take_up

        return _in_house(lambda house, now: list(take_up(house, MACHINE, now)))


class BeginErasure(BaseOperator):
    """Checks what would fail, keeps the person out, and returns the copies to erase.

    Skipped if another run, e.g. one started by the desk, carried the case out meanwhile or is working on it. Whatever
    that run leaves undone is found by the next run of the DAG. Skipped too if the person had their data restricted
    meanwhile: `sluice erase status` says so.
    """

    template_fields: Sequence[str] = ("case_id",)

    def __init__(self, *, case_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case_id = case_id

    def execute(self, context: Context) -> dict[str, Any]:
        from airflow.sdk.exceptions import AirflowSkipException

        from sluice.rights.case.model import CaseId
        from sluice.rights.erasure.batches import Batch
        from sluice.rights.erasure.erase import begin_if_due

        case_id = CaseId(self.case_id)
        copies = _in_house(lambda house, now: begin_if_due(house, case_id, now))
        if copies is None:
            raise AirflowSkipException(f"case {case_id}: carried out or restricted meanwhile, or somebody is at it")
        return Batch(case_id, copies).document()


class CutBatches(BaseOperator):
    """Cuts the copies of every case that has begun into batches."""

    template_fields: Sequence[str] = ("begun",)

    def __init__(self, *, begun: XComArg | Iterable[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.begun = begun

    def execute(self, context: Context) -> list[dict[str, Any]]:
        from sluice.rights.erasure.batches import cut, read_batch

        return [batch.document() for batch in cut(read_batch(each) for each in _each(self.begun))]


class ListBegun(BaseOperator):
    """Returns the ids of the cases that have begun; only those can be finished."""

    template_fields: Sequence[str] = ("begun",)

    def __init__(self, *, begun: XComArg | Iterable[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.begun = begun

    def execute(self, context: Context) -> list[str]:
        return [each["case"] for each in _each(self.begun)]


class ErasureStep(HouseOperator):
    """One step of the erasure of a case.

    If the person took the request back meanwhile, nothing is left to do. The step then succeeds and is not skipped,
    because a skipped step would keep other cases from finishing."""

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.rights.erasure.model import RequestTakenBack

        try:
            return self.step(house, now)
        except RequestTakenBack as over:
            return str(over)

    def step(self, house: "House", now: datetime) -> str:
        """Do the step; return a sentence about it without any person's data."""
        raise TypeError(f"{type(self).__name__} does not say what it does")


class EraseBatch(ErasureStep):
    """Erases a person from the copies of one batch, one after the other."""

    template_fields: Sequence[str] = ("batch",)

    def __init__(self, *, batch: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch = batch

    def step(self, house: "House", now: datetime) -> str:
        from sluice.rights.erasure.batches import read_batch
        from sluice.rights.erasure.erase import erase_copies

        batch = read_batch(self.batch)
        left = erase_copies(house, batch.case_id, batch.copies)
        return f"case {batch.case_id}: {len(batch.copies)} copies, {left} not covered by the release"


class FinishErasure(ErasureStep):
    """Searches again until nothing is found, whatever became of the batches; then removes old versions and the rest."""

    template_fields: Sequence[str] = ("case_id",)

    def __init__(self, *, case_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case_id = case_id

    def step(self, house: "House", now: datetime) -> str:
        from sluice.rights.case.model import CaseId
        from sluice.rights.erasure.erase import finish

        waiting = finish(house, CaseId(self.case_id), now)
        return f"case {self.case_id}: {waiting} exchanges under way"


class ProveErasure(ErasureStep):
    """Scans every byte again and issues certificates. Fails if anything is left or waits.

    A decision that somebody still has to make does not fail it: the case is taken up again once it is made."""

    template_fields: Sequence[str] = ("case_id",)

    def __init__(self, *, case_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case_id = case_id

    def step(self, house: "House", now: datetime) -> str:
        from sluice.errors import Ref
        from sluice.rights.case.model import CaseId
        from sluice.rights.erasure.certificate import issue
        from sluice.rights.erasure.erase import prove
        from sluice.rights.erasure.model import NotFinished
        from sluice.rights.erasure.scan_store import find_proven

        report = prove(house, CaseId(self.case_id), now)
        left = (report.residual or 0) + report.doubts + report.waiting
        if left:  # each run scans again; the sweep certifies once whatever is proven meanwhile
            raise NotFinished(Ref("case", self.case_id), Ref("left", left))
        proven = find_proven(house.conn, CaseId(self.case_id)).intersection(report.principals)
        certificates = issue(house, CaseId(self.case_id), proven) if proven else ()
        return f"case {self.case_id}: {report.objects_scanned} objects scanned, {len(certificates)} certificates"


class TellErasures(UseCaseOperator):
    """Reports how many cases are in error. It does not run if a task before it failed, so that the run is red."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.db import connect
        from sluice.rights.erasure.control import status

        with connect(get_settings()) as conn:
            cases = status(conn).cases
        return f"not over: {len(cases)}, in error: {sum(each.is_in_error for each in cases)}"


def _in_house(work: "Callable[[House, datetime], T]") -> T:
    """Run a use case whose result the next task needs, which no HouseOperator pushes."""
    from sluice.exchange.house import open_house

    def do() -> T:
        with open_house(get_settings()) as house:
            return work(house, datetime.now(UTC))

    return guarded(do)


def _each(begun: XComArg | Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """The resolved argument: Airflow has replaced the XComArg by the results when a task runs."""
    if isinstance(begun, XComArg):
        raise TypeError("an argument that was not resolved")
    return begun
