"""Who, where and until when, as a record answers it: only who was in force that day, and nobody who got nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sluice.agreement.folder.load import load_agreement
from sluice.exchange.early_refusal import countries_without_basis
from sluice.ledger.record import ExchangeRecord
from sluice.settings import Settings, get_settings
from sluice.times import brussels_today
from support.desk import Desk, open_desk
from support.night import AGREEMENT, Edit, with_papers

PRINCIPALS = get_settings().principals_dir
OURS = """    - name: Object Store BV
      kbo: null
      address: "Voorbeeldkade 3, Amsterdam"
      contact: {role: privacy desk, email: privacy@store.example}
      processing: storage of exchanged files
      countries: [NL]
      transferBasis: null
      validFrom: 2026-01-01
      validTo: null
"""


def processor(name: str, country: str, first: int, last: int | None) -> str:
    """A sub-processor in force from and until so many days from today."""
    days = [brussels_today() + timedelta(days=each) for each in (first, last or 0)]
    text = OURS.replace("Object Store BV", name).replace("[NL]", f"[{country}]").replace("2026-01-01", str(days[0]))
    return text if last is None else text.replace("validTo: null", f"validTo: {days[1]}")


@contextmanager
def a_desk(settings: Settings, folder: Path, *edits: Edit) -> Iterator[Desk]:
    with open_desk(with_papers(settings, folder, *edits), folder) as desk:
        yield desk


def record_of(desk: Desk, content: bytes | Path, name: str = "file.csv") -> ExchangeRecord:
    dropped = desk.drop(content, name)
    desk.work()
    found = desk.shown(dropped).record
    assert found is not None
    return found


def test_only_sub_processors_of_that_day_and_their_countries_are_named(
    store_settings: Settings, tmp_path: Path
) -> None:
    listed = (
        processor("Over BV", "IT", -60, -1),
        processor("Last Day BV", "DE", -60, 0),
        processor("First Day BV", "FR", 0, None),
        processor("Not Yet BV", "ES", 1, None),
    )
    with a_desk(store_settings, tmp_path, Edit(AGREEMENT, OURS, "".join(listed))) as desk:
        record = record_of(desk, desk.campaign(20)[0])
    assert record.who.sub_processors == ("Last Day BV", "First Day BV")
    assert record.who.countries == ("BE", "DE", "FR")


@pytest.mark.parametrize(
    ("first", "last", "forbidden"), [(-9, None, {"US"}), (0, 0, {"US"}), (-9, -1, set()), (1, None, set())]
)
def test_a_country_without_a_basis_forbids_on_the_days_of_its_sub_processor_and_on_no_other(
    first: int, last: int | None, forbidden: set[str]
) -> None:
    agreement, today = load_agreement(PRINCIPALS / "energy01" / AGREEMENT), brussels_today()
    until = None if last is None else today + timedelta(days=last)
    abroad = replace(
        agreement.sub_processors[0],
        countries=("NL", "US"),
        transfer_basis=None,
        valid_from=today + timedelta(days=first),
        valid_to=until,
    )
    assert countries_without_basis(replace(agreement, sub_processors=(abroad,)), today) == forbidden
    based = replace(abroad, transfer_basis="https://w3id.org/dpv/legal/eu/gdpr#A46-2-c")
    assert countries_without_basis(replace(agreement, sub_processors=(based,)), today) == set()


def test_a_record_says_what_happens_at_the_end_of_the_agreement_and_a_refused_file_went_to_nobody(
    store_settings: Settings, tmp_path: Path
) -> None:
    with a_desk(store_settings, tmp_path, Edit(AGREEMENT, "recipients: []", "recipients: [Grid NV]")) as desk:
        taken = record_of(desk, desk.campaign(20)[0])
        refused = record_of(desk, b"a;b\n1;2\n", "other.csv")
        center = desk.settings.center
    assert taken.how_long.at_contract_end == refused.how_long.at_contract_end == "delete within 30 days"
    assert (taken.decision, taken.who.recipients) == ("accepted", (center, "Grid NV"))
    assert (refused.decision, refused.who.recipients) == ("refused", (center,))
