"""``sluice subject``: make references that stand for persons, and find a person in every store."""

import json
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from sluice.cli.candidates import read_sought, show_candidates
from sluice.cli.output import Format, FormatOption, err, items, show_json, show_pairs, show_table
from sluice.errors import Exit, NotFound, Ref, UsageError
from sluice.terms import PRINCIPAL_PATTERN, Principal, SubjectKind

if TYPE_CHECKING:
    from sluice.settings import Settings
    from sluice.subject.key import SubjectKey

app = typer.Typer(
    help="Keyed references that stand for persons.",
    epilog='Example: sluice subject ref phone "+32 (0)475 12 34 56" --principal energy01',
    no_args_is_help=True,
)

KIND_WORDS: Mapping[str, SubjectKind] = {
    "phone": SubjectKind.PHONE,
    "email": SubjectKind.EMAIL,
    "customer": SubjectKind.PRINCIPAL_CUSTOMER_ID,
    **{kind.value: kind for kind in SubjectKind},
}

KindArgument = Annotated[str, typer.Argument(help="phone, email, customer, national_number, iban; or - for stdin.")]
ValueArgument = Annotated[str | None, typer.Argument(help="The identifier, in any spelling. It is never printed.")]
PrincipalOption = Annotated[
    str | None, typer.Option(help="Principal whose key is used; the contact center's own by default.")
]
RegionOption = Annotated[str, typer.Option(help="Country of phone numbers without country code.")]


@app.callback()
def topic() -> None:
    """Keyed references that stand for persons."""


