"""``sluice export ... --to-controller | --to-principal``: an answer goes to a controller, with record and receipt."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.output import Format, err, show_json, show_table
from sluice.settings import get_settings, login_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluice.answers.handover_model import Handed
    from sluice.answers.model import AnswerKind

ControllerOption = Annotated[
    str | None, typer.Option("--to-controller", help="Send it directly to this next controller (Art. 20(2)).")
]
AskedOption = Annotated[
    str | None, typer.Option("--asked", help="Reference of the letter by which the person asked that.")
]
PrincipalOption = Annotated[
    bool,
    typer.Option(
        "--to-principal", help="Give principals the data that they decided to give and send to the person themselves."
    ),
]


def send_on(case: str, controller: str, asked: str | None, by: str | None, format: Format) -> None:
    """Record the wish if a letter is named, and send what was decided; the DAG ``answers`` sends the rest later."""
    from sluice.answers import handover
    from sluice.answers.model import NothingToGive
    from sluice.exchange.house import open_house
    from sluice.rights.case.model import desk_actor
    from sluice.rights.case.store import find_beginning

    actor, now = desk_actor(by or login_name()), datetime.now(UTC)
    with open_house(get_settings()) as house, err.status("looking into every store"):
        found = find_beginning(house.conn, case)
        if asked is not None:
            handover.ask_handover(house, found, controller, asked, now, actor)
        try:
            handed = handover.send_on(house, found, controller, now)
        except NothingToGive:
            if asked is None:
                raise
            handed = ()
    _show(found, handed, format)
    if not handed:
        err.print("noted; it is sent once it was decided (DAG `answers`)")


def give_to_principals(case: str, kind: "AnswerKind", format: Format) -> None:
    """Give each principal the data that it decided to give and sends to the person itself."""
    from sluice.answers import handover
    from sluice.exchange.house import open_house
    from sluice.rights.case.store import find_beginning

    with open_house(get_settings()) as house, err.status("looking into every store"):
        found = find_beginning(house.conn, case)
        handed = handover.give_to_principals(house, found, kind, datetime.now(UTC))
    _show(found, handed, format)


def _show(case: str, handed: "Sequence[Handed]", format: Format) -> None:
    told = [_told(each) for each in handed]
    if format is Format.JSON:
        show_json({"case": case, "handed": told})
        return
    head = ("principal", "to", "exchange", "where", "is_there", "delete_after")
    rows = [tuple(str(each[name]) for name in head) for each in told]
    show_table("Handed over", head, rows)


def _told(each: "Handed") -> dict[str, Any]:
    opened = each.opened
    where = f"s3://{opened.bucket}/{opened.key}"
    return {
        "principal": opened.principal,
        "to": each.name,
        "exchange": opened.exchange_id,
        "where": where,
        "receipt": f"{where}.receipt.json",
        "sha256": each.sha256,
        "is_there": each.is_there,
        "delete_after": each.delete_after,
    }
