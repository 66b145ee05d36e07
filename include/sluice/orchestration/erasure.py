"""Operators of the erasure: opaque ids in and out, one use case each."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import BaseOperator, Context, XComArg

from sluice.orchestration.guard import guarded
from sluice.orchestration.operators import HouseOperator
from sluice.settings import get_settings

if TYPE_CHECKING:
    from datetime import datetime

    from sluice.exchange.house import House

MACHINE = "airflow"
"""Who makes the plans that nobody made; no person, so that one is enough to release them."""
T = TypeVar("T")


class FindReleased(BaseOperator):
    """Plans what was decided, and answers the ids of cases that may be erased now, in their turn; a run takes so many.

    The next run goes on with the others. So many take longer than the five minutes until its tick, and a tick that
    passes while a run is at work starts the next one as soon as that ends.
    """

    template_fields: Sequence[str] = ()

    def execute(self, context: Context) -> list[str]:
        from sluice.rights.erasure.control import take_up

        return _in_house(lambda house, now: list(take_up(house, MACHINE, now)))


class BeginErasure(BaseOperator):
    """Looks at what would fail, keeps the person out, and answers which copies are to be erased.

    Skipped where another run, the desk's for one, carried the case out since it was found, or is at it: what that one
    leaves undone the next run of the DAG finds.
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
            raise AirflowSkipException(f"case {case_id}: carried out meanwhile, or somebody is at it")
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
    """Ids of the cases that have begun: only those come to an end."""

    template_fields: Sequence[str] = ("begun",)

    def __init__(self, *, begun: XComArg | Iterable[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.begun = begun

    def execute(self, context: Context) -> list[str]:
        return [each["case"] for each in _each(self.begun)]


class ErasureStep(HouseOperator):
    """One step of the erasure of a case. Where the person took the request back meanwhile nothing is left to do: it
    succeeds, because what is skipped would keep the cases beside it from their end."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.exchange.house import open_house
        from sluice.rights.erasure.model import RequestTakenBack

        with open_house(get_settings()) as house:
            try:
                return self.step(house)
            except RequestTakenBack as over:
                return str(over)

    def step(self, house: "House") -> str:
        """What it did, in a sentence without a value of a person."""
        raise TypeError(f"{type(self).__name__} does not say what it does")


class EraseBatch(ErasureStep):
    """Takes a person out of the copies of one batch, one after the other."""

    template_fields: Sequence[str] = ("batch",)

    def __init__(self, *, batch: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch = batch

    def step(self, house: "House") -> str:
        from sluice.rights.erasure.batches import read_batch
        from sluice.rights.erasure.erase import erase_copies

        batch = read_batch(self.batch)
        left = erase_copies(house, batch.case_id, batch.copies)
        return f"case {batch.case_id}: {len(batch.copies)} copies, {left} not covered by the release"


class FinishErasure(ErasureStep):
    """Looks again until nothing is found, whatever became of the batches; then old versions and what else is left."""

    template_fields: Sequence[str] = ("case_id",)

    def __init__(self, *, case_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case_id = case_id

    def step(self, house: "House") -> str:
        from datetime import UTC, datetime

        from sluice.rights.case.model import CaseId
        from sluice.rights.erasure.erase import finish

        waiting = finish(house, CaseId(self.case_id), datetime.now(UTC))
        return f"case {self.case_id}: {waiting} exchanges under way"


class ProveErasure(ErasureStep):
    """Scans every byte again and certifies; what is left, or waits, fails the task.

    What somebody has still to decide does not: the case is taken up again once they have."""

    template_fields: Sequence[str] = ("case_id",)

    def __init__(self, *, case_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case_id = case_id

    def step(self, house: "House") -> str:
        from datetime import UTC, datetime

        from sluice.errors import Ref
        from sluice.rights.case.model import CaseId
        from sluice.rights.erasure.certificate import find_proven, issue
        from sluice.rights.erasure.erase import prove
        from sluice.rights.erasure.model import NotFinished

        report = prove(house, CaseId(self.case_id), datetime.now(UTC))
        left = (report.residual or 0) + report.doubts + report.waiting
        if left:  # each run scans again: what is proven meanwhile has its certificate by the sweep, once
            raise NotFinished(Ref("case", self.case_id), Ref("left", left))
        proven = find_proven(house, CaseId(self.case_id)).intersection(report.principals)
        certificates = issue(house, CaseId(self.case_id), proven) if proven else ()
        return f"case {self.case_id}: {report.objects_scanned} objects scanned, {len(certificates)} certificates"


class TellErasures(HouseOperator):
    """How many cases are in error now; it does not run when one of them failed, so the run is red then."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.db import connect
        from sluice.rights.erasure.control import status

        with connect(get_settings()) as conn:
            cases = status(conn).cases
        return f"not over: {len(cases)}, in error: {sum(each.is_in_error for each in cases)}"


def _in_house(work: "Callable[[House, datetime], T]") -> T:
    from datetime import UTC, datetime

    from sluice.exchange.house import open_house

    def do() -> T:
        with open_house(get_settings()) as house:
            return work(house, datetime.now(UTC))

    return guarded(do)


def _each(begun: XComArg | Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Airflow has put the answers in the place of the argument by now."""
    if isinstance(begun, XComArg):
        raise TypeError("an argument that was not resolved")
    return begun
