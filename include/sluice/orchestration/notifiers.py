"""Airflow notifiers: after a task, they alert the desk by log, mail and webhook (``rights/alerts/tell.py``).

They are callbacks of a task, so an unreachable receiver fails no task. An alert is stored, and the next notifier that
runs sends it.
"""

import re

from airflow.sdk import BaseNotifier, Context

from sluice.errors import EvidenceInvalid, SluiceError
from sluice.orchestration.guard import guarded
from sluice.settings import get_settings

CODED = re.compile(r"SLU-\d{3} .*?(?=\. Cure: |$)")
"""One of our own messages, without its cure. Messages of others are not used, because they may quote a value."""


class DeskNotifier(BaseNotifier):
    """Sends the new alerts of one kind. ``kind``: one of ``rights.alerts.due.DUE``, which finds them by itself."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def notify(self, context: Context) -> None:
        """Find new alerts in the tables and send them; the task run only determines when."""
        self.log.info("%s", guarded(self._tell))

    def _tell(self) -> str:
        from datetime import UTC, datetime

        from sluice.db import connect
        from sluice.rights.alerts.due import DUE
        from sluice.rights.alerts.tell import tell_desk, ways
        from sluice.rights.mail.model import MailKind

        kind, now, settings = MailKind(self.kind), datetime.now(UTC), get_settings()
        with connect(settings) as conn:
            return f"{kind}: {tell_desk(conn, ways(settings, now), kind, DUE[kind](conn, now), now)}"


class VerifyNotifier(BaseNotifier):
    """Alerts the desk, each time a task reports it, that the ledger does not verify or could not be verified."""

    def notify(self, context: Context) -> None:
        error, task = context.get("exception"), context.get("ti")
        coded = CODED.match(str(error or ""))
        line = coded[0] if coded else f"{SluiceError.code} {type(error).__name__ if error else 'the task was killed'}"
        run = f"{task.run_id}/{task.try_number}" if task else None
        self.log.info("%s", guarded(lambda: self._tell(line, run)))

    def _tell(self, line: str, run: str | None) -> str:
        from datetime import UTC, datetime

        import psycopg

        from sluice.db import connect
        from sluice.rights.alerts.due import Alert, given
        from sluice.rights.alerts.tell import tell_desk, tell_unstored, ways
        from sluice.rights.mail.model import MailKind

        kind = MailKind.TAMPERED if line.startswith(EvidenceInvalid.code) else MailKind.UNVERIFIED
        now, settings = datetime.now(UTC), get_settings()
        found, alert = ways(settings, now), Alert(run or now.isoformat(), line, now)
        try:
            with connect(settings) as conn:
                return f"{kind}: {tell_desk(conn, found, kind, given([alert]), now)}"
        except (SluiceError, psycopg.Error):
            self.log.warning("the database is away: what was found is told without being stored")
        return f"{kind}: {tell_unstored(found, kind, alert)}"
