"""One logged letter, whoever writes beside or is killed; by command it is in the file asked for and nowhere else."""

import json
import stat
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from types import CodeType

import pytest

from returns.commands import at_terminal, sluice
from rights.letters.writing import LEGAL, NOW, asked, get, logged, lying, of_two, order
from rights.letters.writing import desk as desk  # the fixture
from sluice.db import connect
from sluice.exchange.house import open_house
from sluice.rights.case.model import CaseId, Letter, LetterKind, Remedies, State
from sluice.rights.case.steps import decide
from sluice.rights.letters.write import open_letter, write_letter
from sluice.rights.schedule import follow
from support.crash import Steps, Victim, dying
from support.desk import Desk
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
    with dying(desk.settings, "letter") as once:
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


def test_a_letter_by_command_is_in_the_file_asked_for_and_nowhere_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = asked(desk)
    target, elsewhere = desk.folder / "out" / "brief.pdf", desk.folder / "out"
    elsewhere.mkdir()
    with at_terminal(desk, monkeypatch):
        assert sluice("case", "letters", case.case_id[:8]).document == {
            "case": case.case_id,
            "letters": [],
            "owed": ["receipt"],
        }
        done = sluice("case", "letter", case.case_id[:8], "--kind", "receipt", "--to", str(target), "--by", "anna")
        listed = sluice("case", "letters", case.case_id).document
        shown = sluice("case", "show", case.case_id).document
        french = sluice("case", "letter", case.case_id, "--kind", "receipt", "--lang", "fr", "--to",
                        str(elsewhere / "lettre.json"))  # fmt: skip

    assert (done.exit, done.document["state"], done.document["file"]) == (0, "ACKNOWLEDGED", str(target))
    assert sha256(target.read_bytes()).hexdigest() == done.document["sha256"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert (listed["owed"], [each["sha256"] for each in listed["letters"]]) == ([], [done.document["sha256"]])
    assert listed["letters"][0]["opened_at"] is not None
    assert shown["letters"] == listed["letters"]
    assert [step["by"] for step in shown["steps"] if step["to"] == "ACKNOWLEDGED"] == ["anna"]
    assert json.loads((elsewhere / "lettre.json").read_bytes())["language"] == french.document["language"] == "fr"
    assert {path.name for path in elsewhere.iterdir()} == {"brief.pdf", "lettre.json"}
    in_clear = [
        item.key
        for bucket in ("exchange", "internal", "lake", "vault", "evidence")
        for item in desk.objects(getattr(desk.settings, f"bucket_{bucket}"))
        if b"%PDF" in desk.house.objects.read(item.bucket, item.key, item.version_id)
    ]
    assert in_clear == []


def test_a_letter_that_nobody_took_out_is_listed_until_somebody_does(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, other = asked(desk), asked(desk)
    follow(desk.house, NOW)
    with at_terminal(desk, monkeypatch):
        waiting = [each["case"] for each in sluice("case", "letters").document["letters"]]
        (desk.folder / "x.pdf").mkdir()
        nowhere = sluice(
            "case", "letter", case.case_id, "--kind", "receipt", "--to", str(desk.folder / "x.pdf"), "--by", "anna"
        )
        still = [each["case"] for each in sluice("case", "letters").document["letters"]]
        (desk.folder / "x.pdf").rmdir()
        take = ("case", "letter", case.case_id, "--kind", "receipt", "--to", str(desk.folder / "x.pdf"), "--by", "anna")
        assert [sluice(*take).exit, sluice(*take).exit] == [0, 0]
        left = [each["case"] for each in sluice("case", "letters").document["letters"]]

    assert (nowhere.error, still) == ("SLU-306", waiting), "what has no place to go was not taken out"
    assert (set(waiting), left) == ({case.case_id, other.case_id}, [other.case_id])
    opened = desk.sql("select convert_from(body, 'utf8') as body from ledger.entry where kind = 'case.letter_opened'")
    assert [json.loads(str(row["body"]))["by"] for row in opened] == ["anna", "anna"]
    assert len(desk.sql("select 1 from case_letter_opened")) == 2


def test_the_desk_decides_and_the_letter_is_there(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    case = asked(desk, now=datetime.now(UTC))  # the command line takes steps at the time that it is
    with at_terminal(desk, monkeypatch):
        sluice("case", "identity", case.case_id)
        extended = sluice("case", "extend", case.case_id, "--reason", "A12Complexity")
        refuse = ("--refuse", "A17LegalClaims", "--remedies", "remedies.be")
        assert sluice("case", "decide", case.case_id, *refuse).exit == 0
        kinds = [each["kind"] for each in sluice("case", "letters", case.case_id).document["letters"]]
    assert extended.document["extended"] is True
    assert kinds == ["extension", "refusal"]


def test_a_letter_that_cannot_be_asked_for_has_its_code(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    case, to = asked(desk), str(desk.folder / "brief.pdf")
    with at_terminal(desk, monkeypatch):
        for words, code in (
            (("--kind", "postcard", "--to", to), "SLU-304"),
            (("--kind", "receipt", "--to", str(desk.folder / "brief.docx")), "SLU-304"),
            (("--kind", "receipt", "--to", str(desk.folder / "nowhere" / "brief.pdf")), "SLU-305"),
            (("--kind", "receipt", "--to", str(desk.folder / f"{'b' * 300}.pdf")), "SLU-306"),
            (("--kind", "receipt", "--to", to, "--lang", "de"), "SLU-304"),
            (("--kind", "completion", "--to", to), "SLU-571"),
        ):
            assert sluice("case", "letter", case.case_id, *words).error == code
        assert sluice("case", "letter", "00000000", "--kind", "receipt", "--to", to).exit == 1
        assert sluice("case", "letters", "00000000").exit == 1
    assert not (desk.folder / "brief.pdf").exists()
    assert get(desk, case).letters == ()
