"""``sluice ledger``: verify that the evidence is complete and unchanged."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.errors import Exit, FileMissing, FileUnreadable, Ref, ServiceMissing
from sluice.given_files import is_folder

if TYPE_CHECKING:
    from sluice.exchange.house import House
    from sluice.ledger.model import Bad, Difference, LedgerReport, StoredEntry, Witness

app = typer.Typer(
    help="The hash-chained record of every exchange.",
    epilog="Example: sluice ledger verify --receipts ./receipts",
    no_args_is_help=True,
)

EXITS = {True: Exit.DONE, False: Exit.REFUSED, None: Exit.MISSING}
HOLDS = {
    True: "The ledger holds",
    False: "The ledger does NOT hold",
    None: "What is in the database holds; whether something was cut off could not be told",
}
RECEIPT_DOES_NOT = "The ledger holds; a receipt does NOT: it was changed, or is of another center"
TABLE_DOES_NOT = "The ledger holds; a table does NOT say what it says: the ledger counts"
EMPTY = "The ledger is empty: there is nothing to verify"

ReceiptsOption = Annotated[
    Path | None, typer.Option(help="Folder of receipts (.json, also in subfolders); the entry of each must exist.")
]
CanonicalOption = Annotated[
    bool, typer.Option("--canonical", help="Also check that bodies are canonical JSON; slower.")
]


@app.callback()
def topic() -> None:
    """The hash-chained record of every exchange."""


@app.command("verify")
def verify(
    receipts: ReceiptsOption = None, canonical: CanonicalOption = False, format: FormatOption = Format.TABLE
) -> None:
    """Verify every entry, chain and checkpoint, and compare them with the copies outside and the tables inside.

    Exit 0 if the ledger holds, 1 if not, 4 if it holds but the copies outside could not be read or are incomplete: only
    they show that entries were cut off the end. Entries after the last checkpoint are counted; if those were cut off,
    only receipts show it. A receipt in --receipts that was changed, or cannot be read, gives exit 1 too, and is named
    with the reason; a .json that is no receipt is named as unknown, and is no violation. So does a row of a table that
    does not say what the ledger says (`SLU-457`): it is named by table, id and column, and the ledger counts.

    JSON: entries, valid, why (the first thing that fails), first_bad {chain, seq, not_before, why} of the ledger, head,
    bad, differing [{code, table, row, columns}] (null: not compared, because the ledger itself does not hold), chains,
    checkpoints, anchors, receipts {checked, refused, first_bad {file, why}, bad, unknown}.

    Example: sluice ledger verify --receipts ./receipts
    """
    from sluice.exchange.house import open_house
    from sluice.keys import Keyring
    from sluice.ledger.verify import verify as verify_ledger
    from sluice.settings import get_settings

    settings = get_settings()
    public_pem = Keyring.open(settings).public_pem
    with err.status("reading receipts"):
        given = _read_receipts(receipts, public_pem)
    with open_house(settings) as house:
        looked_at = datetime.now(UTC)
        with err.status("reading checkpoints"):
            anchors = _read_anchors(house)
        report = verify_ledger(
            house.conn,
            public_pem=public_pem,
            anchors=anchors or (),
            receipts=given.witnesses,
            watch=_watch,
            canonical=canonical,
        )
        differing = _differing(house) if report.valid else None
        is_compared = anchors is not None and _is_compared(house, report, anchors, looked_at)
    document = _document(report, anchors, is_compared, given, differing)
    if format is Format.JSON:
        show_json(document)
    else:
        _show(report, document)
    raise typer.Exit(EXITS[document["valid"]])


@dataclass(slots=True)
class Receipts:
    """What lies in the folder of receipts.

    ``bad``: file and why it does not hold. ``unknown``: files that are no receipt, by content and name: they say
    nothing about the ledger.
    """

    witnesses: list["Witness"] = field(default_factory=list)
    bad: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def read(self, path: Path, name: str, public_pem: bytes) -> None:
        """Of a copy of a principal's whole prefix, what we signed as something else is passed over."""
        from sluice.documents.verify import is_no_receipt, is_of_another_kind, verify_file
        from sluice.ledger.model import Witness

        try:
            check = verify_file(path, public_pem)
        except (FileMissing, FileUnreadable):
            self.bad.append((name, "it cannot be read"))
            return
        if check.valid and check.chain and check.seq and check.entry_hash:
            told_by = f"receipt {check.exchange}"
            self.witnesses.append(Witness(check.chain, check.seq, bytes.fromhex(check.entry_hash), told_by))
        elif is_no_receipt(path):
            self.unknown.append(name)
        elif not is_of_another_kind(path.read_bytes(), public_pem):
            self.bad.append((name, check.why or "it names no entry"))


def _read_receipts(folder: Path | None, public_pem: bytes) -> Receipts:
    """Read every receipt below a folder. Raises FileMissing where there is no such folder."""
    receipts = Receipts()
    if folder is None:
        return receipts
    if not is_folder(folder):
        raise FileMissing(Ref("option", "--receipts"), Ref("rule", "NO_FOLDER"))
    for path in sorted(path for path in folder.rglob("*.json") if not path.is_dir()):
        receipts.read(path, str(path.relative_to(folder)), public_pem)
    return receipts


def _read_anchors(house: "House") -> list[bytes] | None:
    """Read the checkpoints in the evidence bucket; None, and the reason on stderr, when the store does not answer."""
    from sluice.exchange.anchor import read_anchors

    try:
        return read_anchors(house)
    except ServiceMissing as error:
        missing = str(error)
    err.print(missing, style="red", markup=False)
    return None


