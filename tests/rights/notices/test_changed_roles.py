"""Who got data while another decided of them is told of their erasure all the same (GDPR Art. 19)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.changing import ADDED, ALL_THE_PRINCIPALS, PRINCIPAL, center_decides_of_what_is_added
from rights.town import open_town, papers_of, swept
from sluice.rights.erasure.erase import run
from sluice.rights.notices.notice_store import list_notices
from sluice.settings import Settings
from support.night import Edit

STILL_ITS_OWN = frozenset({"disposition", "note_free_text"})
"""What its files of contacts bring too, so that it goes on deciding of what was its own."""
pytestmark = pytest.mark.stores


@pytest.mark.parametrize("before", [ALL_THE_PRINCIPALS, ALL_THE_PRINCIPALS[:1]], ids=["of-nothing", "of-staff"])
def test_after_what_agents_add_went_over_to_the_center_the_principal_is_told_that_it_went(
    store_settings: Settings, tmp_path: Path, before: Sequence[Edit]
) -> None:
    """``before``: what the center decided of when the return was made."""
    with open_town(papers_of(store_settings, tmp_path, [PRINCIPAL], *before), tmp_path, [PRINCIPAL], 2) as town:
        town.arrive(PRINCIPAL, town.people)
        town.give_back(PRINCIPAL, town.people)
        center_decides_of_what_is_added(town)
        case = town.decided(town.people[0])
        report = run(town.house, case.case_id, datetime.now(UTC))
        swept(town)
        told = list_notices(town.house.conn, case_id=case.case_id, limit=None)

    assert (report.residual, report.doubts) == (0, 0), "all went"
    assert [each.recipient for each in told] == [PRINCIPAL]
    assert set(told[0].field_groups) >= ADDED - STILL_ITS_OWN
    assert STILL_ITS_OWN.isdisjoint(told[0].field_groups), "nobody is told of what it decided itself"
