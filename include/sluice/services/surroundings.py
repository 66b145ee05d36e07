"""What the doctor finds around the stores: the disk, the legal clock, and the ways on which something goes out.

Each look returns whether it is well, and what it found.
"""

import shutil
import tempfile

from sluice.db import connect
from sluice.exchange.wake import check_queue
from sluice.exchange.workroom import check_room
from sluice.lineage.emit import check_target
from sluice.rights.alerts.tell import find_stuck, read_webhook
from sluice.rights.case.clock import due_dates
from sluice.rights.case.facts import clock_parameters
from sluice.rights.mail.send import read_target
from sluice.settings import Settings
from sluice.times import brussels_today

CLOCK_CURE = (
    "set SLUICE_CENTER_COUNTRY to the country of the EEA where the center works (ISO 3166: BE); CALENDAR_ENDS: this "
    "version knows no holidays of then, install a newer one"
)
WAYS_CURE = "correct the setting that is named, or see that its server answers; what waits then goes out by itself"


def look_at_disk(settings: Settings) -> tuple[bool, str]:
    """Whether files can be judged in ``var``: it is written, and has room for a small file. Raises DiskUnfit."""
    work = settings.var / "work"
    place = next(each for each in (work, *work.parents) if each.is_dir())
    try:
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(b"1")
    except OSError as error:
        check_room(place / "probe", error)
        raise
    check_room(place / "probe")
    return True, f"{shutil.disk_usage(place).free >> 20} MiB free where SLUICE_VAR lies"


def look_at_clock(settings: Settings) -> tuple[bool, str]:
    """Whether a request of today gets its last days; without them none can be opened. Raises ClockRefused."""
    today = brussels_today()
    due = due_dates(today, settings.center_country, clock_parameters(today))
    return True, f"{settings.center_country}: a request of today is due on {due.legal_due}, or {due.extended_due}"


def look_at_ways(settings: Settings) -> tuple[bool, str]:
    """Whether mail, webhook, lineage and wake-ups have an address, and what is not sent; sends nothing itself.

    Raises MailTargetInvalid, WebhookInvalid, TargetInvalid, SettingInvalid.
    """
    if settings.sqs_queue_url is not None:
        check_queue(settings.sqs_queue_url)
    if settings.lineage_url is not None:
        check_target(settings.lineage_url)
    named = {"mail": read_target(settings), "webhook": read_webhook(settings)}
    with connect(settings) as conn:
        stuck = find_stuck(conn)
    ways = ", ".join(name for name, way in named.items() if way is not None) or "the log only"
    return not stuck, f"not sent: {stuck}" if stuck else f"the desk hears by {ways}"
