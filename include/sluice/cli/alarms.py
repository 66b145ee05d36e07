"""``sluice clock alarms``: cases near their last day. On its own, because `sluice clock due` needs no database."""

from datetime import UTC, datetime

from sluice.cli.clock import app
from sluice.cli.output import Format, FormatOption, show_json, show_table

__all__ = ["app"]


@app.command("alarms")
def alarms(format: FormatOption = Format.TABLE) -> None:
    """List open cases that are near their last day (10, 5 and 1 working days ahead) or past it, the nearest first.

    JSON: alarms: [{case, right, last_day, raised_on, is_late}]. The DAG `case_clock` logs them; with a mail
    server set, each goes by mail once.

    Example: sluice clock alarms
    """
    from sluice.exchange.house import open_house
    from sluice.rights.alerts.alarms import find_alarms
    from sluice.settings import get_settings

    with open_house(get_settings()) as house:
        found = find_alarms(house.conn, datetime.now(UTC))
    lines = [
        {
            "case": each.case.case_id,
            "right": each.case.right.value,
            "last_day": each.last_day,
            "raised_on": each.raised_on,
            "is_late": each.is_late,
        }
        for each in found
    ]
    if format is Format.JSON:
        show_json({"alarms": lines})
        return
    show_table("Alarms", ("case", "right", "last day", "raised on", "past it"), [list(each.values()) for each in lines])
