"""The command before it has a topic."""

import typer


def root() -> typer.Typer:
    """The command without a topic."""
    return typer.Typer(
        name="sluice",
        help="Data-exchange governance for contact centers: no file moves without purpose, role, verdict and receipt.",
        epilog="Example: sluice gate run leads.csv --agreement DPA-ENERGY01 --flow renewal_campaign --dry-run",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
