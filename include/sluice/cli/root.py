"""The bare Typer app to which topics are added."""

from typing import Annotated

import typer


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"sluice {version('sluice')}")
        raise typer.Exit


def root() -> typer.Typer:
    """Return an app named ``sluice`` without any topic."""
    app = typer.Typer(
        name="sluice",
        help="Data-exchange governance for contact centers: no file moves without purpose, role, verdict and receipt.",
        epilog="Example: sluice gate run leads.csv --agreement DPA-ENERGY01 --flow renewal_campaign --dry-run",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    return app


def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Data-exchange governance for contact centers."""
