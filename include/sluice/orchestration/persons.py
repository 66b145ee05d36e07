"""Operators for requests of persons: they take ids, call one use case and push nothing."""

from datetime import UTC, datetime

from sluice.orchestration.operators import HouseOperator
from sluice.settings import get_settings


class FollowCases(HouseOperator):
    """Reads requests and instructions of principals, finishes openings, forwards, reminds, and writes letters owed.

    Also removes the sealed data of cases that were closed long enough ago, and destroys keys that two persons released.
    Fails when something was left undone, after everything else was done.
    """

    def work(self, run: dict[str, str]) -> str:
        from sluice.exchange.house import open_house
        from sluice.exchange.sweeping import check_none_left
        from sluice.rights.alerts.alarms import find_alarms
        from sluice.rights.destroy import finish as finish_destructions
        from sluice.rights.mail.write import send_mails
        from sluice.rights.requests import read_requests
        from sluice.rights.schedule import follow
        from sluice.rights.tidy import tidy

        with open_house(get_settings()) as house:
            now = datetime.now(UTC)
            requests = read_requests(house, now)
            told = follow(house, now)
            tidied = tidy(house, now)
            destroyed, not_destroyed = finish_destructions(house, now)
            mailed = send_mails(house, now)
            raised = find_alarms(house.conn, now)
        for alarm in raised:
            self.log.warning("case %s: last day %s%s", alarm.case.case_id, alarm.last_day, " PAST" * alarm.is_late)
        check_none_left("steps of cases", requests.failed + told.failed + tidied.failed + not_destroyed)
        parts = (f"opened {requests.finished}", f"requests {requests}", f"told {told}", f"{tidied}", f"{mailed}")
        return ", ".join((*parts, f"keys destroyed {destroyed}", f"alarms {len(raised)}"))


class FollowNotices(HouseOperator):
    """Tells recipients what was decided, reads their answers, reminds, escalates, and closes cases that are ready."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.exchange.house import open_house
        from sluice.exchange.sweeping import check_none_left
        from sluice.rights.mail.write import send_mails
        from sluice.rights.schedule import sweep

        with open_house(get_settings()) as house:
            done = sweep(house, datetime.now(UTC))
            mailed = send_mails(house, datetime.now(UTC))
        check_none_left("notices and steps", done.failed)
        return f"{done.told}, {done.followed}, {done.finished}, {mailed}"


class GiveBack(HouseOperator):
    """Gives data back as ended agreements want, before any of it is deleted."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.exchange.house import open_house
        from sluice.exchange.sweeping import check_none_left
        from sluice.retention.give_back import give_back_due

        with open_house(get_settings()) as house:
            done, failed = give_back_due(house, datetime.now(UTC), run)
        check_none_left("ended agreements to give back", failed)
        return f"given back {done}"


class Retain(HouseOperator):
    """Deletes every copy whose last day is over, unless a legal hold keeps it."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.errors import Ref
        from sluice.exchange.house import open_house
        from sluice.retention.model import RetentionIncomplete
        from sluice.retention.run import retain

        with open_house(get_settings()) as house:
            done = retain(house, datetime.now(UTC))
        if done.failed or done.undone:
            raise RetentionIncomplete(Ref("copies", done.failed), Ref("undone for whole principals", done.undone))
        return f"{done}"


class MergeIndex(HouseOperator):
    """Merges index runs, so that finding a person takes few reads. Nothing breaks without it."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.exchange.house import open_house
        from sluice.exchange.persons.merged import merge_all
        from sluice.exchange.sweeping import check_none_left

        with open_house(get_settings()) as house:
            merged, failed = merge_all(house, datetime.now(UTC))
        check_none_left("months whose index is to be merged", failed)
        return f"merged {merged} runs"
