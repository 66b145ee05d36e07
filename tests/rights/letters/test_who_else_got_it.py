"""The letter that comes with a copy of the data names who else got it, as the copy does (GDPR Art. 15(1)(c))."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from answers.giving import give, read
from answers.test_portability import GOING
from rights.changing import ALL_THE_PRINCIPALS, PRINCIPAL, center_decides_of_what_is_added
from rights.instructing import letter_text, of_center, swept
from rights.town import open_town, papers_of
from sluice.answers.model import AnswerKind
from sluice.documents.words import words
from sluice.rights.case.model import Action, Right
from sluice.rights.copies.answer_store import find_given
from sluice.settings import Settings
from support.night import AGREEMENT, Edit

ALSO = Edit(AGREEMENT, "recipients: []", "recipients: [Grid NV]")
SAY = words("nl").say


@pytest.mark.stores
@pytest.mark.parametrize(
    ("kind", "edits", "is_returned"),
    [
        (AnswerKind.ACCESS, (), True),
        (AnswerKind.PORTABILITY, GOING, True),
        (AnswerKind.PORTABILITY, GOING, False),
    ],
)
def test_the_letter_names_whom_the_answer_names(
    store_settings: Settings, tmp_path: Path, kind: AnswerKind, edits: Sequence[Edit], is_returned: bool
) -> None:
    """Control: of who was never in a return nobody is named."""
    also = (ALSO,) * is_returned
    with open_town(papers_of(store_settings, tmp_path, [PRINCIPAL], *also, *edits), tmp_path, [PRINCIPAL], 2) as town:
        town.arrive(PRINCIPAL, town.people)
        town.give_back(PRINCIPAL, town.people[: 2 if is_returned else 1])
        case = town.decided(town.people[1], kind.right, kind.action)
        package = read(town.house, give(town.house, case.case_id, kind))
        said = letter_text(town, swept(town, case)).splitlines()

    named = ["Energy One NV", "Grid NV"] if is_returned else []
    if kind is AnswerKind.ACCESS:
        [told] = package.json("access.json")["information"]
        assert told["recipients"] == named
    assert [each for each in ("Energy One NV", "Grid NV") if each in said] == named
    is_of_all = bool(edits)  # of an access only what the center decides of, which is nothing of who was never called
    assert (SAY("letter.recipients.none") in said) is (is_of_all and not is_returned)
    assert (SAY(f"letter.recipients.told.{kind.right}") in said) is is_returned
    assert SAY("letter.recipients.told") not in said, "nobody is told of it"


@pytest.mark.stores
def test_what_went_over_to_the_center_is_given_and_told_as_its_own(store_settings: Settings, tmp_path: Path) -> None:
    """Another version of the agreement gave the center what agents add; who got it before is named all the same."""
    papers = papers_of(store_settings, tmp_path, [PRINCIPAL], ALSO, *ALL_THE_PRINCIPALS)
    with open_town(papers, tmp_path, [PRINCIPAL], 2) as town:
        town.arrive(PRINCIPAL, town.people)
        town.give_back(PRINCIPAL, town.people)
        center_decides_of_what_is_added(town)
        case = town.decided(town.people[0], Right.ACCESS, Action.GIVE)
        package = read(town.house, give(town.house, case.case_id))
        given = find_given(town.house.conn, case.case_id)
        said = letter_text(town, swept(town, case)).splitlines()

    [told] = package.json("access.json")["information"]
    assert told["recipients"] == ["Energy One NV", "Grid NV"]
    assert {"Energy One NV", "Grid NV"} <= set(said)
    assert any("call_event" in name for name in package.files)
    assert given[of_center(case).sub_case_id] >= {"call_event", "recording_ref"}
    assert SAY("letter.untouched.give") not in said