@app.command("where")
def where_(
    identifier: Annotated[
        str, typer.Argument(metavar="KIND:VALUE", help="KIND:VALUE in any spelling. It is never printed.")
    ],
    principal: Annotated[str | None, typer.Option(help="Only this principal; all of them when absent.")] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Find a person in every store: accepted rows, files received and delivered, quarantine, consents, index.

    Example: sluice subject where phone:0470123456
    """
    from dataclasses import asdict

    from sluice.exchange.house import open_house
    from sluice.exchange.read import pick_principals
    from sluice.rights.copies.where import stores_searched, where
    from sluice.rights.person.identifiers import check_identifiers, parse_identifier
    from sluice.settings import get_settings

    person = (parse_identifier(identifier, 1),)
    check_identifiers(person)
    with open_house(get_settings()) as house, err.status("searching"):
        places = list(where(house, person, pick_principals(house.conn, principal)))
    if format is Format.JSON:
        show_json({"places": [asdict(place) for place in places], "searched": stores_searched()})
        return
    show_table(
        f"Found in {len(places)} objects; searched: {', '.join(stores_searched())}",
        ("principal", "store", "object", "exchange", "rows"),
        [(place.principal, place.store, place.object, place.exchange, place.rows) for place in places],
    )


@app.command("merge-index")
def merge_index(
    principal: Annotated[str | None, typer.Option(help="Only this principal; all of them when absent.")] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Merge index runs, so that finding a person takes few reads. The DAG `retention` does it; safe to run again.

    JSON: merged (runs), failed (months of principals). Exit 3 when some failed; persons in them are still found.

    Example: sluice subject merge-index
    """
    from datetime import UTC, datetime

    from sluice.exchange.house import open_house
    from sluice.exchange.persons.merged import merge_all
    from sluice.exchange.read import pick_principals
    from sluice.settings import get_settings

    with open_house(get_settings()) as house, err.status("searching"):
        chosen = pick_principals(house.conn, principal)[0] if principal else None
        merged, failed = merge_all(house, datetime.now(UTC), chosen)
    document = {"merged": merged, "failed": failed}
    show_json(document) if format is Format.JSON else show_pairs("Index", document)
    if failed:
        err.print(f"the index of {failed} months was not merged; the next run tries again", markup=False)
        raise typer.Exit(Exit.UNDECIDED)


@app.command("candidates")
def candidates(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="File with lines of a name, a tab and a birth date; - for stdin.")
    ],
    principal: Annotated[str | None, typer.Option(help="Only this principal; all of them when absent.")] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Find who may be meant by a name and a birth date; nothing is done to any of them.

    Name and date are read from a file or stdin, never from the command line, and not printed. Dates as
    1980-04-03 or 03/04/1980, day first. A candidate is confirmed by `sluice case open --candidate`.

    JSON: persons [{line, candidates [{principal, candidate, places [{exchange, object, rows}]}]}], searched,
    unmarked, stores. Exit 2 for a line that has no name or no birth date; it is named by its number.

    Example: sluice subject candidates - < person.tsv
    """
    from sluice.exchange.house import open_house
    from sluice.exchange.read import pick_principals
    from sluice.rights.copies.candidates import find_candidates
    from sluice.settings import get_settings

    sought = read_sought(file, Ref("argument", "FILE"))
    with open_house(get_settings()) as house, err.status("merging"):
        names = pick_principals(house.conn, principal)
        found = [find_candidates(house, each, names, line) for line, each in enumerate(sought, 1)]
    show_candidates(found, format)


@app.command("ref")
def ref(
    kind: KindArgument,
    value: ValueArgument = None,
    principal: PrincipalOption = None,
    region: RegionOption = "BE",
    format: FormatOption = Format.TABLE,
) -> None:
    """Print the SubjectRef of an identifier; every spelling of one identifier gives the same SubjectRef.

    Exit 1 when there is none (empty, placeholder or invalid). With - in place of KIND VALUE, read lines
    of KIND, a tab and VALUE from stdin, or with - in place of VALUE lines of values; print one JSON
    object per line, with its number as line, and exit with the worst of their codes: 2 for an unknown kind. A principal
    that no agreement names is refused, because its references would be made with a key that nobody uses.

    Example: sluice subject ref phone "+32 (0)475 12 34 56" --principal energy01
    """
    _check_region(region)
    if (kind == "-" and value is not None) or (kind != "-" and (value is None or kind not in KIND_WORDS)):
        raise UsageError(Ref("argument", "KIND VALUE"))
    if value is None or value == "-":
        key = _subject_key(principal)
        done = Exit.DONE
        for number, line in enumerate(items("-"), 1):
            word, text = (kind, line) if value else line.partition("\t")[::2]
            answer = _answer(key, word, text, region)
            sys.stdout.write(json.dumps({"line": number, **answer}) + "\n")
            sys.stdout.flush()
            done = max(done, _exit_of(answer))
        raise typer.Exit(done)
    answer = _answer(_subject_key(principal), kind, value, region)
    if format is Format.JSON:
        show_json(answer)
    else:
        show_pairs("Subject reference", answer)
    raise typer.Exit(_exit_of(answer))


def _exit_of(answer: Mapping[str, str | None]) -> Exit:
    if answer["kind"] is None:
        return Exit.USAGE
    return Exit.DONE if answer["ref"] else Exit.REFUSED


def _answer(key: "SubjectKey", word: str, text: str, region: str) -> dict[str, str | None]:
    """Return the answer to print; a wrong kind is not quoted, since it may be a value in the wrong place."""
    from sluice.subject.refs import refer

    if word not in KIND_WORDS:
        return {"kind": None, "ref": None, "reason": "unknown_kind"}
    made = refer(key, KIND_WORDS[word], text, region=region)
    shown: dict[str, str | None] = {"kind": made.kind.value, "ref": made.ref}
    return shown if made.reason is None else {**shown, "reason": made.reason.value}


def _subject_key(principal: str | None) -> "SubjectKey":
    from sluice.agreement.folder.load import find_ignored
    from sluice.keys import Keyring
    from sluice.settings import get_settings
    from sluice.subject.key import SubjectKey

    settings = get_settings()
    code = settings.center if principal is None else principal
    if not re.fullmatch(PRINCIPAL_PATTERN, code):
        raise UsageError(Ref("option", "--principal"))
    if code != settings.center and not _has_agreement(code, settings):
        # The code is not repeated: it may be an identifier in the wrong place.
        raise NotFound(Ref("principal", "of --principal"), Ref("in the agreements of", settings.principals_dir.name))
    return SubjectKey(Keyring.open(settings).subject_key(Principal(code)), find_ignored(settings.principals_dir / code))


def _has_agreement(code: str, settings: "Settings") -> bool:
    """Whether an agreement of the checkout names this principal."""
    from sluice.agreement.folder.load import load_agreements

    return any(agreement.principal == code for agreement in load_agreements(settings.papers()))


def _check_region(region: str) -> None:
    from phonenumbers import SUPPORTED_REGIONS

    if region not in SUPPORTED_REGIONS:
        raise UsageError(Ref("option", "--region"))
