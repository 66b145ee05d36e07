"""``sluice review``: free-text notes that somebody has to read before their rows go on."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluice.cli.cut import LimitOption, cut
from sluice.cli.options import ByOption, WhyOption
from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.cli.private_file import private_file
from sluice.errors import Ref, UsageError
from sluice.settings import get_settings, login_name

if TYPE_CHECKING:
    from sluice.exchange.house import House
    from sluice.terms import ExchangeId

app = typer.Typer(
    help="Free-text notes that somebody has to read before their rows go on.",
    epilog="Example: sluice review list",
    no_args_is_help=True,
)
IdArgument = Annotated[str, typer.Argument(metavar="EXCHANGE", help="Exchange id, or its beginning.")]


@app.command("list")
def list_(
    principal: Annotated[str | None, typer.Option(help="Only this principal.")] = None,
    limit: LimitOption = 200,
    format: FormatOption = Format.TABLE,
) -> None:
    """List exchanges with rows held for their notes, newest first, and how many wait for a decision.

    JSON: exchanges: [{exchange_id, principal, flow, codes, open}], and more: whether `--limit` left some out.

    Example: sluice review list --principal energy01
    """
    from sluice.exchange.house import open_house
    from sluice.exchange.read import pick_principals
    from sluice.exchange.review import list_waiting
    from sluice.terms import Principal

    with open_house(get_settings()) as house:
        pick_principals(house.conn, principal)
        looked_up = list_waiting(house.conn, Principal(principal) if principal else None, limit + 1)
    found, more = cut(looked_up, limit)
    if format is Format.JSON:
        show_json({"exchanges": [asdict(each) for each in found], "more": more})
        return
    lines = [
        (
            each.exchange_id,
            each.principal,
            each.flow,
            ", ".join(f"{code} {n}" for code, n in each.codes.items()),
            each.open,
        )
        for each in found
    ]
    show_table("Notes for a person", ("exchange", "principal", "flow", "held for", "open"), lines)


@app.command("show")
def show(exchange: IdArgument, format: FormatOption = Format.TABLE) -> None:
    """List the held rows of one exchange: number, codes, and the decision and who took it. Never a word of a note.

    JSON: rows: [{row, codes, decision, decided_by, decided_at}].

    Example: sluice review show 7b0d3f1e
    """
    from sluice.exchange.house import open_house
    from sluice.exchange.review import note_rows

    with open_house(get_settings()) as house, err.status("reading"):
        found = note_rows(house, _found(house, exchange))
    lines = [
        {
            "row": each.row,
            "codes": list(each.codes),
            "decision": each.review.choice.value if each.review else None,
            "decided_by": each.review.decided_by if each.review else None,
            "decided_at": each.review.decided_at if each.review else None,
        }
        for each in found
    ]
    if format is Format.JSON:
        show_json({"rows": lines})
        return
    show_table(
        "Held for their notes",
        ("row", "codes", "decision", "by", "at (UTC)"),
        [
            (each["row"], ", ".join(codes), *list(each.values())[2:])
            for each, codes in zip(lines, (e.codes for e in found), strict=True)
        ],
    )


@app.command("read")
def read(
    exchange: IdArgument,
    to: Annotated[Path, typer.Option(help="CSV file to write; only you can read it. Remove it when you are done.")],
    sample: Annotated[
        bool, typer.Option("--sample", help="Notes without a finding that were drawn as a sample to be read.")
    ] = False,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Write the notes of held rows into a file: row numbers, codes and notes only. The ledger records who read them.

    JSON: file, rows.

    Example: sluice review read 7b0d3f1e --to notes.csv
    """
    from sluice.exchange.house import open_house
    from sluice.exchange.review import read_notes

    with private_file("--to", to) as write, open_house(get_settings()) as house, err.status("opening"):
        notes = read_notes(house, _found(house, exchange), by or login_name(), datetime.now(UTC), sample=sample)
        write(notes.content)
    document = {"file": str(to), "rows": notes.rows}
    show_json(document) if format is Format.JSON else show_pairs("Notes", document)


@app.command("decide")
def decide_(
    exchange: IdArgument,
    choice: Annotated[
        str,
        typer.Argument(
            metavar="send|mask|drop",
            help="What to do with the rows: let them go as they are, mask the findings, or keep them here.",
        ),
    ],
    rows: Annotated[
        str, typer.Option(help="Row numbers as in `review show`, such as 3,7-9; by default all that wait.")
    ] = "all",
    by: ByOption = None,
    reason: WhyOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Decide on held rows, once each. Rows that may go become an exchange of their own and go into a return.

    JSON: exchange, decision, rows, file. Exit 1 for rows that do not wait for a decision.

    Example: sluice review decide 7b0d3f1e mask --rows 3,7-9 --by an.peeters
    """
    from sluice.exchange.effects.run import do_effects
    from sluice.exchange.house import open_house
    from sluice.exchange.review import decide, note_rows
    from sluice.exchange.review_model import Choice

    if choice not in list(Choice):
        raise UsageError(Ref("argument", "send|mask|drop"))
    asked = None if rows == "all" else _numbers(rows)
    with open_house(get_settings()) as house, err.status("deciding"):
        exchange_id = _found(house, exchange)
        open_rows = [each.row for each in note_rows(house, exchange_id) if each.review is None]
        wanted = open_rows if asked is None else asked
        now = datetime.now(UTC)
        review = decide(house, exchange_id, wanted, Choice(choice), by or login_name(), now, reason=reason)
        do_effects(house, exchange_id)
    document = {
        "exchange": exchange_id,
        "decision": review.choice.value,
        "rows": list(review.rows),
        "file": review.key if review.comes_back else None,
    }
    show_json(document) if format is Format.JSON else show_pairs("Decided", document)


def _numbers(text: str) -> list[int]:
    """Read ``3,7-9`` as row numbers. Raises UsageError."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or int(last or first) - int(first) > 1_000_000:
            raise UsageError(Ref("option", "--rows"))
        found += range(int(first), int(last or first) + 1)
    return found


def _found(house: "House", exchange: str) -> "ExchangeId":
    from sluice.exchange.read import show_exchange
    from sluice.terms import ExchangeId

    return ExchangeId(show_exchange(house.conn, exchange).line.id)
