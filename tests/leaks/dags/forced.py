"""Airflow DAG of our own operators whose work dies, a canary in whatever Python and PostgreSQL say of it (S-01)."""

import json
from collections.abc import Callable

from leaks.twin import Place, conflict
from sluice.errors import Ref, StoreError
from sluice.orchestration.airflow_dag import sluice_dag
from sluice.orchestration.operators import UseCaseOperator


class Doomed(UseCaseOperator):
    """A use case that ends in an exception with a canary in it."""

    def work(self, run: dict[str, str]) -> str:
        place = Place.here()
        DEEDS[self.task_id](place, place.texts["forced"])
        return "done"


def chained(_: Place, who: str) -> None:
    """An exception with a value, while one with a value was handled, becomes a coded one."""
    try:
        try:
            int(who)
        except ValueError as error:
            raise KeyError(who) from error
    except KeyError as error:
        raise StoreError(Ref("operation", "put")) from error


def noted(_: Place, who: str) -> None:
    error = RuntimeError(who)
    error.add_note(who)
    raise ExceptionGroup(who, [error])


DEEDS: dict[str, Callable[[Place, str], object]] = {
    "conflict": conflict,
    "value": lambda _, who: float(who),
    "decode": lambda _, who: (who.encode() + b"\xff").decode(),
    "parse": lambda _, who: json.loads(f'{{"{who}": '),
    "lookup": lambda _, who: {}[who],
    "chained": chained,
    "noted": noted,
}

with sluice_dag("forced", None, "Every way to die.", retries=0, alert_kinds=("REFUSED",)):
    for deed in DEEDS:
        Doomed(task_id=deed)
