"""Codes, counts and signs of the pages have words beside them, in the spelling of each language."""

import re

import pytest

from sluice.documents.returned import held_sentence
from sluice.documents.words import LANGUAGES, words
from support.night import Night
from web.desk_work import said
from web.house import Web

pytestmark = pytest.mark.stores
NOTHING = "\N{EN DASH}"
NARROW = "\N{NARROW NO-BREAK SPACE}"


@pytest.fixture
def pages(at_work: Web) -> Web:
    """Bert, a clerk, at the pages."""
    return at_work.as_("bert:USER")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_waits_is_told_in_words_with_its_code(pages: Web, night: Night, language: str) -> None:
    say = words(language)
    today = said(pages.get(f"/start?lang={language}").text)
    [row] = night.desk.sql("select exchange_id::text as id from exchange where rows_to_review > 0")
    review = pages.get(f"/waiting/reviews/{row['id']}?lang={language}").text
    [code] = set(re.findall(r"<code>(TEXT_\w+)</code>", review))
    assert f"{held_sentence(say, code)} {code}" in said(review) and f"{held_sentence(say, code)} {code}" in today
    assert f"{say.say('warning.SEED_OWNER_NO_SIGN_OFF')} SEED_OWNER_NO_SIGN_OFF" in today

    night.desk.house.conn.execute("update sub_case set forwarded_at = now() where track = 'processor'")
    forwarded = night.desk.sql("select case_id::text as id from sub_case where forwarded_at is not null")
    case = said(pages.get(f"/cases/{forwarded[0]['id']}?lang={language}").text)
    begin = say.say("pages.forwarded", moment="|").partition("|")[0]
    assert f"✓ {begin}" in case


def test_rows_of_a_file_that_was_not_read_are_not_counted(pages: Web, night: Night) -> None:
    def cells(number: str) -> list[str]:
        text = pages.get("/exchanges?lang=en").text.partition(f"/exchanges/{number}")[2].partition("</tr>")[0]
        return re.findall(r'class="number"[^>]*>([^<]*)<', text)

    refused = next(line for line in night.desk.lines() if line.decision == "refused")
    night.desk.house.conn.execute(
        "update exchange set rows_in = 0, rows_refused = 0 where exchange_id = %s", (refused.id,)
    )
    [accepted] = [line for line in night.desk.lines() if (line.direction, line.decision) == ("inbound", "accepted")]
    assert cells(refused.id) == [NOTHING, NOTHING] and cells(accepted.id) == ["40", "40"]
    night.desk.house.conn.execute(
        "update exchange set rows_in = 1, rows_refused = 1 where exchange_id = %s", (refused.id,)
    )
    assert cells(refused.id) == ["1", "0"], "the control"


def test_the_exchanges_of_a_breach_are_links(pages: Web, night: Night) -> None:
    [line] = [each for each in night.desk.lines() if (each.direction, each.decision) == ("inbound", "accepted")]
    text = pages.get(f"/breach?exchange={line.id}&lang=en").text
    fact = text.partition("<dt>Exchanges</dt>")[2].partition("</dd>")[0]
    assert f'href="/sluice/pages/exchanges/{line.id}?lang=en"' in fact and f"<code>{line.id}</code>" in fact


def test_a_colon_is_written_as_each_language_does(pages: Web) -> None:
    for language, colon in (("fr", f"{NARROW}:"), ("nl", ":"), ("en", ":")):
        say = words(language)
        today = pages.get(f"/start?lang={language}").text
        assert f"{say.say('pages.matter.all')}{colon} " in today, language
    assert "Tout:" not in pages.get("/start?lang=fr").text
    assert not re.search("klok (van|in) Brussel", pages.get("/staff?lang=nl").text)
