"""The last door before Airflow's logs: a failure leaves as a code and a place, never with its message.

Airflow prints exceptions with their values, their causes and their contexts. So ours is raised after
the ``except`` block, where nothing hangs on it any more.
"""

from collections.abc import Callable
from typing import TypeVar

from airflow.sdk.exceptions import AirflowException

from sluice.errors import SluiceError, place_of

T = TypeVar("T")


def guarded(work: Callable[[], T]) -> T:
    """What ``work`` returns; its failure as an AirflowException with code and place only."""
    try:
        return work()
    except SluiceError as error:
        failure = str(error)
    except Exception as error:
        failure = f"SLU-000 {place_of(error)}"
    raise AirflowException(failure)
