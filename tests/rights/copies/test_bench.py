"""What lies in a bench's folder is known to every bench that works there."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rights.copies.test_merged import NUMBERS, filled
from rights.erasure.test_lead import asked_for
from rights.estate import ENERGY01, Estate, copied_estate
from sluice.ledger.copy_kinds import ARRIVED, LAKE
from sluice.rights.copies.bench import Bench, Held, open_bench
from sluice.rights.copies.copy_store import find_copies
from sluice.rights.copies.linked import look_in_copy
from sluice.rights.copies.model import Copy
from support.copies import Copies

NOBODYS = "f" * 32


@pytest.fixture
def estate(copies: Copies, tmp_path: Path) -> Iterator[Estate]:
    with copied_estate(copies, filled, tmp_path, **NUMBERS) as opened:
        yield opened


def has_its_bytes(bench: Bench, copy: Copy) -> bool:
    path = bench.fetch(copy)
    return path is not None and hashlib.sha256(path.read_bytes()).hexdigest() == copy.sha256


def test_a_bench_for_other_references_shares_what_lies_in_the_folder(estate: Estate) -> None:
    one, other = [copy for copy in find_copies(estate.house.conn, ENERGY01) if copy.kind == LAKE][:2]
    with open_bench(estate.house, asked_for(estate)["by phone"]) as bench:
        wider = replace(bench, target=replace(bench.target, refs=frozenset({NOBODYS})))
        assert has_its_bytes(bench, one) and has_its_bytes(wider, other) and has_its_bytes(bench, one)
        apart = replace(bench, held=Held(bench.held.last))
        assert has_its_bytes(apart, other) and not has_its_bytes(bench, one), "the control"


def test_another_question_about_the_same_file_gets_an_answer_of_its_own(estate: Estate) -> None:
    arrived = [copy for copy in find_copies(estate.house.conn, ENERGY01) if copy.kind == ARRIVED]
    with open_bench(estate.house, asked_for(estate)["by phone"]) as bench:
        nobody = replace(bench, target=replace(bench.target, refs=frozenset({NOBODYS}), values=()))
        rows = {}
        for copy in arrived:
            path = bench.fetch(copy)
            assert path is not None
            rows[copy.name] = look_in_copy(bench, copy, path)[1]
            assert look_in_copy(nobody, copy, path)[1] == 0
            assert look_in_copy(bench, copy, path)[1] == rows[copy.name]
        assert any(rows.values()), "the control"
