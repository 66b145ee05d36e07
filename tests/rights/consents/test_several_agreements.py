"""Somebody may take consent back for a purpose of any agreement that holds, not of the youngest one alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from returns.commands import at_terminal
from rights.consents.test_told import CONSENTED, ENERGY, IRI, cases, imported, row, withdraw
from rights.instructing import swept
from rights.town import Town, open_town, papers_of
from sluice.exchange.persons.suppressed import find_reasons
from sluice.rights.case.model import Track
from sluice.rights.notices.to_controller import notice_key
from sluice.rights.person.identifiers import parse_identifier
from sluice.rights.person.whom import all_refs_at
from sluice.settings import Settings
from support.night import AGREEMENT, change

OTHER = "https://w3id.org/dpv#ServiceProvision"


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """A second agreement began later; renewal, which rests on consent, is a purpose of the first one only."""
    settings = papers_of(store_settings, tmp_path, [ENERGY], *CONSENTED)
    papers = settings.principals_dir / ENERGY
    more = papers / "agreement-other-3.0.0.yaml"
    more.write_text((papers / AGREEMENT).read_text(encoding="utf-8"), encoding="utf-8")
    for old, new in (
        ("agreementId: DPA-ENERGY01", "agreementId: DPA-ENERGY02"), ("supersedes: 2.4.0", "supersedes: null"),
        ("validFrom: 2026-01-01\nvalidTo: null\ndoc", "validFrom: 2026-02-01\nvalidTo: null\ndoc"),
        ("code: P-RENEW", "code: P-SERVICE"), (IRI, OTHER),
    ):  # fmt: skip
        change(more, old, new)
    with open_town(settings, tmp_path, [ENERGY], 3) as opened, at_terminal(opened.desk, monkeypatch):
        opened.arrive(ENERGY, opened.people)
        yield opened


def test_a_withdrawal_for_a_purpose_of_the_older_agreement_is_kept_and_told(town: Town, tmp_path: Path) -> None:
    """GDPR Art. 7(3)."""
    one, other, third = town.people
    withdraw(one)
    [case] = cases(town)
    [part] = [
        each
        for each in swept(town, case).sub_cases
        if (each.agreement_id, each.track) == ("DPA-ENERGY01", Track.PROCESSOR)
    ]
    said = json.loads(town.house.objects.read(town.desk.settings.bucket_exchange, notice_key(part)))
    assert (said["purposes"], said["channel"]) == ([IRI], "voice")

    assert imported(tmp_path, row(other))["refused"] == 0
    assert len(cases(town)) == 2
    out = [
        find_reasons(
            town.house,
            ENERGY,
            all_refs_at(town.house, (parse_identifier(f"customer:{each.record(ENERGY)}", 1),), ENERGY),
        )
        for each in (one, other, third)
    ]
    assert out == [("consent_withdrawn",), ("consent_withdrawn",), ()]
