"""Names with characters that XML does not have: every version is found under the name it has."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from lake.test_pages import place
from sluice.errors import NotFound
from sluice.lake.s3.versions import ListingCut, versions_of

__all__ = ["place"]
pytestmark = pytest.mark.stores
NO_XML = (
    "jan\x01é.csv", "jan\x02é.csv", "jan\ufffdé.csv", "jané.csv", "a\x1b b\x07.csv", "\uffff.csv", "x\t\n\r\x7f.csv",
)  # fmt: skip


def test_every_version_is_listed_and_removed_under_the_name_it_can_be_read_by(place):
    put = {name: [place.put(name, f"{n} {name}".encode()) for n in (1, 2)] for name in NO_XML}
    listed = place.listed()
    assert listed == {(version, name) for name, versions in put.items() for version in versions}
    for version, name in listed:
        read = place.objects.read(place.bucket, place.prefix + name, version).decode()
        assert read == f"{1 + put[name].index(version)} {name}"
    for name, (first, second) in put.items():
        place.objects.delete_others(place.bucket, place.prefix + name, frozenset({second}))
        left = {version for version, _ in place.listed()}
        assert first not in left and second in left, name
    assert len(left) == len(NO_XML)


def test_of_what_is_deleted_the_name_cannot_be_told(place):
    place.put("jan\x01.csv")
    place.delete("jan\x01.csv")
    [(version, name)] = place.listed()
    assert name == "jan\ufffd.csv"
    with pytest.raises(NotFound):
        place.objects.read(place.bucket, place.prefix + name, version)


def test_a_page_that_ends_on_such_a_name_leaves_nothing_out(place):
    """A listing goes on where the page before ended, and a server is not told that in XML either."""
    put = {(name, place.put(name)) for name in ["\x01.csv"] * 9 + ["customers.csv", "é.csv"]}
    assert set(place.in_pages(8)) == put
    mine = {version for name, version in put if name == "\x01.csv"}
    assert versions_of(place.s3, place.bucket, f"{place.prefix}\x01.csv", 8) == mine
    place.delete("\x01.csv")
    with pytest.raises(ListingCut, match="NAME_UNSAID"):  # only its older versions say where the page ended
        place.in_pages(8)


def test_behind_a_thousand_files_such_names_and_a_flow_beside_them_are_listed_by_the_store(place):
    """At the size of the server's own pages."""
    names = [f"contacts/{number:04}.csv" for number in range(1_001)]
    odd = ("\x01", "z\x01", "z\x02", *(f"{number:04}\x01" for number in range(990, 1000)))  # the thousandth is one
    names += ["contacts-b2b/one.csv", *(f"contacts/{each}.csv" for each in odd)]
    with ThreadPoolExecutor(8) as pool:
        put = set(zip(pool.map(place.put, names), names, strict=True))
    assert place.listed() == put
    assert len(place.plain(1000)) < len(put), "the control"


def test_where_the_name_of_a_folder_cannot_be_told_nothing_below_is_said(place):
    """Its one file is deleted, so that only its older version says that there is a folder."""
    for name in ("x\x01y/one.csv", *(f"{number}.csv" for number in range(9))):
        place.put(name)
    assert len(place.in_pages(6)) == 10  # the control
    place.delete("x\x01y/one.csv")
    with pytest.raises(ListingCut, match="NAME_UNSAID"):
        place.in_pages(6)
