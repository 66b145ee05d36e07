"""``sluice receipt``: check receipts anywhere, offline."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.output import Format, FormatOption, err, items, show_json, show_pairs, show_table
from sluice.errors import Exit, FileMissing, FileUnreadable, Ref, UsageError
from sluice.given_files import read_given

if TYPE_CHECKING:
    from sluice.documents.verify import ReceiptCheck

app = typer.Typer(
    help="Receipts of exchanges.",
    epilog="Example: sluice receipt verify 7b0d3f1e.json --key receipt-key.pem",
    no_args_is_help=True,
)

FILE = Ref("argument", "FILE")
FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="A receipt, .json or .pdf; - for stdin.")]
KeyOption = Annotated[Path, typer.Option(help="The contact center's public key, PEM.")]
PdfOption = Annotated[Path | None, typer.Option(help="The PDF, if it is not beside FILE.")]


@app.callback()
def topic() -> None:
    """Receipts of exchanges."""


@app.command("verify")
def verify(file: FileArgument, key: KeyOption, pdf: PdfOption = None, format: FormatOption = Format.TABLE) -> None:
    """Verify a receipt: signature, exact content and, if it is at hand, the PDF that belongs to it.

    Works on a machine that has only the files and the key. Exit 0 if it holds, 1 if not, 2 for a path that
    cannot be read. With - in place of FILE, read paths from stdin, print one JSON object per line in the same
    order, and exit 1 if one does not hold. For a path that cannot be read, valid is null and error says why.

    A receipt proves something only if the key is the contact center's: compare its fingerprint, which is printed (JSON:
    key), with the one that the center gave you on paper.

    Example: sluice receipt verify 7b0d3f1e-5a52-4c7e-9a0e-2f5f0c3d8e11.json --key receipt-key.pem
    """
    from sluice.documents.verify import verify_file

    public_pem = _read_key(key)
    if file == "-" and pdf is not None:
        raise UsageError(Ref("option", "--pdf together with -"))
    if file == "-":
        exits = [_verified(path, public_pem) for path in items(file)]
        raise typer.Exit(Exit.REFUSED if Exit.REFUSED in exits else max(exits, default=Exit.DONE))
    check = verify_file(Path(file), public_pem, pdf)
    _show(check, format)
    raise typer.Exit(Exit.DONE if check.valid else Exit.REFUSED)


def _verified(path: str, public_pem: bytes) -> Exit:
    """Print one line of a batch; a path that cannot be read is that line's error, and its exit."""
    from sluice.documents.verify import ReceiptCheck, verify_file

    try:
        check = verify_file(Path(path), public_pem)
    except (FileMissing, FileUnreadable) as error:
        nothing = _document(ReceiptCheck(False)) | {"valid": None, "error": {"code": error.code, "message": str(error)}}
        show_json({"file": path, **nothing})
        return error.exit
    show_json({"file": path, **_document(check)})
    return Exit.DONE if check.valid else Exit.REFUSED


@app.command("roles")
def roles(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The .roles.json beside a return.")],
    key: KeyOption,
    format: FormatOption = Format.TABLE,
) -> None:
    """Verify the role statement of a return, offline, and show the owner of each column. Exit 1 if it does not hold.

    Example: sluice receipt roles renewal_results_2026-11-24.csv.roles.json --key receipt-key.pem
    """
    from sluice.documents.statement import verify_statement

    statement = verify_statement(read_given(file, FILE), _read_key(key))
    if format is Format.JSON:
        show_json({"valid": True, **statement.model_dump(mode="json")})
        return
    show_table(
        f"{statement.principal}/{statement.flow}: whose each column is",
        ("column", "supplied by", "controller", "processor", "owner", "basis held by", "retention"),
        [
            (c.name, c.supplied_by, c.controller, c.processor, c.owner_label, c.basis_holder, c.retention_rule)
            for c in statement.columns
        ],
    )
    for warning in statement.warnings:
        err.print(warning, markup=False)


@app.command("certificate")
def certificate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The erasure-certificate....json in your notices/.")],
    key: KeyOption,
    format: FormatOption = Format.TABLE,
) -> None:
    """Verify the certificate of an erasure, offline: the file and the public key are enough.

    JSON: valid, and what was signed. Exit 1 if it does not hold.

    Example: sluice receipt certificate erasure-certificate.9f3c1d20ab54e6f1.json --key receipt-key.pem
    """
    from sluice.rights.erasure.certificate_check import verify_certificate

    said = verify_certificate(read_given(file, FILE), _read_key(key))
    if format is Format.JSON:
        show_json({"valid": True, **said})
        return
    names = ("principal", "done_at", "objects_scanned", "residual", "shared_with_others", "sealed_to_recipient")
    show_pairs("The certificate holds", {name: said[name] for name in names})


class Standard(StrEnum):
    """Value of ``--to``."""

    PROV = "prov"


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The receipt, .json.")],
    key: KeyOption,
    to: Annotated[Standard, typer.Option(help="The standard: prov is PROV-O.")] = Standard.PROV,
    format: FormatOption = Format.TABLE,
) -> None:
    """Write a receipt as provenance in JSON-LD, offline: the exchange, what it used and made, who had which role.

    The receipt is verified first. Exit 1 if it does not hold.

    Example: sluice receipt export 7b0d3f1e-5a52-4c7e-9a0e-2f5f0c3d8e11.json --key receipt-key.pem --to prov
    """
    from sluice.documents.prov import receipt_as_prov
    from sluice.documents.verify import open_receipt

    document = {Standard.PROV: receipt_as_prov}[to](open_receipt(read_given(file, FILE), _read_key(key)))
    show_json(document) if format is Format.JSON else typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def _read_key(key: Path) -> bytes:
    return read_given(key, Ref("option", "--key"))


def _document(check: "ReceiptCheck") -> dict[str, Any]:
    document: dict[str, Any] = {"valid": check.valid, "exchange": check.exchange, "entry_hash": check.entry_hash}
    document["key"] = check.key
    if check.valid:
        return document | {"pdf_checked": check.pdf_checked}
    return document | {"why": check.why}


def _show(check: "ReceiptCheck", format: Format) -> None:
    if format is Format.JSON:
        show_json(_document(check))
    elif check.valid:
        pairs = {
            "exchange": check.exchange,
            "entry hash": check.entry_hash,
            "entry": f"{check.chain}, number {check.seq}",
            "PDF": "is the one of this receipt" if check.pdf_checked else "not at hand, not checked",
            "fingerprint of the key": check.key,
        }
        show_pairs("The receipt holds", pairs)
    else:
        show_pairs("The receipt does NOT hold", {"why": check.why, "fingerprint of the key": check.key})
