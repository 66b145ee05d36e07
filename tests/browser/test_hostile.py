"""S-25: what is called like a script is shown as text, on every page and in every answer, with and without the CSP."""

from collections.abc import Iterator
from functools import partial

import pytest
from jinja2 import Environment
from playwright.sync_api import BrowserContext, Route

from browser.house import Site
from browser.payloads import PAYLOADS
from sluice.exchange.read import list_exchanges
from support.effort import chosen, effort
from support.installation import Record
from web.permissions import PAGES, QUERIES, filled, lines

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CAUGHT = "window.alert = () => { (window.top.caught ??= []).push(location.href); };"
COUNT = "(window.caught ?? []).length"
FILES = ("receipt.json", ".pdf", ".pem", ".svg", "/file", "/draft")
"""What a browser puts aside instead of showing it."""
LANGUAGES = effort(("nl",), ("nl", "fr", "en"))


def addresses(site: Site) -> Iterator[str]:
    """Every address that a browser can open, about every kind of exchange, in every language."""
    every = list_exchanges(site.desk.house.conn)
    kinds = {(line.decision, line.reason_code): line.id for line in every}
    accepted = next(line.id for line in every if line.decision == "accepted")
    for line in lines():
        if line.method != "GET" or line.view == "-":
            continue
        for exchange in kinds.values() if "{exchange_id}" in line.address else [accepted]:
            values = {
                "exchange_id": exchange,
                "agreement_id": "DPA-ENERGY01",
                "article": "30.1",
                "principal": "energy01",
            }
            if set(_names(line.address)) - values.keys() or line.address.endswith(FILES):
                continue
            query = "&".join(f"{n}={filled(v, values)}" for n, v in QUERIES.get(line.address, {}).items())
            for language in LANGUAGES:
                yield f"{filled(line.address, values)}?lang={language}&{query}"


def _names(address: str) -> list[str]:
    return [part.partition("}")[0] for part in address.split("{")[1:]]


def executed(context: BrowserContext, address: str) -> tuple[int, str]:
    """How often something ran at an address, and what stands there."""
    page = context.new_page()
    page.goto(address)
    page.wait_for_timeout(20)
    ran, text = page.evaluate(COUNT), page.content()
    page.close()
    return ran, text


@pytest.mark.evidence
@pytest.mark.parametrize("has_policy", [True, False])
def test_nothing_that_is_stored_runs(hostile_site: Site, has_policy: bool, record_property: Record) -> None:
    context = hostile_site.context(bypass_csp=not has_policy)
    context.add_init_script(CAUGHT)
    every = [*addresses(hostile_site)]
    lists = [each for each in every if each.startswith((f"{PAGES}/exchanges?", f"{PAGES}/roles?"))]
    opened = [executed(context, address) for address in [*lists, *chosen(every, 4)]]
    context.close()

    assert [ran for ran, _ in opened if ran] == []
    shown = [payload for payload in PAYLOADS if any(_as_text(payload) in text for _, text in opened)]
    assert len(shown) >= 40, "they are really there, as text"
    told = "with the policy" if has_policy else "without the policy"
    record_property(
        f"hostile content, {told}: executed",
        f"0 of {len(PAYLOADS)} payloads in every text of an agreement, 60 columns and 60 file names, "
        f"{len(opened)} pages and answers",
    )


def _as_text(payload: str) -> str:
    """Escape text as a browser does when it writes a page out again."""
    return payload.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@pytest.mark.evidence
def test_the_payloads_run_where_nothing_is_escaped(hostile_site: Site, record_property: Record) -> None:
    context, ran = hostile_site.context(), 0
    context.add_init_script(CAUGHT)
    careless = Environment(autoescape=False).from_string("<!doctype html><title>x</title><p>{{ said }}</p>")
    tried = chosen(PAYLOADS, 6)
    for payload in tried:
        page = context.new_page()
        body = careless.render(said=payload)
        page.route("**/careless", partial(Route.fulfill, content_type="text/html; charset=utf-8", body=body))
        page.goto("/careless")
        page.wait_for_timeout(150)
        ran += bool(page.evaluate(COUNT))
        page.close()
    context.close()
    assert ran >= len(tried) * 5 // 6
    record_property(
        "hostile content, the control: payloads that run in a page that escapes nothing", f"{ran} of {len(tried)}"
    )
