"""Writers that are killed, work side by side or are overtaken by a step leave one logged letter."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from types import CodeType

import pytest

from rights.letters.writing import LEGAL, NOW, asked, get, logged, lying, of_two, order
from rights.letters.writing import desk as desk  # the fixture
from sluice.db import connect
from sluice.exchange.house import open_house
from sluice.rights.case.model import CaseId, Letter, LetterKind, Remedies, State
from sluice.rights.case.steps import decide
from sluice.rights.letters.write import open_letter, write_letter
from support.crash import Steps
from support.desk import Desk
from support.dying import Victim, dying
from support.effort import effort

POINTS = effort(4, 60)


def test_four_workers_write_one_letter(desk: Desk) -> None:
    def write(case_id: CaseId) -> Letter:
        with open_house(desk.settings) as house:
            return write_letter(house, case_id, LetterKind.RECEIPT, NOW)

    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            case = asked(desk)
            letters = set(pool.map(write, [case.case_id] * 4))
            [letter] = letters
            assert lying(desk, case) == [
                ("receipt-case-nl.json.age", letter.document_version_id),
                ("receipt-case-nl.pdf.age", letter.version_id),
            ]
    assert len(logged(desk)) == 5


def test_what_would_be_told_is_asked_again_when_the_case_took_a_step_meanwhile(desk: Desk) -> None:
    case, (energy, telecom) = of_two(desk)
    refusal = order(LEGAL, reasons={"*": LEGAL}, remedies=Remedies("remedies.be", "nl"))
    decide(desk.house.conn, case.case_id, State.REFUSED, refusal, [energy.sub_case_id])

    class Meanwhile(Steps):
        """Somebody refuses the other part while the first object is being put."""

        def die(self, code: CodeType) -> None:
            sys.setprofile(None)
            with connect(desk.settings) as conn:
                decide(conn, case.case_id, State.REFUSED, refusal, [telecom.sub_case_id])

    meanwhile = Meanwhile(1, ("lake/s3/objects",))
    sys.setprofile(meanwhile)
    letter = write_letter(desk.house, case.case_id, LetterKind.REFUSAL, NOW)

    assert meanwhile.count == 1
    assert set(letter.sub_cases) == {energy.sub_case_id, telecom.sub_case_id}
    assert len(lying(desk, case)) == 2 and len(logged(desk)) == 1


@pytest.fixture
def victim(desk: Desk) -> Iterator[Victim]:
    """A process that writes a receipt until it is killed at a step. Call it with case, step."""
    with dying(desk.settings, "crash_letter.py") as once:
        yield once


@pytest.mark.timeout(900)
@pytest.mark.evidence
@pytest.mark.slow
def test_killed_anywhere_a_rerun_leaves_one_logged_letter(
    desk: Desk, victim: Victim, record_property: Callable[[str, object], None]
) -> None:
    _, steps = victim(asked(desk).case_id, 0)
    killed = whole = 0
    left: set[int] = set()
    for point in range(1, steps, max(1, steps // POINTS)):
        case = asked(desk)
        before = len(logged(desk))
        killed += victim(case.case_id, point)[0]
        left.add(len(lying(desk, case)))
        letter = write_letter(desk.house, case.case_id, LetterKind.RECEIPT, NOW)
        stands = get(desk, case)
        whole += (
            stands.state is State.ACKNOWLEDGED
            and stands.letters == (letter,)
            and len(logged(desk)) == before + 1
            and sha256(open_letter(desk.house, letter)).hexdigest() == letter.sha256
        )
        versions = {version for _, version in lying(desk, case)}
        assert versions >= {letter.version_id, letter.document_version_id}
        assert len(versions) == 2

    assert killed >= POINTS * 8 // 10
    assert len(left) > 1 and (POINTS < 14 or {0, 1, 2} <= left), "it died before, between and after the puts"
    assert whole == killed
    record_property("SIGKILL points of a letter, one logged letter after rerun", f"{whole} of {killed}")
