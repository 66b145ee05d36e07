"""Two principals at the API: a person in the files of both, a return of one, a file refused, a file that waits."""

from pathlib import Path

from rights.town import open_town, papers_of
from sluice.settings import Settings

NAMES = ("energy01", "gas01")


def planted(settings: Settings, folder: Path) -> None:
    """Fills an installation. Person 0: in the file of both and in the return of one; 1: in one file; 2: waits."""
    with open_town(papers_of(settings, folder, NAMES), folder, NAMES, 3) as town:
        one, other, late = town.people
        town.arrive("energy01", [one, other])
        town.arrive("gas01", [one])
        town.give_back("energy01", [one])
        town.desk.drop(b"no;contract\n1;2\n", "refused.csv", ("energy01", "renewal_campaign"))
        town.desk.work()
        line = f"{late.record('energy01')};{late.line}"
        town.desk.drop(f"{town.head}\n{line}\n".encode(), "waits.csv", ("energy01", "renewal_campaign"))
        town.desk.open_new()
