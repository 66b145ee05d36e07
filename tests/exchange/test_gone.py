"""Whether anything of an erased person stayed is told without reading the index of every file that was accepted."""

from datetime import UTC, datetime

import polars as pl
import pytest

from sluice.exchange.persons.gone import find_gone
from sluice.exchange.persons.merged import merge_index
from sluice.exchange.persons.suppressed import keep_out
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.subject.suppression import Suppression
from sluice.terms import Principal
from support.desk import ENERGY, Desk, requests

pytestmark = pytest.mark.stores
ENERGY01, FILES = Principal(ENERGY[0]), 5


def ref_of(desk: Desk, number: str) -> str:
    [ref] = refs_of([parse_identifier(f"customer:{number}", 1)], desk.house.subject_key(ENERGY01), ENERGY01).values()
    return ref


def test_who_is_gone_costs_reads_of_the_files_that_name_them_only(desk: Desk) -> None:
    paths = [desk.campaign(20, seed)[0] for seed in range(1, FILES + 1)]
    for path in paths:
        desk.drop(path, path.name)
    desk.work()
    number = pl.read_csv(paths[0], separator=";", infer_schema=False)["customer_number"][0]
    here, gone, other = (ref_of(desk, each) for each in (number, "C-GONE", "C-OTHER"))
    erased, now = frozenset({here, gone}), datetime.now(UTC)
    keep_out(desk.house, ENERGY01, erased, Suppression.ERASED, cause="e", case_id=None, now=now)

    def reads() -> int:
        with requests(desk) as asked:
            assert find_gone(desk.house, ENERGY01, erased | {other}) == {gone}, "of one a row stayed, one is known well"
        return asked.count("GetObject")

    desk.unmerge()
    assert reads() == FILES + 1, "the control: the index of every file, and the rows of one"
    assert merge_index(desk.house, ENERGY01, now, fewest=1) == (FILES, 0)
    assert reads() == 2, "one merge instead of all"
