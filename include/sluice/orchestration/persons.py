"""Operators for requests of persons: they take ids, call one use case and push nothing."""

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from sluice.orchestration.operators import HouseOperator

if TYPE_CHECKING:
    from sluice.exchange.house import House

log = logging.getLogger(__name__)


class FollowCases(HouseOperator):
    """Reads requests and instructions of principals, finishes openings, forwards, reminds, and writes letters owed.

    Also removes the sealed data of cases that were closed long enough ago, and destroys keys that two persons released.
    It is one task, because every task of Airflow costs seconds before it begins; each step is kept apart.
    """

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.orchestration.apart import run_apart

        steps = {
            "read": _read,
            "follow": _follow,
            "tidy": _tidy,
            "destroy keys": _destroy_keys,
            "mail": _mail,
            "alarms": _alarms,
        }
        return run_apart(house, now, "steps of cases", steps)


class FollowNotices(HouseOperator):
    """Tells recipients what was decided, reads their answers, reminds, escalates, and closes cases that are ready.

    Mails about that, rather than leave it to FollowCases: the next one starts three minutes later.
    """

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.orchestration.apart import run_apart

        return run_apart(house, now, "notices and steps", {"notices": _sweep, "mail": _mail})


def _read(house: "House", now: datetime) -> tuple[str, int]:
    from sluice.rights.requests import read_requests

    done = read_requests(house, now)
    return f"opened {done.finished}, requests {done}", done.failed


def _follow(house: "House", now: datetime) -> tuple[str, int]:
    from sluice.rights.schedule import follow

    done = follow(house, now)
    return f"told {done}", done.failed


def _tidy(house: "House", now: datetime) -> tuple[str, int]:
    from sluice.rights.tidy import tidy

    done = tidy(house, now)
    return f"{done}", done.failed


def _destroy_keys(house: "House", now: datetime) -> tuple[str, int]:
    from sluice.rights.destroy import finish

    destroyed, failed = finish(house, now)
    return f"keys destroyed {destroyed}", failed


def _mail(house: "House", now: datetime) -> tuple[str, int]:
    """A mail that was not sent is tried again, and does not fail the task: its recipient has the file."""
    from sluice.rights.mail.write import send_mails

    return f"{send_mails(house, now)}", 0


def _alarms(house: "House", now: datetime) -> tuple[str, int]:
    from sluice.rights.alerts.alarms import find_alarms

    raised = find_alarms(house.conn, now)
    for alarm in raised:
        log.warning("case %s: last day %s%s", alarm.case.case_id, alarm.last_day, " PAST" * alarm.is_late)
    return f"alarms {len(raised)}", 0


def _sweep(house: "House", now: datetime) -> tuple[str, int]:
    from sluice.rights.schedule import sweep

    done = sweep(house, now)
    return f"{done.told}, {done.followed}, {done.finished}", done.failed


class GiveBack(HouseOperator):
    """Gives data back as ended agreements want, before any of it is deleted."""

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.exchange.sweeping import check_none_left
        from sluice.retention.give_back import give_back_due

        done, failed = give_back_due(house, now, run)
        check_none_left("ended agreements to give back", failed)
        return f"given back {done}"


class Retain(HouseOperator):
    """Deletes every copy whose last day is over, unless a legal hold keeps it."""

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.errors import Ref
        from sluice.retention.model import RetentionIncomplete
        from sluice.retention.run import retain

        done = retain(house, now)
        if done.failed or done.undone:
            raise RetentionIncomplete(Ref("copies", done.failed), Ref("undone for whole principals", done.undone))
        return f"{done}"


class MergeIndex(HouseOperator):
    """Merges index runs, so that finding a person takes few reads. Nothing breaks without it."""

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.exchange.persons.merged import merge_all
        from sluice.exchange.sweeping import check_none_left

        merged, failed = merge_all(house, now)
        check_none_left("months whose index is to be merged", failed)
        return f"merged {merged} runs"
