"""The pages: what they show, to whom, in three languages, and nothing of a file becomes a script."""

import re
from collections.abc import Iterator
from html import unescape

import pytest

from sluice.documents.words import LANGUAGES
from sluice.web.pages.app import MOUNT
from support.desk import Desk
from web.house import Web, open_pages

SCRIPT = "<script>alert(1)</script>"
OTHER = ("telco01", "winback_campaign")
TEXT = re.compile(r"<[^>]+>")


@pytest.fixture(scope="module")
def scene(module_desk: Desk) -> Desk:
    """A desk that took in three files of energy01 and one of another principal."""
    path, _ = module_desk.campaign(40)
    module_desk.drop(path, "good.csv")
    module_desk.drop(b"no;contract\n1;2\n", f"{SCRIPT[1:-9]}.csv")
    module_desk.drop(b"a;b\n1;2\n", "theirs.csv", OTHER)
    module_desk.work()
    module_desk.drop(path, "waits.csv")
    module_desk.open_new()
    return module_desk


@pytest.fixture
def pages(scene: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A viewer at its pages."""
    with open_pages(scene, monkeypatch) as opened:
        yield opened.as_("vera:VIEWER")


def said(html: str) -> str:
    """The words of a page."""
    return " ".join(unescape(TEXT.sub(" ", html.replace("<wbr>", ""))).split())


def test_the_list_shows_every_exchange_and_what_it_is_narrowed_to(pages: Web) -> None:
    lines = pages.desk.lines()
    answer = pages.get("/exchanges?lang=en")
    assert answer.status_code == 200 and all(f"/exchanges/{line.id}?listed=true" in answer.text for line in lines)

    refused = pages.get("/exchanges?lang=en&decision=refused&principal=energy01&direction=inbound&since=2026-01-01")
    found = [line.id for line in lines if f"/exchanges/{line.id}" in refused.text]
    own = [line for line in lines if line.principal == "energy01"]
    assert found == [line.id for line in own if line.decision == "refused"] and len(found) == 1
    for nothing in ("since=2999-01-01", "direction=notice"):  # the second: an address of before
        assert "No exchange matches" in said(pages.get(f"/exchanges?lang=en&{nothing}").text)
    offered = re.findall(
        r'value="(\w*)"', answer.text.partition('<select name="direction">')[2].partition("</select>")[0]
    )
    assert offered == ["", "inbound", "internal", "outbound_return", "portability_access"]


def test_pages_follow_one_another_without_gap_or_double(pages: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluice.web.pages.exchanges.ON_A_PAGE", 1)
    seen, address = [], "/exchanges"
    while address:
        text = pages.get(address).text
        seen += re.findall(r'/exchanges/([0-9a-f-]{36})\?listed=true"', text)
        more = re.search(r'rel="next" href="([^"]+)"', text)
        address = unescape(more[1]).removeprefix(MOUNT) if more else ""
    assert seen == [line.id for line in pages.desk.lines()] and len(seen) == 4


def beside(pages: Web, address: str) -> dict[str, str]:
    """Where a page leads to, by ``prev`` and ``next``."""
    found = re.findall(r'rel="(prev|next)" href="([^"]+)"', pages.get(address).text)
    return {rel: unescape(to).removeprefix(MOUNT) for rel, to in found}


def walked(pages: Web, address: str, rel: str) -> list[str]:
    """The numbers of the exchanges that one reaches by always taking the same link."""
    seen = [address]
    while to := beside(pages, seen[-1]).get(rel):
        seen.append(to)
    return [re.findall("[0-9a-f-]{36}", each)[0] for each in seen]


def test_exchanges_follow_one_another_as_in_the_list_they_were_opened_from(pages: Web) -> None:
    lines = pages.desk.lines()
    order = [line.id for line in lines]
    assert walked(pages, f"/exchanges/{order[0]}?listed=true", "next") == order
    assert walked(pages, f"/exchanges/{order[-1]}?listed=true", "prev") == order[::-1]
    own = [line.id for line in lines if line.principal == "energy01"]
    assert walked(pages, f"/exchanges/{own[0]}", "next") == own and len(own) == 3, "of its own principal only"
    refused = "decision=refused&principal=energy01"
    listed = pages.get(f"/exchanges?lang=fr&{refused}&since=2026-01-01").text
    [link] = re.findall(r'href="[^"]+(/exchanges/[0-9a-f-]{36}[^"]+)"', listed)
    assert beside(pages, unescape(link)) == {}, "it is the only one that was refused"
    to = beside(pages, unescape(link).replace("decision=refused", "decision=accepted"))
    [accepted] = [line.id for line in lines if line.decision == "accepted"]
    [(_, address)] = to.items()
    kept = {"decision=accepted", "principal=energy01", "since=2026-01-01", "lang=fr", "listed=true"}
    assert accepted in address and {*address.partition("?")[2].split("&")} == kept


def test_who_may_not_see_exchanges_is_led_to_none(pages: Web) -> None:
    [first, *_] = pages.desk.lines()
    answer = pages.as_("somebody:").get(f"/exchanges/{first.id}?listed=true")
    assert answer.status_code == 403 and 'rel="' not in answer.text.partition("<body>")[2]


def test_an_exchange_says_what_its_receipt_says(pages: Web) -> None:
    [accepted] = [line for line in pages.desk.lines() if line.decision == "accepted"]
    for language in LANGUAGES:
        answer = pages.get(f"/exchanges/{accepted.id}?lang={language}")
        words = said(answer.text)
        assert answer.status_code == 200 and f'<html lang="{language}">' in answer.text
        assert all(word in words for word in (accepted.id, "energy01", "renewal_campaign"))
        pdf = pages.get(f"/exchanges/{accepted.id}/receipt.pdf")
        [kept] = [
            item for item in pages.desk.objects(pages.desk.settings.bucket_exchange)
            if item.key.endswith(f"{accepted.id}.pdf")
        ]  # fmt: skip
        assert pdf.content == pages.desk.house.objects.read(kept.bucket, kept.key), "the principal's own, byte for byte"


def test_what_is_not_decided_says_so_and_has_no_receipt(pages: Web) -> None:
    [waits] = [line for line in pages.desk.lines() if line.decision == "open"]
    assert "not decided yet" in said(pages.get(f"/exchanges/{waits.id}?lang=en").text)
    assert pages.get(f"/exchanges/{waits.id}/receipt.pdf").status_code == 404
    found = pages.get(f"/exchanges/find?number={waits.id[:8]}")
    assert found.status_code == 200 and found.url.path == f"{MOUNT}/exchanges/{waits.id}"


def test_an_error_is_a_page_with_its_code_and_nothing_of_the_request(pages: Web) -> None:
    for path, code in (
        ("/exchanges/00000000-0000-4000-8000-000000000000", "SLU-"),
        ("/exchanges/0470123456", "SLU-604"),
        ("/exchanges?since=0470123456", "SLU-607"),
        ("/exchanges?cursor=0470123456", "SLU-607"),
        ("/exchanges/find?number=%2B32470123456", "SLU-607"),
        ("/exchanges/find?number=0470123456", "SLU-604"),
        ("/exchanges?principal=%00", "SLU-607"),
        ("/nowhere", "SLU-604"),
    ):
        answer = pages.get(path)
        assert answer.status_code in (404, 422) and code in answer.text, path
        assert "470123456" not in answer.text
        assert answer.headers["content-type"].startswith("text/html")


def test_a_hostile_name_is_text_and_nothing_may_run(pages: Web) -> None:
    for path in ("/exchanges", *(f"/exchanges/{line.id}" for line in pages.desk.lines())):
        answer = pages.get(path)
        assert SCRIPT[:8] not in answer.text.partition("<body>")[2]
        policy = answer.headers["content-security-policy"]
        assert (
            "default-src 'none'" in policy and "unsafe" not in policy and answer.headers["cache-control"] == "no-store"
        )
        assert not re.search(r"\son\w+=|style=", answer.text)


def test_assets_are_kept_for_ever_under_the_name_of_their_content(pages: Web) -> None:
    names = re.findall(r'/assets/([\w.]+)"', pages.get("/exchanges").text)
    assert len(names) == 2
    for name in names:
        assert "immutable" in pages.get(f"/assets/{name}").headers["cache-control"]
    assert pages.get("/assets/sluice.css").status_code == 404
