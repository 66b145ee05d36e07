"""How every DAG of the house runs: few runs at a time, tried again soon, never for the past, no task for ever."""

from typing import TYPE_CHECKING

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable

from sluice.orchestration.notifiers import DeskNotifier
from sluice.settings import get_settings

if TYPE_CHECKING:
    from airflow.sdk import AssetOrTimeSchedule, Param

EXCHANGES, PERSONS = "exchange-desk", "privacy-desk"
"""Who looks after a DAG."""
BY_CLOCK, BY_ASSET = 1, 2
"""Runs of one DAG at a time. What assets wake gets two, though slots share the work whoever runs them: the DAG
processor notes at each parse whether a DAG is at its limit, and a run that ends meanwhile does not take that back, so
with one a file waits for the next parse, up to half a minute (Airflow 3.3, apache/airflow#71998)."""


def desk(
    dag_id: str,
    schedule: "AssetOrTimeSchedule | CronTriggerTimetable | None",
    doc: str | None,
    *tags: str,
    owner: str = EXCHANGES,
    retries: int = 2,
    retry_seconds: int = 5,
    params: "dict[str, Param] | None" = None,
    tells: tuple[str, ...] = (),
) -> DAG:
    """A DAG of the desk. ``doc``: Markdown, what people read beside the grid. ``params``: what a person fills in.

    ``tells``: kinds of what the desk hears of after each task, whether it failed or not (:class:`DeskNotifier`).

    It has no start date: with one, every clock fires at once at the first start, and the first file waits behind them.
    """
    after = [DeskNotifier(kind) for kind in tells]
    return DAG(
        dag_id,
        schedule=schedule,
        catchup=False,
        max_active_runs=BY_CLOCK if schedule is None or isinstance(schedule, CronTriggerTimetable) else BY_ASSET,
        default_args={
            "owner": owner,
            "retries": retries,
            "retry_delay": pendulum.duration(seconds=retry_seconds),
            "execution_timeout": pendulum.duration(hours=get_settings().task_hours),
            "on_success_callback": after,
            "on_failure_callback": after,
        },
        tags=["sluice", *tags],
        params=params,
        doc_md=doc,
    )
