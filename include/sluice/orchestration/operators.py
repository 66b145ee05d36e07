"""Thin operators: they take ids, call one use case and push nothing. Airflow sees names and ids, never content."""

import math
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.configuration import conf

from sluice.orchestration.guard import guarded
from sluice.orchestration.schedules import accepted, slots
from sluice.settings import get_settings
from sluice.terms import Direction, Flow, Principal
from sluice.times import brussels_today

if TYPE_CHECKING:
    from sluice.exchange.house import House
    from sluice.exchange.model import AirflowRun
    from sluice.exchange.store import Waiting

FORGOTTEN_AFTER = timedelta(minutes=2)
"""Age at which a waiting exchange counts as forgotten.

A flow's own DAG is woken within seconds, and again every 15 s, or every minute while all of its slots are busy."""

SWEEP_SECONDS = 240.0
"""After this time a sweep claims no more files. Sweeps start every five minutes, but not while one is running."""

FILES_FIRST = 10
"""Priority of tasks that take in files. If slots are few, Airflow would otherwise prefer clocks and returns of older
runs."""


class UseCaseOperator(BaseOperator):
    """An operator that runs one use case and pushes nothing to XCom."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(do_xcom_push=False, **kwargs)

    def work(self, run: dict[str, str]) -> str:
        """Do the work; return a line for the log. ``run``: ids of this task run."""
        raise TypeError(f"{type(self).__name__} does not say what it does")

    def execute(self, context: Context) -> None:
        run = run_of(context)
        self.log.info("%s", guarded(lambda: self.work(run)))


class HouseOperator(UseCaseOperator):
    """An operator whose use case needs the stores and the keys."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.exchange.house import open_house

        with open_house(get_settings()) as house:
            return self.work_in(house, datetime.now(UTC), run)

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        """Do the work, as :meth:`work`. ``now``: UTC."""
        raise TypeError(f"{type(self).__name__} does not say what it does")


class AllWell(UseCaseOperator):
    """The last task of a DAG whose tasks run even if the one before them failed.

    It does not run when a task failed, which makes the run red: to Airflow, the state of a run is that of its last
    tasks.
    """

    def work(self, run: dict[str, str]) -> str:
        return "nothing failed"


