"""``sluice lineage``: where it came from and what became of it."""

from dataclasses import asdict
from typing import Annotated

import typer

from sluice.cli.output import Format, FormatOption, show_json, show_table
from sluice.errors import NotFound, Ref
from sluice.terms import ExchangeId

app = typer.Typer(
    help="Where data came from and what became of it.",
    epilog="Example: sluice lineage show --exchange 7b0d3f1e-5a52-4c7e-9a0e-2f5f0c3d8e11",
    no_args_is_help=True,
)

ExchangeOption = Annotated[str, typer.Option("--exchange", help="Id of a closed exchange.")]


@app.callback()
def topic() -> None:
    """Where data came from and what became of it."""


@app.command("show")
def show(exchange: ExchangeOption, format: FormatOption = Format.TABLE) -> None:
    """Show the lineage of one exchange: sender, file, paper, copies, recipients.

    Example: sluice lineage show --exchange 7b0d3f1e-5a52-4c7e-9a0e-2f5f0c3d8e11
    """
    from sluice.db import connect
    from sluice.ledger.append import find_entry
    from sluice.ledger.model import EntryKind
    from sluice.ledger.record import ExchangeRecord
    from sluice.lineage.graph import graph_of
    from sluice.settings import get_settings

    with connect(get_settings()) as conn:
        entry = find_entry(conn, _id(exchange), EntryKind.EXCHANGE_CLOSED)
    if entry is None:
        raise NotFound(Ref("closed exchange", exchange))
    graph = graph_of(ExchangeRecord.model_validate_json(entry.body))
    if format is Format.JSON:
        show_json(asdict(graph))
        return
    show_table("Nodes", ("kind", "name"), [(node.kind, node.label) for node in graph.nodes])
    show_table("Edges", ("from", "does", "to"), [(edge.source, edge.verb, edge.target) for edge in graph.edges])


def _id(text: str) -> ExchangeId:
    """A UUID in any spelling, as the ledger writes it. Raises NotFound for anything else."""
    from uuid import UUID

    try:
        return ExchangeId(str(UUID(text)))
    except ValueError:
        pass
    raise NotFound(Ref("closed exchange", "with an id that is no UUID"))
