"""The last guard before Airflow's logs: a failure is reported by code and place, never by its message.

Airflow prints exceptions with their values, causes and contexts. So a new exception is raised after
the ``except`` block, where it has neither cause nor context.
"""

from collections.abc import Callable
from typing import TypeVar

from airflow.sdk.exceptions import AirflowException, AirflowTaskTimeout

from sluice.errors import told_of

T = TypeVar("T")


def guarded(work: Callable[[], T]) -> T:
    """Call ``work`` and return its result.

    Raises AirflowException for a failure, with code and place only, and AirflowTaskTimeout for a timeout."""
    is_late = False
    try:
        return work()
    except AirflowTaskTimeout:
        is_late, failure = True, "the task was stopped: it took longer than SLUICE_TASK_HOURS"
    except Exception as error:
        _, failure = told_of(error)
    raise (AirflowTaskTimeout if is_late else AirflowException)(failure)