class DrainFlow(HouseOperator):
    """One slot of a flow: judges its open exchanges one after the other."""

    template_fields: Sequence[str] = ()

    def __init__(self, *, direction: str, principal: str, flow: str, slot: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.direction, self.principal, self.flow, self.slot = direction, principal, flow, slot

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.exchange.drain import drain

        drained = drain(house, Direction(self.direction), Principal(self.principal), Flow(self.flow), run)
        return f"slot {self.slot}: {drained.decisions}, set aside: {drained.set_aside}"


def drain_in_slots(direction: str, principal: str, flow: str) -> None:
    """The parallel slots of one flow. They go before clocks and returns, and wake what is made of its rows.

    The slots of a second run wait for those of the first, because each slot imports all that judging a file takes.
    """
    whose = {"direction": direction, "principal": principal, "flow": flow}
    slot = DrainFlow.partial(
        task_id="drain",
        outlets=[accepted(**whose)],
        priority_weight=FILES_FIRST,
        max_active_tis_per_dag=len(slots()),
        **whose,
    )
    slot.expand(slot=slots())


class DrainStrays(UseCaseOperator):
    """Judges exchanges that no flow DAG takes, so that unknown principals and flows get a refusal with its reason."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.orchestration.flows import is_stray

        return _drain_many(lambda way, one: is_stray(way, one.principal, one.flow), run) or "no strays"


class DrainForgotten(UseCaseOperator):
    """Judges exchanges of any flow that have waited so long that no DAG was woken for them, as many as fit a sweep.

    Then it opens what the trigger did not. It fails at the end if something could not be opened: without an exchange,
    nobody else can tell that it waits.
    """

    def work(self, run: dict[str, str]) -> str:
        since = datetime.now(UTC) - FORGOTTEN_AFTER
        told = _drain_many(lambda _, one: one.oldest_at < since, run, SWEEP_SECONDS, opens=True)
        return told or "nothing was forgotten"


def _drain_many(
    is_meant: "Callable[[Direction, Waiting], bool]",
    run: "AirflowRun",
    seconds: float = math.inf,
    *,
    opens: bool = False,
) -> str:
    """Drain the chosen flows one after the other; return what became of them.

    ``opens``: afterwards, also open what arrived. Raises LeftUndone at the end if a flow or an arrival failed.
    """
    from sluice.exchange.drain import UNDONE, drain_many
    from sluice.exchange.house import open_house
    from sluice.exchange.open import Arrivals
    from sluice.exchange.sweeping import check_none_left

    with open_house(get_settings()) as house:
        done, left = drain_many(house, is_meant, run, seconds)
        if opens:
            left += Arrivals.of(house.settings).open_new(house.conn, house.objects).failed
    check_none_left(UNDONE, left)
    return "; ".join(f"{flow}: {each.decisions}" for flow, each in done.items())


class CheckHeldUp(UseCaseOperator):
    """Fails, naming flows and codes, while exchanges of any flow wait for us: a slot itself does not fail for that."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.db import connect
        from sluice.exchange.held_up import check_none_held_up

        with connect(get_settings()) as conn:
            check_none_held_up(conn, datetime.now(UTC))
        return "nothing waits for us"


class ReturnResults(HouseOperator):
    """Makes and delivers the due returns of one flow: for a new day, late results, or a correction.

    Only one runs at a time: that of a second run waits for the first, and then finds what came meanwhile.
    """

    template_fields: Sequence[str] = ()

    def __init__(self, *, principal: str, flow: str, **kwargs: Any) -> None:
        super().__init__(max_active_tis_per_dag=1, **kwargs)
        self.principal, self.flow = principal, flow

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.returns.drain import drain_returns

        drained = drain_returns(house, Principal(self.principal), Flow(self.flow), now, run)
        return f"returns: {drained.decisions}, set aside: {drained.set_aside}"


class ReturnsDue(HouseOperator):
    """Makes the due returns of every flow; if one was left undone, fails after all others were made."""

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.orchestration.flows import flows_of
        from sluice.returns.drain import drain_all_returns

        flows = [(paper.principal, paper.flow) for paper in flows_of(Direction.OUTBOUND_RETURN)]
        drained = drain_all_returns(house, flows, now, run)
        return f"returns: {drained.decisions}, set aside: {drained.set_aside}"


class ActivatePaper(UseCaseOperator):
    """Registers the checkout's agreements and contracts by hash.

    A principal with a faulty paper keeps those registered before, and the task fails. Its log names each paper in force
    that was taken away, also then."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.agreement.in_force.activate import activate_all
        from sluice.agreement.in_force.removed import find_removed
        from sluice.db import connect
        from sluice.errors import DocumentInvalid, Ref
        from sluice.gate.lint import check_rules

        settings = get_settings()
        check = partial(check_rules, expectations=settings.expectations_dir)
        with connect(settings) as conn:
            changes = activate_all(conn, settings.principals_dir, datetime.now(UTC), check)
            removed = find_removed(conn, settings.principals_dir, brussels_today())
        for paper in removed:
            self.log.warning("%s", paper)
        activated = sum(len(change.activated) for change in changes)
        if refused := [change.principal for change in changes if change.is_refused]:
            raise DocumentInvalid(Ref("principals", ", ".join(refused)), Ref("activated of others", activated))
        return f"activated: {activated}"


class FinishEffects(HouseOperator):
    """Finishes what a dead worker left in the outbox and in work folders."""

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.exchange.drain import reconcile

        return f"effects done: {reconcile(house)}"


class AnchorLedger(HouseOperator):
    """Stores outside the database what must outlast it: a signed checkpoint of all chains, and who must stay out."""

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.exchange.anchor import anchor_ledger
        from sluice.exchange.persons.sealed_runs import seal_runs

        checkpoint, sealed = anchor_ledger(house, now), seal_runs(house)
        return f"checkpoint: {checkpoint}, suppression runs sealed: {sealed}"


class VerifyLedger(HouseOperator):
    """Verifies every entry, comparing with the anchors outside the database; then puts missing anchors there.

    Raises EvidenceInvalid, naming the first bad place; AnchorsMissing when anchors to compare with are missing; last
    TableDiffers, naming the first row that is not as the ledger says: it may last, and must hide no missing anchor.
    """

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.errors import EvidenceInvalid, Ref, SluiceError
        from sluice.exchange.anchor import AnchorsMissing, check_compared, put_missing, read_anchors
        from sluice.exchange.compared import find_differing as differing_exchanges
        from sluice.ledger.model import TableDiffers
        from sluice.ledger.verify import verify
        from sluice.rights.case.compared import find_differing as differing_cases

        anchors = read_anchors(house)
        report = verify(house.conn, public_pem=house.keyring.public_pem, anchors=anchors)
        if bad := report.first_bad:
            raise EvidenceInvalid(Ref("chain", bad.chain), Ref("entry", bad.seq), Ref("places", len(report.bad)))
        try:
            check_compared(house, report, anchors, now)
        except AnchorsMissing:
            with suppress(SluiceError):  # report what is missing even if it cannot be put again
                put_missing(house)
            raise
        put_missing(house)
        if differing := [*differing_exchanges(house.conn), *differing_cases(house.conn)]:
            first = differing[0]
            raise TableDiffers(Ref("table", first.table), Ref("row", first.row), Ref("rows", len(differing)))
        return f"entries: {report.entries}, not yet anchored: {report.not_yet_anchored}"


def run_of(context: Context) -> dict[str, str]:
    """Ids of the running task instance and of its lineage, as the exchange record keeps them.

    The lineage ids are those that Airflow's OpenLineage provider gives the same task run and DAG run (its macros
    ``lineage_run_id``, ``lineage_root_run_id``, ``lineage_job_namespace``), whether or not it is installed.
    """
    from openlineage.client.uuid import generate_static_uuid

    task, dag_run, namespace = context["ti"], context["dag_run"], _lineage_namespace()
    begun = dag_run.logical_date or dag_run.run_after
    run = f"{namespace}.{task.dag_id}.{task.task_id}.{task.try_number}.{task.map_index}"
    root = f"{namespace}.{task.dag_id}.{dag_run.clear_number}"
    return {
        "dag_id": task.dag_id,
        "run_id": task.run_id,
        "task_id": task.task_id,
        "map_index": str(task.map_index),
        "try_number": str(task.try_number),
        "lineage_namespace": namespace,
        "lineage_run_id": str(generate_static_uuid(begun, run.encode())),
        "lineage_root_run_id": str(generate_static_uuid(begun, root.encode())),
    }


def _lineage_namespace() -> str:
    """The lineage namespace of Airflow's jobs, from where its OpenLineage provider takes it."""
    return conf.get("openlineage", "namespace", fallback="") or os.environ.get("OPENLINEAGE_NAMESPACE", "default")
