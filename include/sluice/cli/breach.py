"""``sluice breach``: who is affected by a breach, and who must tell whom by when."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.options import check_address, moment_of, writing_to
from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.errors import Ref, UsageError
from sluice.settings import get_settings
from sluice.times import BRUSSELS

if TYPE_CHECKING:
    from sluice.breach.model import Duty, Slice
    from sluice.breach.write import DraftLine
    from sluice.exchange.house import House

app = typer.Typer(
    help="Who is affected by a breach, and who must be told (GDPR Articles 33 and 34).",
    no_args_is_help=True,
    epilog="Example: sluice breach slice --exchange 7b0d3f1e --to drafts",
)


@app.callback()
def topic() -> None:
    """Who is affected by a breach, and who must be told (GDPR Articles 33 and 34)."""


@app.command("slice")
def slice_(
    exchange: Annotated[str | None, typer.Option(help="Exchange id, or an unambiguous beginning of it.")] = None,
    object: Annotated[str | None, typer.Option(help="s3://bucket/key, with ?versionId= for one version.")] = None,
    agent: Annotated[
        str | None, typer.Option(help="Reference of an agent or an account, as `sluice staff readiness` shows it.")
    ] = None,
    between: Annotated[
        tuple[str, str] | None,
        typer.Option(help="With --agent: from (inclusive) and until (exclusive); ISO 8601, Brussels time if no zone."),
    ] = None,
    aware: Annotated[
        str | None,
        typer.Option(
            help="When we became aware, not in the future; ISO 8601, Brussels time if no zone; now by default."
        ),
    ] = None,
    risk: Annotated[
        str, typer.Option(help="The risk to persons, as it was assessed: undecided, unlikely, risk, high.")
    ] = "undecided",
    to: Annotated[
        Path | None, typer.Option(help="Folder for draft notifications; without it none are written.")
    ] = None,
    lang: Annotated[str, typer.Option(help="Languages of the drafts, with commas: nl, fr, en.")] = "nl,fr,en",
    format: FormatOption = Format.TABLE,
) -> None:
    """Count the persons in what was breached, and say who must tell whom by when. Nothing is recorded or sent.

    JSON: subjects (distinct persons, added up over principals), principals, categories, special_categories,
    recipients, exchanges, parts (the same for each principal, and unread: copies that cannot be read, are not judged
    yet or have rows of an unknown agent, rows_removed: rows that erasures took out of our copies, at_most: persons in
    both), notify [{by, to, article, applies, due_at, within_hours, about}], drafts. Exit 1 when what was named holds no
    person.

    Example: sluice breach slice --agent 0f3a... --between 2026-11-24T08:00 2026-11-24T18:00 --risk high --to drafts
    """
    from sluice.breach.model import Risk
    from sluice.breach.write import write_drafts
    from sluice.cli.register import split
    from sluice.documents.words import LANGUAGES
    from sluice.exchange.house import open_house

    if sum(each is not None for each in (exchange, object, agent)) != 1 or (agent is None) != (between is None):
        raise UsageError(Ref("option", "one of --exchange, --object, and --agent with --between"))
    check_address("--object", object)
    if risk not in set(Risk):
        raise UsageError(Ref("option", "--risk"), Ref("one of", ", ".join(Risk)))
    languages = split(lang)
    if not languages or not set(languages) <= set(LANGUAGES):
        raise UsageError(Ref("option", "--lang"), Ref("one of", ", ".join(LANGUAGES)))
    aware_at = moment_of("--aware", aware) if aware else datetime.now(UTC)
    with open_house(get_settings()) as house, err.status("counting persons"):
        found = _slice(house, exchange, object, agent, between, aware_at, Risk(risk))
    with writing_to("--to"), err.status("writing"):
        drafts = write_drafts(found, to, languages) if to else ()
    _show(found, drafts, format)


def _slice(
    house: "House", exchange: str | None, object: str | None, agent: str | None, between: tuple[str, str] | None,
    aware_at: datetime, risk: Any,
) -> "Slice":  # fmt: skip
    from sluice.breach.make import slice_agent, slice_exchange, slice_object

    if exchange is not None:
        return slice_exchange(house, exchange, aware_at, risk)
    if object is not None:
        return slice_object(house, object, aware_at, risk)
    assert agent is not None and between is not None  # slice_ asked
    since, until = (moment_of("--between", each) for each in between)
    if since >= until:
        raise UsageError(Ref("option", "--between"))
    return slice_agent(house, agent, since, until, aware_at, risk)


def _show(found: "Slice", drafts: "tuple[DraftLine, ...]", format: Format) -> None:
    from sluice.breach.describe import describe, describe_drafts

    document = describe(found) | {"drafts": describe_drafts(drafts)}
    if format is Format.JSON:
        show_json(document)
        return
    names = ("subjects", "principals", "categories", "special_categories", "recipients", "exchanges")
    listed = {name: document[name] for name in names}
    show_pairs(
        f"Breach: {found.scope.kind}",
        {name: ", ".join(value) if isinstance(value, list) else value for name, value in listed.items()},
    )
    for part in found.parts:
        if part.counted.unread:
            unread = dict.fromkeys(part.counted.unread, part.counted.at_most)
            show_pairs(f"Not to be read at {part.principal}", unread)
        if part.counted.removed:
            removed = {"rows": part.counted.removed, "persons, at most": part.counted.at_most}
            show_pairs(f"Removed from our copies at {part.principal} since", removed)
    head = ("who", "tells", "article", "applies", "at the latest (Brussels)", "about")
    rows = [(d.by, d.to, d.article, d.applies, _due(d), ", ".join(d.about)) for d in found.duties]
    show_table("Who must be told", head, rows)
    if drafts:
        show_table("Drafts", ("file", "for"), [(each.path, each.draft) for each in drafts])


def _due(duty: "Duty") -> object:

    if duty.due_at is not None:
        return f"{duty.due_at.astimezone(BRUSSELS):%Y-%m-%d %H:%M}"
    return f"{duty.within_hours} h after told" if duty.within_hours else "without undue delay"
