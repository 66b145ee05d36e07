"""Every page there is, by its address, with what it needs to be looked at."""

from browser.house import Site
from sluice.exchange.read import list_exchanges
from sluice.rights.case.store import list_cases
from web.permissions import PAGES, PARAMETER, QUERIES, filled, lines

NOT_PAGES = ("/assets/{name}", ".pdf", ".json", ".pem", ".svg", "/find", "/file", "/draft", "/candidates")
"""Ends of addresses under the pages that are files, lead to a page, or are there for a case that waits only."""
WAITING = {
    "returns": "select exchange_id::text as id from exchange where prepared_at is not null and released_at is null",
    "acknowledgements": "select exchange_id::text as id from acknowledgement",
    "reviews": "select exchange_id::text as id from exchange where rows_to_review > 0",
    "notices": "select notice_id::text as id from notice where state = 'OWED'",
}
"""What waits, by the address of its page."""


def pages(site: Site) -> dict[str, tuple[int, bool]]:
    """Every page there is: a line of the permission table is enough to be looked at here.

    With its status, and whether there is nothing to be seen on it.
    """
    kinds = {line.decision: line.id for line in list_exchanges(site.desk.house.conn)}
    cases = {case.right: case.case_id for case in list_cases(site.desk.house.conn)}
    usual = {"agreement_id": "DPA-ENERGY01", "article": "30.1", "exchange_id": kinds["accepted"]}
    found = {}
    for line in lines():
        if line.method != "GET" or not line.address.startswith(PAGES) or line.address.endswith(NOT_PAGES):
            continue
        [name] = PARAMETER.findall(line.address) or [""]
        if line.address.startswith(f"{PAGES}/waiting/") and name:
            [*values] = (str(row["id"]) for row in site.desk.sql(WAITING[line.address.split("/")[4]]))
        else:
            values = {"exchange_id": [*kinds.values()], "case_id": [*cases.values()]}.get(name, [usual.get(name, "")])
        assert values, line.address
        for value in values:
            whole = usual | {name: value}
            query = "&".join(f"{n}={filled(v, whole)}" for n, v in QUERIES.get(line.address, {}).items())
            is_empty = line.address.startswith(f"{PAGES}/lineage/") and value == kinds["open"]
            found[f"{filled(line.address, whole)}?{query}"] = 200, is_empty
    return found | {f"{PAGES}/exchanges?since=2199-01-01": (200, True), f"{PAGES}/nowhere": (404, False)}


def line_of(site: Site, direction: str, decision: str) -> str:
    """The newest exchange that fits these conditions."""
    every = list_exchanges(site.desk.house.conn)
    return next(line.id for line in every if (line.direction, line.decision) == (direction, decision))
