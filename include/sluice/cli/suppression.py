"""``sluice suppression``: check whether somebody is kept out, and replay suppressions after a restore."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.options import channel_word
from sluice.cli.output import Format, FormatOption, err, items, show_json, show_pairs
from sluice.errors import Exit, SluiceError
from sluice.settings import get_settings
from sluice.terms import Principal

if TYPE_CHECKING:
    from sluice.exchange.house import House
    from sluice.subject.key import SubjectKey

    LookedAt = dict[Principal, SubjectKey]

app = typer.Typer(
    help="Persons who are kept out of files, and why.",
    no_args_is_help=True,
    epilog="Example: sluice suppression check phone:0470123456",
)


@app.callback()
def topic() -> None:
    """Persons who are kept out: erased, objecting, restricted or on hold."""


@app.command("check")
def check(
    identifier: Annotated[
        str, typer.Argument(metavar="KIND:VALUE", help="KIND:VALUE in any spelling; - reads one per line from stdin.")
    ],
    principal: Annotated[str | None, typer.Option(help="Only this principal; all of them when absent.")] = None,
    channel: Annotated[
        str | None,
        typer.Option(help="Only suppressions for this channel: phone, sms, email, letter, chat, robocall, push."),
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Say whether somebody is kept out; any spelling of the identifier will do.

    With - print one JSON object per line, with its number as line; exit with the worst of their codes.

    Example: sluice suppression check phone:+32470123456 --format json
    """
    from sluice.exchange.house import open_house
    from sluice.rights.person.identifiers import parse_person

    word = channel_word(channel)
    if identifier != "-":
        parse_person([identifier])
    with open_house(get_settings()) as house:
        if identifier == "-":
            looked_at: LookedAt = {}
            lines = enumerate(items(identifier), 1)
            told = (_told(number, house, each, principal, word, looked_at) for number, each in lines)
            raise typer.Exit(max(told, default=Exit.DONE))
        with err.status("looking"):
            document = _checked(house, identifier, principal, word, {})
    if format is Format.JSON:
        show_json(document)
    else:
        show_pairs("Kept out" if document["suppressed"] else "Not kept out", document)


@app.command("replay")
def replay(format: FormatOption = Format.TABLE) -> None:
    """After a restore of the database, keep out again everyone in the evidence bucket. Repeating it changes nothing.

    Files that arrived meanwhile wait until this is done. Erasures that the restored database does not know are done
    again; their cases are opened from the vault. JSON: runs, references, lifted, cases_to_erase_again.

    Example: sluice suppression replay
    """
    from datetime import UTC, datetime

    from sluice.exchange.house import open_house
    from sluice.exchange.persons.replay import replay as tell_again

    with open_house(get_settings()) as house, err.status("replaying"):
        done = tell_again(house, datetime.now(UTC))
    document = {
        "runs": done.runs,
        "references": done.references,
        "lifted": done.lifted,
        "cases_to_erase_again": sorted(done.erasures),
    }
    if format is Format.JSON:
        show_json(document)
    else:
        show_pairs("Kept out again", document)


def _told(
    number: int, house: "House", identifier: str, principal: str | None, channel: str | None, looked_at: "LookedAt"
) -> Exit:
    """Print one line of a batch, and return its exit code; an identifier that names nobody is an error in it."""
    try:
        show_json({"line": number, **_checked(house, identifier, principal, channel, looked_at)})
    except SluiceError as error:
        fault = {"code": error.code, "message": str(error)}
        show_json({"line": number, "suppressed": None, "reasons": [], "error": fault})
        return error.exit
    return Exit.DONE


def _checked(
    house: "House", identifier: str, principal: str | None, channel: str | None, looked_at: "LookedAt"
) -> dict[str, Any]:
    """Return the answer for one identifier.

    ``looked_at``: principals of this batch whose suppressions were found complete in the database; this adds to it.
    Checking lists years of objects, so it is done once per batch and principal.
    """
    from sluice.exchange.persons.sealed_runs import check_none_lost
    from sluice.exchange.persons.suppressed import find_reasons
    from sluice.exchange.read import pick_principals
    from sluice.rights.person.identifiers import parse_person, refs_of

    person = parse_person([identifier])
    found: set[str] = set()
    for name in pick_principals(house.conn, principal):
        if name not in looked_at:
            key = house.subject_key(name)
            check_none_lost(house, name)
            looked_at[name] = key
        refs = refs_of(person, looked_at[name], name)
        found.update(find_reasons(house, name, frozenset(refs.values()), channel, is_checked=True))
    return {"suppressed": bool(found), "reasons": sorted(found)}
