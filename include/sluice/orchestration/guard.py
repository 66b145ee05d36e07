"""The last door before Airflow's logs: a failure leaves as a code and a place, never with its message.

Airflow prints exceptions with their values, their causes and their contexts. So ours is raised after
the ``except`` block, where nothing hangs on it any more.
"""

from collections.abc import Callable
from typing import TypeVar

from airflow.sdk.exceptions import AirflowException, AirflowTaskTimeout

from sluice.errors import SluiceError, place_of

T = TypeVar("T")


def guarded(work: Callable[[], T]) -> T:
    """What ``work`` returns; its failure as an AirflowException with code and place only, its timeout as one."""
    is_late = False
    try:
        return work()
    except AirflowTaskTimeout:
        is_late, failure = True, "the task was stopped: it took longer than SLUICE_TASK_HOURS"
    except SluiceError as error:
        failure = str(error)
    except Exception as error:
        failure = f"SLU-000 {place_of(error)}"
    raise (AirflowTaskTimeout if is_late else AirflowException)(failure)
