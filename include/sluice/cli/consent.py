"""``sluice consent``: records of what persons said to being contacted (ISO/IEC TS 27560). Values are never printed."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluice.cli.options import ByOption, day_of
from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.cli.private_file import private_file
from sluice.errors import Ref, UsageError
from sluice.given_files import read_given
from sluice.settings import get_settings, login_name
from sluice.times import brussels_day, brussels_today

if TYPE_CHECKING:
    import polars as pl

    from sluice.exchange.house import House
    from sluice.rights.consents.keep import Recorded
    from sluice.rights.person.identifiers import Person

app = typer.Typer(
    help="Records of consent, per person, purpose and channel; kept under references, never under a value.",
    epilog="Example: sluice consent import consents.csv energy01 --dated 2026-11-25",
    no_args_is_help=True,
)
PrincipalArgument = Annotated[
    str, typer.Argument(metavar="PRINCIPAL", help="Code of the principal whose customers they are.")
]
PersonArgument = Annotated[
    list[str], typer.Argument(metavar="KIND:VALUE...", help="Identifiers of one person, in any spelling.")
]
PurposeOption = Annotated[str, typer.Option(help="Code of the agreement (P-RENEW), or DPV IRI.")]
ChannelOption = Annotated[str, typer.Option(help="As the agreement names it: voice, sms, email, ...")]
AtOption = Annotated[str | None, typer.Option(help="When the person said it, ISO 8601 with offset; now by default.")]
MethodOption = Annotated[str, typer.Option(help="How the person said it: a code such as web_form, call or paper.")]
NoticeOption = Annotated[str, typer.Option(help="Number or version of the wording that was shown.")]
CollectorOption = Annotated[str, typer.Option(help="Who collected it: a code, never a person's name.")]


@dataclass(frozen=True, slots=True)
class Statement:
    """What one person said about one purpose and channel, as the options give it.

    ``at``: ISO 8601 with offset, None for now. ``until``: last day on which it holds, empty if it has none.
    """

    purpose: str
    channel: str
    state: str
    method: str
    notice: str
    collected_by: str
    at: str | None = None
    until: str = ""


@app.callback()
def topic() -> None:
    """Records of consent."""


@app.command("record")
def record(
    principal: PrincipalArgument,
    person: PersonArgument,
    purpose: PurposeOption,
    channel: ChannelOption,
    method: MethodOption,
    notice: NoticeOption,
    collected_by: CollectorOption,
    state: Annotated[str, typer.Option(help="given, refused or expired.")] = "given",
    at: AtOption = None,
    until: Annotated[
        str, typer.Option(help="Last day on which it holds, ISO; by default it holds until it is withdrawn.")
    ] = "",
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Record what one person said. A consent lifts an older withdrawal for this purpose and channel only.

    Give every identifier by which the person was kept out. JSON: run, source_sha256, records, refused, left_out,
    is_new.

    Example: sluice consent record energy01 phone:0470123456 --purpose P-RENEW --channel sms --method web_form
    --notice W-7 --collected-by webshop
    """
    said = Statement(purpose, channel, state, method, notice, collected_by, at, until)
    _record(principal, person, said, by, format)


