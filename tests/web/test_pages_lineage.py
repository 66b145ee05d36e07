"""The picture of lineage: of an exchange and of a person, as of a moment, for a reader with and without eyes."""

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from documents.samples import EXCHANGE, a_record
from lineage.test_drawing import OTHER, a_night
from rights.test_journey import NAMES
from rights.town import Town
from sluice.documents.words import LANGUAGES, words
from sluice.ledger.record import InputLine
from sluice.lineage.drawing import Fate, draw
from sluice.lineage.follow import Followed
from sluice.rights.case.model import Case
from sluice.rights.erasure.certificate import issue
from sluice.rights.erasure.erase import run
from sluice.web.pages.app import MOUNT
from sluice.web.pages.lineage import write_svg
from web.house import Web, open_pages

GOLDEN = Path(__file__).parent / "golden" / "lineage.svg"
AT = datetime(2026, 11, 26, 9, tzinfo=UTC)
BEFORE = "as_of=2020-01-01T10:00"
SVG = "{http://www.w3.org/2000/svg}"


def followed(*changed: object) -> Followed:
    records = changed or a_night()
    return Followed(AT, frozenset({EXCHANGE}), tuple(records), Fate(), draw(records, [EXCHANGE]))  # type: ignore[arg-type]


def test_the_picture_is_the_one_that_was_looked_at() -> None:
    """After a change that is meant: look at the new picture, then write it here."""
    made = write_svg(followed(), words("en"), "Lineage of a file", "center")
    assert made == GOLDEN.read_text(encoding="utf-8")
    assert made != write_svg(followed(a_record()), words("en"), "Lineage of a file", "center")


def test_a_picture_of_its_own_needs_nothing_else() -> None:
    for language in LANGUAGES:
        made = write_svg(followed(), words(language), "T", "center")
        root = ET.fromstring(made)
        style = root.find(f"{SVG}style")
        assert (
            style is not None and style.text and "prefers-color-scheme: dark" in style.text and "#14161b" in style.text
        )
        assert not re.search(r"var\(|light-dark|url\(|href|@import|<script", made)
        assert root.find(f"{SVG}title") is not None and root.get("lang") == language
        assert "pages." not in made, "every word is there"


def test_a_hostile_name_of_a_file_is_text() -> None:
    key = "energy01/inbound/renewal/</text><script>alert(1)</script>.csv"
    made = write_svg(followed(a_record(key=key)), words("en"), "<b>", "center")
    root = ET.fromstring(made)
    assert not [each for each in root.iter() if each.tag in (f"{SVG}script", f"{SVG}b")]
    assert "&lt;script&gt;alert(1)" in made or "script&gt;.csv" in made


def test_rows_that_waited_lead_from_where_they_lay_to_the_file_they_came_back_in() -> None:
    for language in LANGUAGES:
        say, made = (
            words(language),
            InputLine(
                exchange_id=EXCHANGE, kind="review", bucket="vault", key="held", version_id="v", sha256="ab" * 32
            ),
        )
        back = a_record(exchange_id=OTHER, key="energy01/inbound/renewal/review-a-1.ndjson", inputs=(made,))
        ends = {"source": say.say("pages.lineage.kept.aside"), "target": "review-a-1.ndjson"}
        said = say.say("pages.lineage.arrow.held", **ends)

        assert said in titles(write_svg(followed(a_record(), back), say, "T", "center"))
        alone = a_record(exchange_id=OTHER, key=back.what.key)
        assert said not in titles(write_svg(followed(a_record(), alone), say, "T", "center")), "control"


@pytest.mark.parametrize(("center", "shown"), [("center", "contact center"), ("acme", "acme")])
def test_the_center_is_drawn_as_itself_whatever_its_code_is(center: str, shown: str) -> None:
    back = a_night()[3]
    record = back.model_copy(
        update={"who": back.who.model_copy(update={"sender": center, "recipients": (center, "energy01", "gridco")})}
    )
    found = followed(record.model_copy(update={"what": record.what.model_copy(update={"inputs": ()})}))
    assert {f"From: {shown}. we ourselves", f"To: {shown}. we ourselves", "To: gridco. further recipient"} <= titles(
        write_svg(found, words("en"), "T", center)
    )
    assert f"From: {shown}. further recipient" in titles(write_svg(found, words("en"), "T", "else"))


def titles(made: str) -> set[str]:
    return set(re.findall(r"<title>(.*?)</title>", made))


