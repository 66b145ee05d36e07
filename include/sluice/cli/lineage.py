"""``sluice lineage``: where it came from and what became of it."""

from dataclasses import asdict
from typing import Annotated

import typer

from sluice.cli.output import Format, FormatOption, show_json, show_table
from sluice.errors import Ref, UsageError

app = typer.Typer(
    help="Where data came from and what became of it.",
    epilog="Example: sluice lineage show --exchange 7b0d3f1e-5a52-4c7e-9a0e-2f5f0c3d8e11",
    no_args_is_help=True,
)

ExchangeOption = Annotated[str | None, typer.Option("--exchange", help="Id of a closed exchange.")]
ObjectOption = Annotated[
    str | None, typer.Option("--object", help="s3://bucket/key, with ?versionId= for one version.")
]


@app.callback()
def topic() -> None:
    """Where data came from and what became of it."""


@app.command("show")
def show(exchange: ExchangeOption = None, object: ObjectOption = None, format: FormatOption = Format.TABLE) -> None:
    """Show what an exchange or an object is made of and what was made of it; origins of the columns of returns.

    Example: sluice lineage show --object s3://exchange/energy01/outbound/renewal_results/renewal_results_2026-11-24.csv
    """
    from sluice.db import connect
    from sluice.lineage.trace import trace_exchange, trace_object
    from sluice.settings import get_settings

    if (exchange is None) == (object is None):
        raise UsageError(Ref("option", "one of --exchange and --object"))
    with connect(get_settings()) as conn:
        trace = trace_exchange(conn, exchange) if exchange else trace_object(conn, object or "")
    if format is Format.JSON:
        show_json(asdict(trace.graph) | {"paths": trace.paths, "origins": [asdict(each) for each in trace.origins]})
        return
    show_table("Nodes", ("kind", "name"), [(node.kind, node.label) for node in trace.graph.nodes])
    show_table("Edges", ("from", "does", "to"), [(edge.source, edge.verb, edge.target) for edge in trace.graph.edges])
    show_table("Ways of the data", ("way",), [(" > ".join(path),) for path in trace.paths])
    if trace.origins:
        rows = [(each.exchange, each.column, each.field_group, each.source, each.origin) for each in trace.origins]
        show_table("Columns of returns", ("exchange", "column", "group", "source", "origin"), rows)
