"""Put the papers of the checkout in force when its Airflow starts, so that the first command knows them."""

from datetime import UTC, datetime
from functools import partial

from sluice.agreement.in_force.activate import activate_all
from sluice.db import connect
from sluice.errors import SluiceError
from sluice.gate.lint import check_rules
from sluice.settings import Settings


def put_in_force(settings: Settings) -> tuple[str, ...]:
    """Register every paper by its hash, as Airflow's `reconcile` does each minute. Returns what was refused, in words.

    A faulty paper stops no service: its principal keeps what was in force, and `reconcile` fails on it from now on.
    """
    check = partial(check_rules, expectations=settings.expectations_dir)
    try:
        with connect(settings) as conn:
            done = activate_all(conn, settings.principals_dir, datetime.now(UTC), check)
    except SluiceError as error:
        return (str(error),)
    return tuple(
        f"papers of {each.principal} refused: `sluice agreement activate` says why" for each in done if each.is_refused
    )
