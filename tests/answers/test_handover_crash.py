"""Killed anywhere while an answer goes to a controller, a rerun finishes it: once, and never without its receipt."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from answers.giving import now
from answers.handing import ENERGY, SOLAR, asked, next_controllers
from answers.test_portability import GOING
from rights.town import DESK, Town, open_town, papers_of
from sluice.answers.handover import ask_handover, handed_to
from sluice.answers.handover_due import hand_owed
from sluice.ledger.verify import verify as verify_ledger
from sluice.rights.case.model import Case
from sluice.settings import Settings
from support.crash import Victim, dying
from support.effort import effort

POINTS = effort(3, 40)


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    settings = next_controllers(papers_of(store_settings, tmp_path, [ENERGY, SOLAR], *GOING), tmp_path)
    with open_town(settings, tmp_path, [ENERGY, SOLAR], POINTS + 2) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


@pytest.fixture
def victim(town: Town) -> Iterator[Victim]:
    with dying(town.desk.settings, "handover") as once:
        yield once


def wished(town: Town, number: int) -> Case:
    case = asked(town, number)
    ask_handover(town.house, case.case_id, "solar01", f"LETTER-{number}", now(), DESK)
    return case


def without_receipt(town: Town) -> list[str]:
    """Packages at their receiver whose receipt is not beside them."""
    keys = {item.key for item in town.house.objects.list_versions(town.desk.settings.bucket_exchange, f"{SOLAR}/")}
    return [key for key in keys if key.endswith(".zip") and f"{key}.receipt.json" not in keys]


def faults(town: Town, case: Case) -> list[str]:
    """What is not as it has to be of one case, once all is over."""
    objects, settings = town.house.objects, town.desk.settings
    handed = handed_to(town.house, case.case_id, "solar01")
    if len(handed) != 1 or not handed[0].is_there:
        return ["not handed over once"]
    opened = handed[0].opened
    there = [item.version_id for item in objects.list_versions(opened.bucket, opened.key) if item.key == opened.key]
    kept = list(objects.list_versions(settings.bucket_vault, f"_handed/{ENERGY}/exchange={opened.exchange_id}/"))
    closed = town.desk.sql(f"select count(*) as n from ledger.entry where exchange_id = '{opened.exchange_id}'")
    found = ["versions"] if len(there) != 1 else []
    found += ["kept"] if len(kept) != 1 else []
    return found + (["entries"] if closed[0]["n"] != 2 else [])


@pytest.mark.timeout(900)
@pytest.mark.slow
@pytest.mark.evidence
def test_killed_anywhere_it_is_handed_over_once_and_never_without_its_receipt(
    town: Town, victim: Victim, record_property: Callable[[str, object], None]
) -> None:
    wished(town, 0)
    _, steps = victim(0)
    killed, wrong = 0, list[str]()
    for number, point in enumerate(range(1, steps, max(1, steps // POINTS)), 1):
        if number > POINTS:
            break
        case = wished(town, number)
        died, _ = victim(point)
        killed += died
        wrong += without_receipt(town)
        town.house.conn.execute("update outbox set next_attempt_at = now() where done_at is null")
        hand_owed(town.house, now())
        wrong += [f"{point}: {fault}" for fault in faults(town, case)]

    assert wrong == [] and killed >= POINTS - 1
    assert verify_ledger(town.house.conn, public_pem=town.house.keyring.public_pem).valid
    record_property("SIGKILL while an answer goes to a controller", f"{killed} of {killed} finished by a rerun, once")
    key = f"{SOLAR}/outbound/portability/other.zip"
    town.house.objects.put(town.desk.settings.bucket_exchange, key, b"x", "application/zip")
    assert without_receipt(town) == [key], "control: one without its receipt is seen"