def _is_compared(house: "House", report: "LedgerReport", anchors: Sequence[bytes], looked_at: datetime) -> bool:
    """Whether the copies that would show a cut are complete; if not, say why on stderr. A bad report needs none."""
    from sluice.exchange.anchor import AnchorsMissing, check_compared

    try:
        if report.valid:
            check_compared(house, report, anchors, looked_at)
        return True
    except AnchorsMissing as error:
        missing = str(error)
    err.print(missing, style="red", markup=False)
    return False


def _differing(house: "House") -> "list[Difference]":
    from sluice.exchange.compared import find_differing
    from sluice.rights.case.compared import find_differing as find_differing_cases

    with err.status("comparing the tables"):
        return [*find_differing(house.conn), *find_differing_cases(house.conn)]


def _watch(entries: "Iterable[StoredEntry]", expected: int) -> "Iterable[StoredEntry]":
    from rich.progress import track

    return track(
        entries,
        "verifying",
        total=expected,
        console=err,
        transient=True,
        disable=not err.is_terminal,
        update_period=0.5,
    )


def _document(
    report: "LedgerReport",
    anchors: list[bytes] | None,
    is_compared: bool,
    receipts: Receipts,
    differing: "Sequence[Difference] | None",
) -> dict[str, Any]:
    from sluice.ledger.model import TableDiffers

    holds = report.valid and not receipts.bad and not differing
    bad = [{"file": name, "why": why} for name, why in receipts.bad]
    return {
        "entries": report.entries,
        "valid": None if holds and not is_compared else holds,
        "why": _why(report, receipts, is_compared, differing),
        "first_bad": _bad(report.first_bad),
        "head": report.head,
        "bad": [_bad(bad) for bad in report.bad],
        "differing": None if differing is None else [{"code": TableDiffers.code, **asdict(each)} for each in differing],
        "chains": [
            {
                "chain": chain.chain,
                "entries": chain.entries,
                "head": chain.head,
                "not_yet_anchored": chain.not_yet_anchored,
            }
            for chain in report.chains
        ],
        "checkpoints": report.checkpoints,
        "anchors": None if anchors is None else len(anchors),
        "only_inside": None if anchors is None else len(report.only_inside),
        "not_yet_anchored": report.not_yet_anchored,
        "receipts": {
            "checked": len(receipts.witnesses) + len(bad),
            "refused": [each["file"] for each in bad],
            "first_bad": next(iter(bad), None),
            "bad": bad,
            "unknown": receipts.unknown,
        },
    }


def _why(
    report: "LedgerReport", receipts: Receipts, is_compared: bool, differing: "Sequence[Difference] | None"
) -> str | None:
    """The first thing that keeps ``valid`` from being true."""
    if report.first_bad is not None:
        return f"{report.first_bad.chain}: {report.first_bad.why}"
    if differing:
        first = differing[0]
        return f"table {first.table}, row {first.row}, is not as the ledger says: {', '.join(first.columns)}"
    if receipts.bad:
        return "receipt {}: {}".format(*receipts.bad[0])
    return None if is_compared else "the copies outside the database were not compared"


def _bad(bad: "Bad | None") -> dict[str, Any] | None:
    if bad is None:
        return None
    return {"chain": bad.chain, "seq": bad.seq, "not_before": bad.not_before, "why": bad.why}


def _show(report: "LedgerReport", document: dict[str, Any]) -> None:
    chains = [
        (
            chain.chain,
            chain.entries,
            chain.not_yet_anchored,
            f"{chain.head[:16]}…",
            chain.bad.why if chain.bad else "ok",
        )
        for chain in report.chains
    ]
    show_table("Chains", ("chain", "entries", "not yet anchored", "head", "state"), chains)
    if report.bad:
        places = [(bad.chain, bad.seq, bad.not_before, bad.why) for bad in report.bad]
        show_table("What does not hold", ("chain", "number", "not before", "why"), places)
    if document["differing"]:
        rows = [
            (each["code"], each["table"], each["row"], ", ".join(each["columns"])) for each in document["differing"]
        ]
        show_table("Tables that do not say what the ledger says", ("code", "table", "row", "columns"), rows)
    receipts = document["receipts"]
    if receipts["bad"]:
        show_table("Receipts that do not hold", ("file", "why"), [(bad["file"], bad["why"]) for bad in receipts["bad"]])
    if receipts["unknown"]:
        show_table("No receipts, passed over", ("file",), [(name,) for name in receipts["unknown"]])
    show_pairs(
        _headline(report, document),
        {
            "entries": report.entries,
            "checkpoints": report.checkpoints,
            "anchors outside the database": "not read" if document["anchors"] is None else document["anchors"],
            "checkpoints without one": "not known" if document["anchors"] is None else document["only_inside"],
            "not yet anchored": report.not_yet_anchored,
            "receipts": f"{receipts['checked']} checked, {len(receipts['refused'])} do not hold",
            "head": report.head,
        },
    )


def _headline(report: "LedgerReport", document: dict[str, Any]) -> str:
    if document["valid"] and not report.entries:
        return EMPTY
    if report.valid and document["differing"]:
        return TABLE_DOES_NOT
    is_receipt_alone = report.valid and bool(document["receipts"]["refused"])
    return RECEIPT_DOES_NOT if is_receipt_alone else HOLDS[document["valid"]]
