"""Run several steps in one task: if a step fails, the others still run, and the task fails at the end."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from sluice.errors import Ref, ServiceMissing
from sluice.exchange.house import House
from sluice.exchange.sweeping import Faults, LeftUndone

log = logging.getLogger(__name__)
Step = Callable[[House, datetime], tuple[str, int]]
"""Does its work at a moment; returns a line for the log, and how many items it left undone."""


def run_apart(house: House, now: datetime, what: str, steps: Mapping[str, Step]) -> str:
    """Run every step by its name, in order; return their lines. ``what``: the items, in the plural.

    Raises LeftUndone, after every step ran, naming those that failed or left something undone. A service that is away
    keeps only the steps that need it from running; only without the database no further step is tried.
    """
    faults, lines, failed, left = Faults(house.conn), list[str](), list[str](), 0
    for name, step in steps.items():
        before = faults.count
        try:
            with faults.kept_apart(f"the step {name}"):
                line, undone = step(house, now)
                lines.append(line)
                left += undone
                failed += [name] * bool(undone)
        except ServiceMissing as error:
            if house.conn.closed:
                raise
            log.warning("the step %s waits: %s", name, error)
            failed.append(name)
        failed += [name] * (faults.count - before)
    if failed:
        raise LeftUndone(Ref(f"{what} left undone", left), Ref("in", ", ".join(failed)))
    return ", ".join(lines)
