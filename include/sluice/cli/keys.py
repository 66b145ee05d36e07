"""``sluice keys``: the keys of principals, and their end when an agreement is over."""

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
    help="Keys that make references of persons, and their end.",
    no_args_is_help=True,
    epilog="Example: sluice keys list",
)


@app.command("list")
def list_(format: FormatOption = Format.TABLE) -> None:
    """List every key by principal and purpose, with its fingerprint and what keeps it. No key is shown.

    JSON: keys [{principal, purpose, state, fingerprint, obstacles}].

    Example: sluice keys list
    """
    from sluice.exchange.house import open_house
    from sluice.rights.destroy import list_lines

    with open_house(get_settings()) as house:
        lines = list_lines(house, datetime.now(UTC))
    if format is Format.JSON:
        names = ("principal", "purpose", "state", "fingerprint", "obstacles")
        show_json({"keys": [{name: getattr(line, name) for name in names} for line in lines]})
        return
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
    """Show the certificate that a principal encrypts its files to, and its fingerprint; made on first use.

    JSON: principal, fingerprint, certificate. The table is the certificate itself, the fingerprint goes to stderr.
    Tell the fingerprint over another way than the certificate.

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
    """Ask that the keys of a principal are destroyed; a second person confirms within 14 days. Nothing goes yet.

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
    """Destroy what somebody else asked to be destroyed, for good; the ledger keeps the fingerprints.

    JSON: as `keys destroy`. Run it again when it was killed: it goes on. Exit 1 for whoever asked.

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