@app.command("withdraw")
def withdraw(
    principal: PrincipalArgument,
    person: PersonArgument,
    purpose: PurposeOption,
    channel: ChannelOption,
    method: MethodOption = "request",
    notice: NoticeOption = "none",
    collected_by: CollectorOption = "center",
    at: AtOption = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Record that a person withdrew a consent; contacts on this channel that rest on it stop at once.

    It opens a case without letters, so that the principal and recipients are told. For a person who wants an answer,
    use `sluice case open --right consent_withdrawal` instead.

    Example: sluice consent withdraw energy01 phone:0470123456 --purpose P-RENEW --channel sms
    """
    said = Statement(purpose, channel, "withdrawn", method, notice, collected_by, at)
    _record(principal, person, said, by, format)


def _record(principal: str, person: list[str], statement: Statement, by: str | None, format: Format) -> None:
    from sluice.exchange.house import open_house
    from sluice.rights.consents.file import Said
    from sluice.rights.person.identifiers import WORDS, parse_person
    from sluice.rights.withdrawals import record_and_tell
    from sluice.terms import Principal

    found = parse_person(person)
    persons = {WORDS[each.kind]: each.value for each in found}
    if len(persons) < len(found):
        raise UsageError(Ref("argument", "KIND:VALUE"), Ref("rule", "ONE_OF_A_KIND"))
    now = datetime.now(UTC)
    said = Said(
        persons,
        purpose=statement.purpose,
        channel=statement.channel,
        state=statement.state,
        at=statement.at or now.isoformat(),
        method=statement.method,
        notice=statement.notice,
        collected_by=statement.collected_by,
        until=statement.until,
    )
    with open_house(get_settings()) as house, err.status("recording"):
        done = record_and_tell(house, Principal(principal), said, by or login_name(), now)
    _show(done, format)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV; docs/how-to/consent.md has its columns.")],
    principal: PrincipalArgument,
    dated: Annotated[str | None, typer.Option(help="Brussels date of the file, ISO; today by default.")] = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Import consent records from a file, which is hashed and dated; rows that cannot be used are listed by number.

    JSON: run, source_sha256, records, refused, left_out, is_new, faults [{code, column, count, rows}].

    Example: sluice consent import consents.csv energy01 --dated 2026-11-25
    """
    from sluice.exchange.house import open_house
    from sluice.rights.withdrawals import import_and_tell
    from sluice.terms import Principal

    content = read_given(file, Ref("argument", "FILE"))
    now = datetime.now(UTC)
    day = day_of(dated, now)
    with open_house(get_settings()) as house, err.status("importing"):
        done = import_and_tell(house, Principal(principal), content, day, by or login_name(), now)
    _show(done, format)


def _show(done: "Recorded", format: Format) -> None:
    document = {
        "run": done.run_id,
        "source_sha256": done.source_sha256,
        "records": done.records,
        "refused": done.refused,
        "left_out": done.left_out,
        "is_new": done.is_new,
    }
    faults = [
        {"code": each.code, "column": each.column, "count": each.count, "rows": list(each.rows)} for each in done.faults
    ]
    if format is Format.JSON:
        show_json({**document, "faults": faults})
        return
    show_pairs("Consent records", document)
    if faults:
        show_table("Rows not kept", ("code", "column", "count", "rows"), [tuple(each.values()) for each in faults])


@app.command("show")
def show(principal: PrincipalArgument, person: PersonArgument, format: FormatOption = Format.TABLE) -> None:
    """Show every record of one person, oldest first, and which of them count now.

    JSON: records [{record_id, purpose, channel, state, at, until, method, notice, collected_by, counts}].

    Example: sluice consent show energy01 phone:0470123456
    """
    from sluice.exchange.house import open_house
    from sluice.rights.person.identifiers import parse_person
    from sluice.subject.consent import last_words

    asked = parse_person(person)
    with open_house(get_settings()) as house, err.status("reading"):
        found = _of_person(house, principal, asked)
    last = last_words(found, brussels_today())["record_id"].to_list()
    names = ("record_id", "purpose", "channel", "state", "at", "until", "method", "notice", "collected_by")
    rows = [
        {**{name: row[name] for name in names}, "counts": row["record_id"] in last}
        for row in found.sort("at", "record_id").iter_rows(named=True)
    ]
    if format is Format.JSON:
        show_json({"records": rows})
    else:
        show_table("Consent records", (*names, "counts"), [tuple(row.values()) for row in rows])


@app.command("export")
def export(
    principal: PrincipalArgument,
    person: PersonArgument,
    to: Annotated[Path, typer.Option(help="The file to write; only you can read it.")],
    format: FormatOption = Format.TABLE,
) -> None:
    """Write every record of one person as JSON-LD, with the fields of ISO/IEC TS 27560 and the terms of the DPV.

    JSON: path, sha256, records (how many). The records themselves are only in the file.

    Example: sluice consent export energy01 phone:0470123456 --to consent.jsonld
    """
    from sluice.agreement.in_force.ended import find_ended
    from sluice.agreement.in_force.store import list_in_force
    from sluice.exchange.house import open_house
    from sluice.rights.consents.export import export_consents
    from sluice.rights.consents.file import ConsentsInvalid
    from sluice.rights.person.identifiers import parse_person
    from sluice.terms import Principal

    said = parse_person(person)
    settings, now = get_settings(), datetime.now(UTC)
    today = brussels_day(now)
    with private_file("--to", to) as write, open_house(settings) as house, err.status("reading"):
        asked = (house.conn, Principal(principal), today, now)
        agreements = list_in_force(*asked) or tuple(filter(None, [find_ended(*asked)]))
        if not agreements:
            raise ConsentsInvalid(Ref("rule", "NO_AGREEMENT"))
        found = _of_person(house, principal, said)
        document = export_consents(found, agreements, settings.center_country, today, settings.center_contact)
        content = json.dumps(document, ensure_ascii=False, indent=2).encode()
        write(content)
    told = {"path": str(to), "sha256": hashlib.sha256(content).hexdigest(), "records": found.height}
    show_json(told) if format is Format.JSON else show_pairs("Consent records", told)


def _of_person(house: "House", principal: str, person: "Person") -> "pl.DataFrame":
    from sluice.exchange.persons.consents import find_records
    from sluice.exchange.read import pick_principals
    from sluice.rights.person.identifiers import refs_of

    [name] = pick_principals(house.conn, principal)  # whoever is none of ours gets no key
    refs = sorted(set(refs_of(person, house.subject_key(name), name).values()))
    records = find_records(house, name)
    return records.filter(records["ref"].is_in(refs))
