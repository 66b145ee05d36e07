"""File names that could name a person are withheld; ordinary ones are not."""

import pytest

from sluice.exchange.naming import is_safe_name, withheld_unless_safe


@pytest.mark.parametrize(
    "name",
    [
        "campaign.csv",
        "campaign_20261125.csv",
        "campaign-20261125T0600.csv",
        "export_202611250600.csv",
        "export_20261125060000.csv",
        "export-1764050400.csv",
        "export-1764050400123.csv",
        "Q4.v2.xlsx",
    ],
)
def test_ordinary_names_are_safe(name: str) -> None:
    assert is_safe_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "jan.peeters@post.example.csv",
        "0475123456.csv",
        "32475123456.csv",
        "85073003328.csv",
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
        withheld_unless_safe(f"energy01/inbound/leads/{name}") == "energy01/inbound/leads/[name withheld]"
        or "/" in name
    )
