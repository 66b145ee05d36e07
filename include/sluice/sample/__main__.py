"""``python -m sluice.sample campaign --rows 1000 --seed 7 OUT``: write a sample file."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sluice.sample.faults import FaultPlan
from sluice.sample.files import write_campaign, write_subscribers


class Dataset(StrEnum):
    """Which file to write."""

    CAMPAIGN = "campaign"
    SUBSCRIBERS = "subscribers"


def write(
    dataset: Annotated[Dataset, typer.Argument(help="campaign (energy01) or subscribers (telecom01).")],
    out: Annotated[Path, typer.Argument(help="The file to write.")],
    rows: Annotated[int, typer.Option(min=0, help="How many records.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 1,
    faulty: Annotated[int, typer.Option(min=0, help="Rows of every kind of fault.")] = 0,
) -> None:
    """Write an invented file of a principal and print where its faults are.

    Example: python -m sluice.sample campaign --rows 1000 --seed 7 --faulty 2 campaign.csv
    """
    dates = faulty if dataset is Dataset.CAMPAIGN else 0
    plan = FaultPlan(faulty, faulty, dates, faulty, faulty, faulty)
    make = write_campaign if dataset is Dataset.CAMPAIGN else write_subscribers
    for one in make(out, rows, seed, faults=plan).placed:
        typer.echo(f"row {one.row}\t{one.fault}\t{one.column or ''}")


if __name__ == "__main__":
    typer.run(write)
