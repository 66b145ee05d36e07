"""``sluice suppression``: is somebody kept out, and why."""

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
    help="Who is kept out of files, and why.",
    no_args_is_help=True,
    epilog="Example: sluice suppression check phone:0470123456",
)


@app.callback()
def topic() -> None:
    """Erased, objecting and restricted persons, and those on hold."""


@app.command("check")
def check(
    identifier: Annotated[str, typer.Argument(metavar="KIND:VALUE", help="Or - to read one a line from stdin.")],
    principal: Annotated[str | None, typer.Option(help="Only this principal; all of them when absent.")] = None,
    channel: Annotated[
        str | None, typer.Option(help="Only what reaches it: phone, sms, email, letter, chat, robocall, push.")
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Say whether somebody is kept out, in any spelling of the identifier. Of a batch the worst exit counts.

    Example: sluice suppression check phone:+32470123456 --format json
    """
    from sluice.exchange.house import open_house

    word = channel_word(channel)
    with open_house(get_settings()) as house:
        if identifier == "-":
            looked_at: LookedAt = {}
            told = (_told(house, each, principal, word, looked_at) for each in items(identifier))
            raise typer.Exit(max(told, default=Exit.DONE))
        with err.status("looking"):
            document = _checked(house, identifier, principal, word, {})
    if format is Format.JSON:
        show_json(document)
    else:
        show_pairs("Kept out" if document["suppressed"] else "Not kept out", document)


@app.command("replay")
def replay(format: FormatOption = Format.TABLE) -> None:
    """After a restore of the database: keep out again whoever the evidence bucket knows. Again changes nothing.

    Files that arrived meanwhile wait for it. Erasures that the older database does not know begin again: their
    cases open from the vault. JSON: runs, references, lifted, cases_to_erase_again.

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


def _told(house: "House", identifier: str, principal: str | None, channel: str | None, looked_at: "LookedAt") -> Exit:
    """Print one line of a batch; what names nobody is that line's error, and its exit."""
    try:
        show_json(_checked(house, identifier, principal, channel, looked_at))
    except SluiceError as error:
        show_json({"suppressed": None, "reasons": [], "error": {"code": error.code, "message": str(error)}})
        return error.exit
    return Exit.DONE


def _checked(
    house: "House", identifier: str, principal: str | None, channel: str | None, looked_at: "LookedAt"
) -> dict[str, Any]:
    """Return the answer for one identifier.

    ``looked_at``: keys of the principals of this batch of whom it is known that the database has lost no suppression;
    whoever is missing is added. To look takes a listing of years, so it is done once a batch.
    """
    from sluice.exchange.persons.sealed_runs import check_none_lost
    from sluice.exchange.persons.suppressed import find_reasons
    from sluice.exchange.read import pick_principals
    from sluice.rights.person.identifiers import check_identifiers, parse_identifier, refs_of

    person = (parse_identifier(identifier, 1),)
    check_identifiers(person)
    found: set[str] = set()
    for name in pick_principals(house.conn, principal):
        if name not in looked_at:
            key = house.subject_key(name)
            check_none_lost(house, name)
            looked_at[name] = key
        refs = refs_of(person, looked_at[name], name)
        found.update(find_reasons(house, name, frozenset(refs.values()), channel, is_checked=True))
    return {"suppressed": bool(found), "reasons": sorted(found)}
