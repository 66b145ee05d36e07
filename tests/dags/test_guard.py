"""What leaves through the last door: a code and a place, whatever stopped the work."""

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowTaskTimeout

from sluice.errors import Ref, StoreError
from sluice.orchestration.guard import guarded

pytestmark = pytest.mark.slow  # importing Airflow takes seconds
SECRET = "jan@example.be"


def late() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        raise AirflowTaskTimeout(SECRET)  # noqa: B904  # as Airflow's signal does, wherever it meets us


def unforeseen() -> None:
    raise KeyError(SECRET)


def coded() -> None:
    raise StoreError(Ref("bucket", "lake"))


@pytest.mark.parametrize(
    ("work", "kind", "says"),
    [
        (late, AirflowTaskTimeout, "SLUICE_TASK_HOURS"),
        (unforeseen, AirflowException, "SLU-000 KeyError at test_guard.py"),
        (coded, AirflowException, "SLU-202"),
    ],
)
def test_nothing_hangs_on_what_leaves(work: object, kind: type[BaseException], says: str) -> None:
    assert callable(work)
    with pytest.raises(kind, match=says) as left:
        guarded(work)
    assert type(left.value) is kind and SECRET not in str(left.value)
    assert left.value.__context__ is None and left.value.__cause__ is None
