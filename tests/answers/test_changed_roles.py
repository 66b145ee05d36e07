"""What may be taken along stays so when the agreement gives it to another controller while it lies here (Art. 20)."""

from pathlib import Path

import pytest

from answers.giving import now
from answers.test_portability import GOING
from rights.changing import PRINCIPAL, each_decides_of_its_copy
from rights.instructing import of_center
from rights.town import DESK, open_town, papers_of
from sluice.answers.decide import decide_portability
from sluice.rights.case.model import Action, Right
from sluice.settings import Settings
from sluice.terms import SubjectKind

pytestmark = pytest.mark.stores


@pytest.mark.parametrize("is_before", [True, False], ids=["change-then-file", "file-then-change"])
def test_what_became_the_centers_is_decided_as_its_own(
    store_settings: Settings, tmp_path: Path, is_before: bool
) -> None:
    """Control: of a file that came after the change."""
    with open_town(papers_of(store_settings, tmp_path, [PRINCIPAL], *GOING), tmp_path, [PRINCIPAL], 2) as town:
        if is_before:
            each_decides_of_its_copy(town)
        town.arrive(PRINCIPAL, town.people)
        if not is_before:
            each_decides_of_its_copy(town)
        given = [(SubjectKind.PHONE, town.people[0].phone)]
        case = town.opened(Right.PORTABILITY, given, PRINCIPAL)
        case, lines = decide_portability(town.house, case.case_id, now(), DESK)

    assert {"financial", "consent"} <= {line.group for line in lines if line.included}
    assert of_center(case).action is Action.EXPORT
    assert {"financial", "consent"} <= set(of_center(case).action_fields)
    assert "note_free_text" not in of_center(case).action_fields, "control: opinions of agents are refused"