def drawn(text: str) -> Any:
    """The picture in a page."""
    [svg] = re.findall(r'<svg class="lineage"[^>]*role="group".*?</svg>', text, re.DOTALL)
    return ET.fromstring(svg.replace("&nbsp;", " "))


def copies(text: str) -> list[bool]:
    """Of every copy that is drawn in a page whether it is dashed."""
    found = [set(link.find("rect").get("class").split()) for link in drawn(text).findall("a")]
    return ["gone" in each for each in found if each & {"file", "kept", "aside"}]


def named(pages: Web, direction: str) -> str:
    return next(line.id for line in pages.desk.lines() if line.direction == direction and line.principal == "energy01")


@pytest.mark.stores
def test_the_page_of_an_exchange_shows_where_its_file_went(pages: Web) -> None:
    came, back = named(pages, "inbound"), named(pages, "outbound_return")
    for path in (f"/exchanges/{came}", f"/lineage/{came}"):
        page = pages.get(f"{path}?lang=en").text
        links = drawn(page).findall("a")
        assert {f"{MOUNT}/exchanges/{each}?lang=en" for each in (came, back)} <= {link.get("href") for link in links}
        assert all(link.get("aria-label") and link.find("title") is not None for link in links)
        assert "roles flip here" in page
        assert back[:8] in page.partition("<details>")[2], "the table says the same"
        assert not re.search(r"\son\w+=|style=|<style", page)


@pytest.mark.stores
def test_every_column_of_a_return_is_told_apart_by_its_origin(pages: Web) -> None:
    page = pages.get(f"/lineage/{named(pages, 'outbound_return')}?lang=en").text
    assert "contacts.phone" in page and "added by our staff" in page and ", echoed" in page
    assert "added by our staff" not in pages.get(f"/lineage/{named(pages, 'inbound')}?lang=en").text


@pytest.mark.stores
def test_a_moment_shows_what_was_there_then(pages: Web) -> None:
    came, back = named(pages, "inbound"), named(pages, "outbound_return")
    closed = next(line.closed_at for line in pages.desk.lines() if line.id == came)
    assert closed is not None
    then = closed.isoformat().replace("+", "%2B")
    page = pages.get(f"/lineage/{came}?lang=en&as_of={then}").text
    assert came in page and back[:8] not in page and back[:8] in pages.get(f"/lineage/{came}?lang=en").text

    assert "There was nothing yet" in pages.get(f"/lineage/{came}?lang=en&{BEFORE}").text
    assert pages.get(f"/lineage/{came}/picture.svg?{BEFORE}").status_code == 404
    assert pages.get("/lineage?as_of=0470123456x").status_code == 422


@pytest.mark.stores
def test_it_is_larger_without_a_script(pages: Web) -> None:
    came = named(pages, "inbound")
    sizes = [float(drawn(pages.get(f"/lineage/{came}?zoom={zoom}").text).get("width")) for zoom in (100, 200)]
    assert sizes[1] == 2 * sizes[0] and pages.get(f"/lineage/{came}?zoom=12").status_code == 422


