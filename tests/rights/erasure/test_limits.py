"""A file that came in under a higher limit than the usual one is read again where somebody is looked for; what swells
beyond all limits is not."""

import gzip
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from scan.pdfs import pdf_bomb
from sluice.exchange.judging.job import widest_limits
from sluice.lake.table import FileLimits
from sluice.rights.copies.files import erase_in_file, find_in_file, hides_something, names_person
from sluice.rights.copies.model import Column, Target
from sluice.scan.readers import Most
from sluice.settings import Settings
from sluice.subject.key import SubjectKey
from sluice.subject.refs import refer
from sluice.terms import Principal, SubjectKind

KEY, MINE, OTHER = SubjectKey(b"k" * 32), "0470123456", "0470123457"


def test_the_person_is_found_and_erased_within_the_limits_of_the_house_and_not_within_less(tmp_path: Path) -> None:
    source, edited = tmp_path / "came.csv", tmp_path / "edited.csv"
    source.write_text(f"phone;note\n{MINE};{'x' * 1_200_000}\n{OTHER};y\n")
    ref = refer(KEY, SubjectKind.PHONE, MINE).ref
    assert ref is not None
    target = Target(Principal("energy01"), KEY, frozenset({ref}), (MINE,), frozenset())
    columns = (Column("phone", SubjectKind.PHONE),)
    wide = widest_limits(Settings(most_cell_kb=2048))

    found = find_in_file(source, source.name, None, columns, target, wide)

    assert find_in_file(source, source.name, None, columns, target, FileLimits()) is None  # the control
    assert found is not None and found.records == (1,)
    erase_in_file(source, edited, found, None, target)
    assert edited.read_text() == f"phone;note\n{OTHER};y\n"


def test_a_refused_file_that_nobody_can_read_within_limits_hides_something(tmp_path: Path) -> None:
    """So it goes whole; and the process of the erasure never opens what swells."""
    target = Target(Principal("energy01"), b"", frozenset(), ("0470123456",), frozenset())
    bomb, said = tmp_path / "bomb.pdf", tmp_path / "said.gz"
    bomb.write_bytes(pdf_bomb(200))
    said.write_bytes(gzip.compress(bytes(8 << 20) + b"0470123456"))
    before = getrusage(RUSAGE_SELF).ru_maxrss

    assert hides_something(bomb, target, Most(memory_mb=256)) and not names_person(bomb, target, Most(memory_mb=256))
    assert names_person(said, target, Most()), "the control: what swells is read"
    assert getrusage(RUSAGE_SELF).ru_maxrss - before < 128 << 10
