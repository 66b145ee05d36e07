"""``sluice keys``: list the keys of principals, and destroy them when an agreement is over."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.options import ByOption
from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.settings import get_settings, login_name

if TYPE_CHECKING:
    from sluice.rights.destroy_store import Destruction

PrincipalArgument = Annotated[str, typer.Argument(help="Code of a principal whose agreement ended.")]

app = typer.Typer(
    help="Keys of principals, such as those that references to persons are made with, and their destruction.",
    no_args_is_help=True,
    epilog="Example: sluice keys list",
)


@app.command("list")
def list_(format: FormatOption = Format.TABLE) -> None:
    """List every key by principal and purpose, with its fingerprint and what forbids to destroy it. No key is shown.

    Above them stands the fingerprint of the key that signs receipts and certificates: give it to principals on paper.
    JSON: receipt_key, keys [{principal, purpose, state, fingerprint, obstacles}].

    Example: sluice keys list
    """
    from sluice.exchange.house import open_house
    from sluice.ledger.sign import key_id
    from sluice.rights.destroy import list_lines

    with open_house(get_settings()) as house:
        lines, signing = list_lines(house, datetime.now(UTC)), key_id(house.keyring.public)
    if format is Format.JSON:
        names = ("principal", "purpose", "state", "fingerprint", "obstacles")
        show_json({"receipt_key": signing, "keys": [{name: getattr(line, name) for name in names} for line in lines]})
        return
    typer.echo(f"Fingerprint of the key that signs receipts: {signing}\n")
    show_table(
        "Keys",
        ("principal", "purpose", "state", "fingerprint", "what keeps it"),
        [(k.principal, k.purpose, k.state, (k.fingerprint or "?")[:16], ", ".join(k.obstacles)) for k in lines],
    )


@app.command("openpgp")
def openpgp(
    principal: Annotated[str, typer.Argument(help="Code of a principal with an agreement.")],
    format: FormatOption = Format.TABLE,
) -> None:
    """Show the OpenPGP certificate to which a principal encrypts its files, and its fingerprint; made on first use.

    JSON: principal, fingerprint, certificate. Without JSON, stdout is the certificate itself, and the fingerprint goes
    to stderr. Send the principal the fingerprint by another way than the certificate.

    Example: sluice keys openpgp energy01 > center-energy01.asc
    """
    from sluice.exchange.house import open_house
    from sluice.exchange.read import pick_principals
    from sluice.lake.read.pgp_in import public_part

    with open_house(get_settings()) as house:
        [name] = pick_principals(house.conn, principal)
        certificate, fingerprint = public_part(house.keyring.openpgp_key(name))
    if format is Format.JSON:
        show_json({"principal": principal, "fingerprint": fingerprint, "certificate": certificate})
        return
    typer.echo(certificate, nl=False)
    typer.echo(fingerprint.upper(), err=True)


@app.command("destroy")
def destroy(
    principal: PrincipalArgument,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Ask to destroy the keys of a principal; a second person has to confirm within 14 days. Nothing is destroyed yet.

    JSON: principal, asked_by, asked_at, confirmed_by, confirmed_at, destroyed_at. Exit 1 with the
    reason while an agreement is in force, a case or an exchange is open, a hold stands or copies are left.

    Example: sluice keys destroy telecom01 --by an.peeters
    """
    from sluice.exchange.house import open_house
    from sluice.rights.destroy import ask
    from sluice.terms import Principal

    with open_house(get_settings()) as house, err.status("looking"):
        asked = ask(house, Principal(principal), by or login_name(), datetime.now(UTC))
    _show("Asked", asked, format)


@app.command("confirm")
def confirm(principal: PrincipalArgument, by: ByOption = None, format: FormatOption = Format.TABLE) -> None:
    """Destroy for good the keys that somebody else asked to destroy; the ledger keeps their fingerprints.

    JSON: as `keys destroy`. If it was killed, run it again to finish. Exit 1 for the person who asked.

    Example: sluice keys confirm telecom01 --by bert.maes
    """
    from sluice.exchange.house import open_house
    from sluice.rights.destroy import confirm_destruction
    from sluice.terms import Principal

    with open_house(get_settings()) as house, err.status("destroying"):
        done = confirm_destruction(house, Principal(principal), by or login_name(), datetime.now(UTC))
    _show("Destroyed", done, format)


def _show(title: str, found: "Destruction", format: Format) -> None:
    document: dict[str, Any] = {
        "principal": found.principal,
        "asked_by": found.asked_by,
        "asked_at": found.asked_at,
        "confirmed_by": found.confirmed_by,
        "confirmed_at": found.confirmed_at,
        "destroyed_at": found.destroyed_at,
    }
    show_json(document) if format is Format.JSON else show_pairs(title, document)
