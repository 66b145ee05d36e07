"""Five9 keeps no update time: a correction that is as long as the call itself is known by the file it comes in."""

from pathlib import Path

import pytest

from support.copies import Copies
from support.night import AT_ONCE, Call, copied_night

pytestmark = pytest.mark.stores


@pytest.mark.parametrize("words", [("Sale", "Cancelled"), ("Cancelled", "Sale")])
def test_a_late_correction_is_returned_whatever_its_alphabet(
    copies: Copies, tmp_path: Path, words: tuple[str, str]
) -> None:
    with copied_night(copies, tmp_path, AT_ONCE) as night:
        (person,) = night.people(1)
        for number, word in enumerate(words):
            night.called(Call("c1", *person, disposition=word), name=f"{number}.csv")
            night.make()
        last, first = night.returns()
        assert [words[0] in night.file(first).decode(), words[1] in night.file(last).decode()] == [True, True]
        assert night.record(last).what.supersedes == first.id
