"""Airflow notifiers: after a task, the desk hears of what is new, by mail and to a webhook (``rights/alerts.py``).

They are callbacks of a task, so a receiver that is away fails no task: it is logged, and told by the next run.
"""

from airflow.sdk import BaseNotifier, Context

from sluice.errors import EvidenceInvalid
from sluice.orchestration.guard import guarded
from sluice.settings import get_settings


class DeskNotifier(BaseNotifier):
    """Tells what is new of one kind. ``kind``: REFUSED, UNACKNOWLEDGED or ALARM, what it looks for by itself."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def notify(self, context: Context) -> None:
        """What is told is found in the tables; the run only says when to look."""
        self.log.info("%s", guarded(self._tell))

    def _tell(self) -> str:
        from datetime import UTC, datetime

        from sluice.db import connect
        from sluice.rights.alert_due import DUE
        from sluice.rights.alerts import tell_desk, ways
        from sluice.rights.mail_model import MailKind

        kind, now, settings = MailKind(self.kind), datetime.now(UTC), get_settings()
        found = ways(settings, kind, now)
        if not found:
            return "the desk is not told: neither SLUICE_SMTP_URL nor SLUICE_WEBHOOK_URL is set"
        with connect(settings) as conn:
            return f"{kind}: {tell_desk(conn, found, kind, DUE[kind](conn, now))}"


class TamperNotifier(BaseNotifier):
    """Tells that the ledger does not hold, once a day and place, when the task that verified it said so."""

    def notify(self, context: Context) -> None:
        said = str(context.get("exception") or "")
        if said.startswith(EvidenceInvalid.code):
            self.log.info("%s", guarded(lambda: self._tell(said)))

    def _tell(self, said: str) -> str:
        from datetime import UTC, datetime

        from sluice.db import connect
        from sluice.rights.alert_due import Alert
        from sluice.rights.alerts import tell_desk, ways
        from sluice.rights.mail_model import MailKind

        now, settings = datetime.now(UTC), get_settings()
        line = said.partition(". Cure")[0]
        with connect(settings) as conn:
            found = ways(settings, MailKind.TAMPERED, now)
            return f"{tell_desk(conn, found, MailKind.TAMPERED, iter([Alert(f'{now:%Y-%m-%d}/{line}', line)]))}"
