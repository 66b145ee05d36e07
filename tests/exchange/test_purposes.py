"""One purpose under two bases: an exchange is recorded for that which its columns rest on, and for no other."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sluice.registers.make import make_register
from sluice.registers.model import Article
from sluice.settings import Settings
from sluice.times import brussels_today
from support.desk import ENERGY, Desk, open_desk
from support.night import AGREEMENT, change, with_papers

MAIL = """    - code: P-RENEW-MAIL
      iri: "https://w3id.org/dpv#DirectMarketing"
      text:
        nl: Klanten mailen over de verlenging, met hun toestemming.
        fr: Écrire aux clients, avec leur consentement.
        en: Mail customers about the renewal, with their consent.
      legalBasis: "https://w3id.org/dpv/legal/eu/gdpr#A6-1-a"
      basisHolder: principal
      channels: [email]
    - code: P-CARE
"""


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    settings = with_papers(store_settings, tmp_path)
    change(settings.principals_dir / ENERGY[0] / AGREEMENT, "    - code: P-CARE\n", MAIL)
    with open_desk(settings, tmp_path) as opened:
        yield opened


def test_the_record_names_the_purposes_that_a_column_is_for(desk: Desk) -> None:
    dropped = desk.drop(desk.campaign(20)[0])
    desk.work()

    record = desk.shown(dropped).record

    assert record is not None
    assert [(each.code, each.legal_basis[-6:]) for each in record.why.purposes] == [("P-RENEW", "A6-1-f")]


def test_a_register_counts_the_exchange_for_that_purpose_alone(desk: Desk) -> None:
    desk.drop(desk.campaign(20)[0])
    desk.work()

    tomorrow = brussels_today() + timedelta(days=1)
    register = make_register(desk.house.conn, desk.settings, Article.PROCESSOR, tomorrow, datetime.now(UTC))

    counts = {row.key.purpose: row.exchanges for row in register.rows if row.key.principal == ENERGY[0]}
    assert counts["P-RENEW"] == 1
    assert counts["P-RENEW-MAIL"] == 0, "declared, and never used"
