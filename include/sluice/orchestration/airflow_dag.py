"""Common settings of all DAGs: few runs at a time, quick retries, no catch-up, and a time limit for every task."""

# Airflow parses only files that hold the words "airflow" and "dag"; the import of this module gives a DAG file both.

from typing import TYPE_CHECKING

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable

from sluice.orchestration.notifiers import DeskNotifier
from sluice.settings import get_settings

if TYPE_CHECKING:
    from airflow.sdk import AssetOrTimeSchedule, Param

EXCHANGES, PERSONS = "exchange-desk", "privacy-desk"
"""Owners of DAGs."""
BY_CLOCK, BY_ASSET = 1, 2
"""Concurrent runs of one DAG, by what starts it.

A DAG that assets wake gets two, although its slots would share the work anyway. The DAG processor notes at each parse
whether a DAG is at its limit, and a run that ends meanwhile does not reset that. With a limit of one, a file would
wait for the next parse, up to half a minute (Airflow 3.3, apache/airflow#71998)."""


def sluice_dag(
    dag_id: str,
    schedule: "AssetOrTimeSchedule | CronTriggerTimetable | None",
    doc: str | None,
    *tags: str,
    owner: str = EXCHANGES,
    retries: int = 2,
    retry_seconds: int = 5,
    params: "dict[str, Param] | None" = None,
    alert_kinds: tuple[str, ...] = (),
) -> DAG:
    """Make a DAG with the common settings.

    ``doc``: Markdown shown beside the grid. ``params``: what a person fills in. ``alert_kinds``: kinds of
    alerts that the desk is sent after each task, whether it failed or not (:class:`DeskNotifier`).

    The DAG has no start date. With one, all clocks would fire at the first start, and the first file would wait behind
    them.
    """
    after = [DeskNotifier(kind) for kind in alert_kinds]
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
