"""File names that could name a person are withheld; ordinary ones are not."""

import pytest

from sluice.errors import as_typed
from sluice.exchange.naming import NO_FLOW, is_safe_name, split_key, withheld_unless_safe
from sluice.terms import Flow

LEADS = Flow("leads")


ORDINARY = [
    "campaign.csv",
    "campaign_20261125.csv",
    "campaign-20261125T0600.csv",
    "export_202611250600.csv",
    "export_20261125060000.csv",
    "export-1764050400.csv",
    "export-1764050400123.csv",
    "Q4.v2.xlsx",
    "campaign_2026-11-25_06.00.csv",
    "leads-v1.2.3.csv",
]


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_names_are_safe(name: str) -> None:
    assert is_safe_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "jan.peeters@post.example.csv",
        "0475123456.csv",
        "32475123456.csv",
        "85073003328.csv",
        "Jan_Peeters_78.03.04-123.45.csv",
        "BE68-5390-0754-7034.csv",
        "Jan Peeters/leads.csv",
        "claim jan peeters.csv",
        "../other/file.csv",
        "%2e%2e.csv",
        ".hidden.csv",
        "a" * 201,
        "é.csv",
        "x\n.csv",
        "",
    ],
)
def test_names_that_could_name_a_person_or_a_path_are_not(name: str) -> None:
    assert not is_safe_name(name)
    assert (
        withheld_unless_safe(f"energy01/inbound/leads/{name}", LEADS) == "energy01/inbound/leads/[name withheld]"
        or "/" in name
    )


@pytest.mark.parametrize(
    "name",
    [
        "E17470000.csv",
        "17470000.csv",
        "174700.csv",
        "E17-47-00-00.csv",
        "E-1747-0000.csv",
        "20261125_17470000.csv",
        "E17470000_20261125060000.csv",
        "20261125-17470000-20261125.csv",
        "AB12CD34EF56.csv",
        "2026112517470000.csv",
        "20269925.csv",
    ],
)
@pytest.mark.parametrize("direction", ["inbound", "internal"])
def test_a_name_that_may_be_a_customers_number_is_read_and_stands_in_no_record(name: str, direction: str) -> None:
    assert is_safe_name(name)
    assert withheld_unless_safe(f"energy01/{direction}/leads/{name}", LEADS) == (
        f"energy01/{direction}/leads/[name withheld]"
    )


@pytest.mark.parametrize(
    "name",
    [
        *ORDINARY,
        "2026-11-25_1.csv",
        "week_2026_48_part_12.csv",
        "01-12-2026.csv",
        "20261125_060000_v2.csv",
        "202611.csv",
        "part-12345.csv",
    ],
)
def test_dates_times_and_short_numbers_stand_in_records(name: str) -> None:
    key = f"energy01/inbound/leads/{name}"
    assert withheld_unless_safe(key, LEADS) == key


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
