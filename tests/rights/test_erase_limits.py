"""A file that came in under a higher limit than the usual one is read again where somebody is looked for."""

from pathlib import Path

from sluice.exchange.job import widest_limits
from sluice.lake.table import Limits
from sluice.rights.erase_files import erase_in_file, find_in_file
from sluice.rights.erase_model import Column, Target
from sluice.settings import Settings
from sluice.subject.refs import refer
from sluice.terms import Principal, SubjectKind

KEY, MINE, OTHER = b"k" * 32, "0470123456", "0470123457"


def test_the_person_is_found_and_erased_within_the_limits_of_the_house_and_not_within_less(tmp_path: Path) -> None:
    source, edited = tmp_path / "came.csv", tmp_path / "edited.csv"
    source.write_text(f"phone;note\n{MINE};{'x' * 1_200_000}\n{OTHER};y\n")
    ref = refer(KEY, SubjectKind.PHONE, MINE).ref
    assert ref is not None
    target = Target(Principal("energy01"), KEY, frozenset({ref}), (MINE,), frozenset())
    columns = (Column("phone", SubjectKind.PHONE),)
    wide = widest_limits(Settings(most_cell_kb=2048))

    found = find_in_file(source, source.name, None, columns, target, wide)

    assert find_in_file(source, source.name, None, columns, target, Limits()) is None  # the control
    assert found is not None and found.records == (1,)
    erase_in_file(source, edited, found, None, target)
    assert edited.read_text() == f"phone;note\n{OTHER};y\n"
