"""README and tutorial, from the first look to a person who was answered, on services that `sluice up` started."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from handbook.commands import HOUSE, commands_of, pages
from handbook.left_out import LEFT_OUT
from handbook.shell import Placeholders, Shell, follow
from sluice.sample.files import write_campaign
from support.installation import environment
from support.stores import guarded_var

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
ACTIVATE = ". .venv/bin/activate"
TUTORIAL = "docs/tutorial/first-exchange.md"
OPERATIONS = "docs/operations.md"
WITHOUT_AIRFLOW: Placeholders = {
    "sluice up": "sluice up --no-airflow",
    "sluice up --no-airflow": "sluice up --no-airflow",
}


@dataclass(frozen=True)
class Reader:
    """Somebody in a checkout whose services run, but for Airflow."""

    folder: Path
    command: Path
    shell: Shell

    def said(self, text: str) -> str:
        """Output of a command that the page does not show."""
        code, said = self.shell.run(text)
        assert code == 0, said
        return said.strip()

    def exchange(self) -> str:
        return self.said(f"sluice exchange list --format json | {first('exchanges', 'id')}")

    def case(self) -> str:
        return self.said(f"sluice case list --format json | {first('cases', 'case')}")[:8]

    def follow(self, page: str, placeholders: Placeholders) -> list[str]:
        commands = commands_of(pages()[page].read_text(encoding="utf-8"))
        activated = {ACTIVATE: f"{ACTIVATE}; PATH={self.command}:$PATH"}  # the quick one stays in front
        return follow(self.shell, commands, {**activated, **placeholders}, tuple(LEFT_OUT.get(page, ())))


LISTED = "sluice exchange list --format json"


def first(of: str, key: str) -> str:
    return f'python -c \'import json, sys; print(json.load(sys.stdin)["{of}"][0]["{key}"])\''


@pytest.fixture(scope="module")
def reader(command: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader of the tutorial, in whose checkout a file of contacts has crossed."""
    folder = tmp_path_factory.mktemp("checkout")
    for part in ("dags", "plugins", "config", "expectations", "docs", "airflow.cfg", ".venv"):
        (folder / part).symlink_to(HOUSE / part)
    (folder / "include").mkdir()
    for part in ("sluice", "mappings", "controllers"):
        (folder / "include" / part).symlink_to(HOUSE / "include" / part)
    shutil.copytree(HOUSE / "include" / "principals", folder / "include" / "principals")
    with guarded_var() as var:
        (folder / "var").symlink_to(var)
        given = environment(var) | {"SLUICE_HOME": str(folder)}
        given["PATH"] = f"{command}:{HOUSE / '.venv' / 'bin'}:{given['PATH']}"
        shell = Shell(folder, given)
        opened = Reader(folder, command, shell)
        opened.said("sluice up --no-airflow && sluice agreement activate")
        write_campaign(folder / "campaign.csv", 50, 1)
        opened.said(
            '(eval "$(sluice principal credential energy01)" && aws s3 cp campaign.csv'
            " s3://exchange/energy01/inbound/renewal_campaign/ && sluice exchange drain)"
        )
        yield opened
        shell.close()


def test_the_readme_shows_what_crossed(reader: Reader) -> None:
    wrong = reader.follow("README.md", {"7b0d3f1e": lambda: reader.exchange()[:8]})

    assert not wrong, "\n\n".join(wrong)


def test_the_tutorial_goes_from_two_papers_to_a_person_who_was_answered(reader: Reader) -> None:
    placeholders: Placeholders = {
        **WITHOUT_AIRFLOW,
        "7b0d3f1e-....json": lambda: f"{reader.exchange()}.json",
        "7b0d3f1e": lambda: reader.exchange()[:8],
        "5b1f0c2e": reader.case,
        "<number of the notice>": lambda: reader.said(
            "cat notices/*.json | python -c 'import json, sys; print(json.loads(sys.stdin.read())[\"case\"])'"
        ),
    }
    wrong = reader.follow(TUTORIAL, placeholders)

    assert not wrong, "\n\n".join(wrong)
    assert list((reader.folder / "answer").rglob("access.pdf"))


def test_a_backup_that_was_taken_as_the_page_says_can_be_put_back(reader: Reader) -> None:
    reader.said("unset AWS_ENDPOINT_URL AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY")  # of the shop
    before: list[tuple[str, str]] = []
    emptied: list[str] = []

    def kept() -> str:
        before.append((reader.said(LISTED), reader.said("sluice ledger verify --format json")))
        return "pg_dump"

    def restored() -> str:
        emptied.append(reader.said(LISTED))
        return "pg_restore"

    lost = {"mv var var.lost": "mkdir var.lost && mv var/* var.lost/", "mkdir var": "true"}
    wrong = reader.follow(OPERATIONS, {**WITHOUT_AIRFLOW, **lost, "pg_dump": kept, "pg_restore": restored})

    assert not wrong, "\n\n".join(wrong)
    assert json.loads(emptied[0])["exchanges"] == []  # the control: all of it had gone
    assert (reader.said(LISTED), reader.said("sluice ledger verify --format json")) == before[0]
    assert json.loads(before[0][0])["exchanges"]
    reader.said("sluice subject where phone:0470000003")  # what it found lies in the store, under its old versions
