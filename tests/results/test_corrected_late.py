"""Five9 keeps no update time: a correction that is as long as the call itself is known by the file it comes in."""

import pytest

from support.night import AT_ONCE, Call, copied_night

pytestmark = pytest.mark.stores


def test_a_late_correction_is_returned_whatever_its_alphabet(copies, tmp_path):
    with copied_night(copies, tmp_path, AT_ONCE) as night:
        one, other = night.people(2)
        for number, words in enumerate((("Sale", "Cancelled"), ("Cancelled", "Sale"))):
            calls = [Call(f"c{at}", *who, disposition=words[at]) for at, who in enumerate((one, other))]
            night.called(*calls, name=f"{number}.csv")
            night.make()
        last, first = night.returns()
        for made, words in ((first, ("Sale", "Cancelled")), (last, ("Cancelled", "Sale"))):
            lines = night.file(made).decode().splitlines()
            for who, word in zip((one, other), words, strict=True):
                assert [word in line for line in lines if who[0] in line] == [True]
        assert night.record(last).what.supersedes == first.id
