"""``sluice dial``, ``sluice dncm``: contacts for agents, for one purpose and channel; the Do-Not-Call-Me list."""

from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from sluice.cli.options import ByOption, day_of
from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.cli.private_file import private_file
from sluice.errors import Ref, UsageError
from sluice.given_files import check_readable
from sluice.settings import get_settings, login_name

app = typer.Typer(
    help="Contacts for agents to dial, for one purpose and one channel; there is no other way to get them.",
    epilog="Example: sluice dial list energy01 contacts --purpose P-RENEW --channel sms",
    no_args_is_help=True,
)


@app.callback()
def topic() -> None:
    """Contacts for agents."""


@app.command("list")
def list_(
    principal: Annotated[
        str, typer.Argument(metavar="PRINCIPAL", help="Code of the principal whose contacts they are.")
    ],
    flow: Annotated[str, typer.Argument(metavar="FLOW", help="Name of one of its inbound flows.")],
    purpose: Annotated[str, typer.Option(help="Code of the agreement (P-RENEW), or DPV IRI.")],
    channel: Annotated[str, typer.Option(help="phone, sms or email.")],
    to: Annotated[Path | None, typer.Option(help="Also write it here, for you alone: .csv, .xlsx or .parquet.")] = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Make a dial list: only rows with purpose, basis and opt-in, and of nobody who must be kept out.

    It stays in the agents' bucket for a few days, with its receipt; rows left out are counted by reason.
    JSON: exchange, decision, rows_in, rows, left_out {reason: rows}, place, dncm_sha256. Exit 1 when it may not
    be made; the reason is in the record too.

    Example: sluice dial list energy01 renewal_campaign --purpose P-RENEW --channel phone --to today.csv
    """
    from sluice.dial.make import make_dial_list
    from sluice.dial.model import FORMATS, Channel, Request
    from sluice.exchange.catalogue import get_copy
    from sluice.exchange.house import open_house
    from sluice.ledger.copy_kinds import DIALLED
    from sluice.terms import Flow, Principal

    if channel not in [each.value for each in Channel]:
        raise UsageError(Ref("option", "--channel"), Ref("one of", ", ".join(Channel)))
    wanted = to.suffix.lower().removeprefix(".") if to else FORMATS[0]
    if wanted not in FORMATS:
        raise UsageError(Ref("option", "--to"), Ref("takes", f"a name that ends in {', '.join(FORMATS)}"))
    request = Request(
        str(uuid4()), Principal(principal), Flow(flow), purpose, Channel(channel), wanted, by or login_name()
    )  # fmt: skip
    with ExitStack() as place:
        write = place.enter_context(private_file("--to", to)) if to else None
        house = place.enter_context(open_house(get_settings()))
        place.enter_context(err.status("making the list"))
        done = make_dial_list(house, request, datetime.now(UTC))
        if write:
            given = get_copy(house.conn, done.exchange_id, DIALLED)
            write(house.objects.read(given.bucket, given.key, given.version_id))
    document = {
        "exchange": done.exchange_id,
        "decision": done.decision.value,
        "rows_in": done.rows_in,
        "rows": done.rows,
        "left_out": dict(done.left_out),
        "place": f"s3://{done.bucket}/{done.key}",
        "dncm_sha256": done.dncm_sha256,
    }
    if format is Format.JSON:
        show_json(document)
        return
    show_pairs("Dial list", {name: value for name, value in document.items() if name != "left_out"})
    show_table("Left out", ("reason", "rows"), sorted(done.left_out.items()))


dncm = typer.Typer(
    help="The Do-Not-Call-Me list, as it was downloaded; its numbers are kept as keyed references only.",
    epilog="Example: sluice dncm import dncm.txt --dated 2026-11-25",
    no_args_is_help=True,
)


@dncm.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A file of one number per line; a date after it is ignored.")
    ],
    dated: Annotated[str | None, typer.Option(help="Brussels date of the download, ISO; today by default.")] = None,
    smaller: Annotated[
        bool,
        typer.Option("--smaller", help="Accept a list that is much smaller than the last one, because it is complete."),
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Put a list that was replaced in force again.")] = False,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Import the Do-Not-Call-Me list, hashed and dated; dial lists for phone marketing need a recent one.

    JSON: sha256, dated_on, numbers, refused, is_new. Exit 1 for a file that is no such list, that has
    over 5 % fewer numbers than the newest one (its download may have been cut off), or that a newer one replaced.

    Example: sluice dncm import dncm.txt --dated 2026-11-25
    """

    from sluice.dial.dncm import import_numbers
    from sluice.exchange.house import open_house

    check_readable(file, Ref("argument", "FILE"))
    now = datetime.now(UTC)
    day = day_of(dated, now)
    with open_house(get_settings()) as house, err.status("importing"):
        done = import_numbers(
            house, file, day, by or login_name(), now, may_be_smaller=smaller, may_come_back=again
        )  # fmt: skip
    said = {name: asdict(done.found)[name] for name in ("sha256", "dated_on", "numbers", "refused")}
    document = {**said, "is_new": done.is_new}
    if format is Format.JSON:
        show_json(document)
    else:
        show_pairs("Do-Not-Call-Me list", document)


@dncm.command("list")
def lists(format: FormatOption = Format.TABLE) -> None:
    """Show the imported lists, newest first.

    JSON: lists [{sha256, dated_on, numbers, refused, imported_at, imported_by}].

    Example: sluice dncm list
    """
    from sluice.db import connect
    from sluice.dial.store import list_numbers

    with connect(get_settings()) as conn:
        found = list_numbers(conn)
    names = ("sha256", "dated_on", "numbers", "refused", "imported_at", "imported_by")
    rows = [{name: asdict(each)[name] for name in names} for each in found]
    if format is Format.JSON:
        show_json({"lists": rows})
    else:
        show_table("Do-Not-Call-Me lists", names, [tuple(row.values()) for row in rows])