@pytest.mark.stores
def test_without_the_layout_program_the_table_says_it(pages: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    came, back = named(pages, "inbound"), named(pages, "outbound_return")
    monkeypatch.setattr("sluice.lineage.layout.PROGRAM", "no-such-program")
    for path in (f"/exchanges/{came}", f"/lineage/{came}"):
        answer = pages.get(path)
        assert answer.status_code == 200 and "SLU-474" in answer.text and 'role="group"' not in answer.text
        assert back[:8] in answer.text.partition("<details>")[2]
    answer = pages.get(f"/lineage/{came}/picture.svg")
    assert answer.status_code >= 500 and "SLU-474" in answer.text


@pytest.mark.stores
def test_the_file_is_an_attachment(pages: Web) -> None:
    answer = pages.get(f"/lineage/{named(pages, 'inbound')}/picture.svg?lang=fr")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert ET.fromstring(answer.text).get("lang") == "fr"


@pytest.fixture
def pages(town_pages: Web) -> Web:
    return town_pages


@pytest.fixture
def case(town: Town) -> Case:
    return town.ask(town.people[0])


@pytest.mark.stores
def test_a_person_is_followed_by_the_number_of_their_case(pages: Web, town: Town, case: Case) -> None:
    for language in LANGUAGES:
        path = f"/lineage/person/{case.case_id}?lang={language}"
        answer = pages.get(path)
        person = town.people[0]
        shown = set(re.findall(r"/exchanges/([0-9a-f-]{36})", answer.text))

        assert answer.status_code == 200 and shown == {line.id for line in pages.desk.lines() if line.rows_accepted}
        assert len(drawn(answer.text).findall("a")) > 10 and "pages." not in unescape(
            re.sub(r"<[^>]+>", " ", answer.text)
        )
        for value in (person.phone, person.phone.lstrip("0"), *(person.record(name) for name in NAMES)):
            assert value not in answer.text
        assert pages.get(f"{path}&{BEFORE}").text.count("/exchanges/") == 0
        assert pages.get(f"/lineage/person/{case.case_id}/picture.svg").status_code == 200


@pytest.mark.stores
def test_a_picture_that_leaves_something_out_says_so(pages: Web, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/lineage/person/{case.case_id}"
    for is_cut in (False, True):
        if is_cut:
            monkeypatch.setattr("sluice.lineage.follow.MOST", 1)
        for language in LANGUAGES:
            say, text = words(language).say, unescape(pages.get(f"{path}?lang={language}").text)
            told = (say("pages.lineage.cut", count="1"), say("pages.lineage.person.more", count="1"))
            assert [each in text for each in told] == [is_cut] * 2
            assert (told[0] in unescape(pages.get(f"{path}/picture.svg?lang={language}").text)) is is_cut


@pytest.mark.stores
def test_only_somebody_else_is_in_their_own_picture(pages: Web, town: Town) -> None:
    other = town.ask(town.people[1])
    text = pages.get(f"/lineage/person/{other.case_id}").text
    assert {line.id for line in pages.desk.lines() if line.id in text} == {named(pages, "inbound")}


@pytest.mark.stores
def test_a_picture_of_what_is_not_there_is_not_found(pages: Web) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    for path in (f"/lineage/{unknown}", f"/lineage/person/{unknown}", "/lineage/find?number=0470123456"):
        assert pages.get(path).status_code == 404 and "470123456" not in pages.get(path).text


@pytest.mark.stores
def test_after_an_erasure_its_own_case_still_says_where_the_person_was(
    own_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, moment = own_town.decided(own_town.people[0]), datetime.now(UTC)
    path, number = f"/lineage/person/{case.case_id}", str(case.case_id)[:8]
    titles = {language: [words(language).say(f"pages.lineage.person.title{end}", case=number) for end in ("", ".was")]
              for language in LANGUAGES}  # fmt: skip
    with open_pages(own_town.desk, monkeypatch) as opened:
        pages = opened.as_("vera:VIEWER")
        held = {line.id for line in pages.desk.lines() if line.rows_accepted}
        for language, shown in titles.items():
            text = pages.get(f"{path}?lang={language}").text
            assert [each in unescape(text) for each in shown] == [True, False] and not any(copies(text)), "decided only"

        assert run(own_town.house, case.case_id, moment).residual == 0
        for language, shown in titles.items():
            text = unescape(pages.get(f"{path}?lang={language}").text)
            assert [each in text for each in shown] == [False, True]
            assert words(language).say("pages.lineage.legend.cleared") in text
            before = unescape(pages.get(f"{path}?lang={language}&{BEFORE}").text)
            assert shown[0] in before, "as of a moment before it"
        text = pages.get(f"{path}?lang=en").text
        assert {each for each in held if each in text} == held, "noted before the index was edited"
        assert "Where the person of case" in text and "no certificate has been issued" in text.lower()
        issued = issue(own_town.house, case.case_id)
        text = pages.get(f"{path}?lang=en").text
        assert issued and all(each.key.rpartition("/")[2].removesuffix(".json") in text for each in issued)
        assert all(f"Erased at {each.principal} on" in text for each in issued)
        assert copies(text) and all(copies(text)), "every copy that the erasure worked on"
        file = pages.get(f"{path}/picture.svg?lang=en").text
        assert " was</title>" in file and "person erased" in file

        again = f"/lineage/person/{own_town.ask(own_town.people[0]).case_id}?lang=en"
        assert "In 0 exchanges" in pages.get(again).text, "a new case knows nothing of it"
        other = f"/lineage/person/{own_town.ask(own_town.people[1]).case_id}?lang=en"
        assert "no index says" not in pages.get(other).text
        own_town.desk.drop(b"this is\x00no table", "odd.csv", ("energy01", "renewal_campaign"))
        own_town.desk.work()
        assert "Of 1 exchange no index says who is in it" in pages.get(other).text
