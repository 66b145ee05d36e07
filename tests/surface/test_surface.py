"""What somebody outside relies on is as the files beside this test say; `make surface` writes them anew."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

from answers.giving import WE_GIVE, give, read
from rights.town import Town, open_town, papers_of, swept
from sluice.rights.case.model import Action, Right
from sluice.rights.erasure.erase import run
from sluice.settings import Settings
from sluice.web.api import make_api
from support.copies import Copies
from support.golden import same_as_golden
from support.installation import CHECKOUT
from surface import collect
from web.house import running_apps

HERE = Path(__file__).parent
NAMES = ("energy01", "gas01")
CHANGING = re.compile(r"[0-9a-f]{8}[0-9a-f-]*|\d{4}-\d\d-\d\d")
"""Ids and days in the names of files."""


def check(name: str, surface: object) -> None:
    same_as_golden(HERE / f"{name}.json", collect.pretty(surface))


def test_commands_codes_settings_and_columns_are_those_of_before() -> None:
    check("commands", collect.commands())
    check("codes", collect.codes())
    check("settings", collect.settings())
    check("columns", collect.columns())
    check("entry_kinds", collect.entry_kinds())


def test_addresses_of_pages_and_of_the_api_and_its_document_are_those_of_before() -> None:
    check("addresses", collect.addresses(running_apps()))
    check("openapi", collect.without_prose(make_api().openapi()))


def test_dags_are_those_of_before() -> None:
    bag = DagBag(CHECKOUT / "dags")

    assert bag.import_errors == {}
    check("dags", collect.dags(bag))


def planted(settings: Settings, folder: Path) -> None:
    """Two persons came in and were returned; one was given what is known of them, one was erased."""
    with open_town(papers_of(settings, folder, NAMES, WE_GIVE), folder, NAMES, 3) as town:
        for name in NAMES:
            town.arrive(name, town.people)
        town.give_back(NAMES[0], town.people[:2])
        run(town.house, town.decided(town.people[1]).case_id, datetime.now(UTC))
        swept(town)


def test_tables_and_documents_are_those_of_before(copies: Copies, tmp_path: Path) -> None:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, NAMES, 3) as town:
        case = town.decided(town.people[0], Right.ACCESS, Action.GIVE)
        package = read(town.house, give(town.house, case.case_id))
        check("tables", collect.tables(town.house.conn))
        check("documents", documents(town) | shapes(("package", package.files)))


def documents(town: Town) -> dict[str, list[str]]:
    """The paths of every kind of JSON that a principal finds in its prefix, and of every kind of ledger entry."""
    bucket, objects = town.desk.settings.bucket_exchange, town.house.objects
    found = [
        (version.key.split("/")[1], {version.key: objects.read(bucket, version.key, version.version_id)})
        for version in objects.list_versions(bucket, "")
        if version.key.endswith(".json") and "/requests/" not in version.key
    ]
    entries = town.desk.sql("select kind, body from ledger.entry")
    return shapes(*found, *((f"entry {row['kind']}", {".json": bytes(row["body"])}) for row in entries))


def shapes(*found: tuple[str, Mapping[str, bytes]]) -> dict[str, list[str]]:
    """Paths by kind of document; ids in the names of files are left out."""
    paths = defaultdict[str, set[str]](set)
    for kind, contents in found:
        for name, content in contents.items():
            word = CHANGING.sub("ID", name.rpartition("/")[2].removesuffix(".json"))
            if name.endswith(".json"):
                paths[f"{kind} {word}".strip()] |= collect.shape(json.loads(content))
    return {kind: sorted(each) for kind, each in paths.items()}


def test_a_word_that_is_gone_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLUICE_GOLDEN", raising=False)
    before = collect.commands()
    path = tmp_path / "commands.json"
    path.write_text(collect.pretty(before))
    same_as_golden(path, collect.pretty(before))
    command = next(words for words, parameters in before.items() if parameters)

    with pytest.raises(AssertionError):
        same_as_golden(path, collect.pretty({**before, command: before[command][1:]}))
