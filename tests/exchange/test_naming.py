"""File names that could name a person are withheld; ordinary ones are not."""

from pathlib import Path

import pytest

from sluice.errors import as_typed
from sluice.exchange.naming import NO_FLOW, is_safe_name, split_key, withheld_unless_safe
from sluice.terms import Flow

LEADS = Flow("leads")


NAMES: dict[str, list[str]] = {}
"""The lines of ``names.txt`` below each of its headings."""
for line in Path(__file__).with_name("names.txt").read_text(encoding="utf-8").splitlines():
    if line.startswith("# "):
        NAMES[line] = []
    else:
        [*NAMES.values()][-1].append(line.replace("\\n", "\n"))


def test_names_stand_in_records_or_are_withheld_or_refused() -> None:
    ordinary, numbers, unsafe = NAMES.values()
    for direction in ("inbound", "internal"):
        withheld, place = f"energy01/{direction}/leads/[name withheld]", f"energy01/{direction}/leads/"
        told = {name: withheld_unless_safe(place + name, LEADS) for names in NAMES.values() for name in names}
        assert [name for name in ordinary if told[name] != place + name] == []
        assert [name for name in (*numbers, *unsafe) if told[name] != withheld and "/" not in name] == []
    assert [name for name in (*ordinary, *numbers) if not is_safe_name(name)] == []
    assert len(unsafe) == 15 and [name for name in unsafe if is_safe_name(name)] == []


def test_what_we_named_ourselves_stands_in_records() -> None:
    key = "energy01/outbound/leads/returned-12345678.csv"
    assert withheld_unless_safe(key, LEADS) == key
    assert withheld_unless_safe(key.replace("outbound", "inbound"), LEADS) != key, "the control"


@pytest.mark.parametrize("folder", ["jan.peeters@x.example", "Jan Peeters", "0475123456", "", "é"])
def test_a_folder_that_could_name_a_person_is_no_flow_and_is_withheld(folder: str) -> None:
    key = f"energy01/inbound/{folder}/leads.csv"
    assert split_key(key)[2] == NO_FLOW
    assert withheld_unless_safe(key, LEADS) == "energy01/inbound/[name withheld]"


def test_the_folder_of_a_file_without_a_flow_is_withheld_however_plain_it_is() -> None:
    key = "energy01/inbound/janssens-peter/leads.csv"
    assert withheld_unless_safe(key, NO_FLOW) == "energy01/inbound/[name withheld]"
    assert withheld_unless_safe(key, Flow("janssens-peter")) == key


@pytest.mark.parametrize("typed", ["0470123456", "+32470123456", "Peeters", "an@inbox.example", "E12345678", ""])
def test_what_begins_no_id_is_not_repeated(typed: str) -> None:
    assert str(as_typed("case", typed)) == "case as given"


@pytest.mark.parametrize("typed", ["a", "0ee89616", "0ee89616-ab68", "0ee89616-ab68-4ffb-9b07-26c08c452874"])
def test_what_begins_an_id_is(typed: str) -> None:
    assert str(as_typed("case", typed)) == f"case {typed}"
