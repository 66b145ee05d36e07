"""Four eyes are two persons: who writes a name otherwise is nobody else, and whoever has a name can act."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from returns.commands import at_terminal, sluice
from rights.asking import assessed
from sluice.dial.dncm import import_numbers
from sluice.dial.make import make_dial_list
from sluice.dial.model import Channel, Request
from sluice.exchange.house import House
from sluice.ledger.names import NameInvalid
from sluice.returns.acks import acknowledge as acknowledge_return
from sluice.rights.case.model import Actor, CaseId, Right, Role
from sluice.rights.case.steps import desk_order
from sluice.rights.confirm_candidate import confirm_candidate
from sluice.rights.notices.answers import acknowledge, note_sent
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.tidy import tidy_case
from sluice.terms import Flow, Principal, SubjectKind
from support.copies import Copies
from support.night import Night, copied_night, three_returned

ANNA = "Anna Maes"
LOOK_ALIKE = "Anna \u041caes"
"""Its M is Cyrillic."""
PROOF = "ab" * 32


@pytest.fixture
def night(copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    with (
        copied_night(copies, tmp_path, fill=three_returned) as opened,
        at_terminal(opened.desk, monkeypatch),
    ):
        yield opened


def case_of(night: Night) -> CaseId:
    """A case that the center has not decided yet."""
    record, phone = night.people(3)[1]
    return assessed(night, phone, record).case_id


def actors(night: Night) -> set[str]:
    return {str(row["actor"]) for row in night.desk.sql("select actor from case_transition")}


def now() -> datetime:
    return datetime.now(UTC)


def test_a_name_with_accents_decides_and_releases_and_no_look_alike_does(night: Night) -> None:
    case = case_of(night)
    before = actors(night)
    own = sluice("case", "decide", case, "--accept", "erase", "--by", LOOK_ALIKE)
    assert (own.exit, own.error, actors(night)) == (2, "SLU-308", before)

    assert sluice("case", "decide", case, "--accept", "erase", "--by", "E\u0301lodie  Maes").exit == 0
    assert actors(night) - before == {"Élodie Maes"}
    assert sluice("erase", "plan", case, "--by", "carl").exit == 0
    for same in ("Élodie Maes", "ÉLODIE MAES", "e\u0301lodie maes"):
        assert sluice("erase", "release", case, "--by", same).error == "SLU-556", "she decided"
    for like in ("Élodie M\u0430es", "\u0415\u0301lodie Maes", "Élodie Ma\u0435s", "Élod\u0131e M\u0251es"):
        assert sluice("erase", "release", case, "--by", like).error == "SLU-308"
    released = sluice("erase", "release", case, "--by", "O\u0308z Yilmaz")
    assert [plan["released_by"] for plan in released.document["plans"]] == ["Öz Yilmaz"]
    assert sluice("erase", "run", case).document["residual"] == 0


DOORS: tuple[Callable[[House, str], object], ...] = (
    lambda _, by: desk_order(by, now(), "AS_ASKED"),
    lambda house, by: acknowledge_return(house.conn, "7b0d3f1e", by, now()),
    lambda house, by: acknowledge(house.conn, "7b0d3f1e", by, now(), PROOF, is_done=True),
    lambda house, by: note_sent(house.conn, "7b0d3f1e", by, now(), PROOF),
    lambda house, by: tidy_case(house, CaseId(str(uuid4())), by, now()),
    lambda house, by: confirm_candidate(house, CaseId(str(uuid4())), [], now(), by),
    lambda house, by: import_numbers(house, Path(__file__), now().date(), by, now()),
    lambda house, by: make_dial_list(house, request(by), now()),
    lambda house, by: open_case(
        house,
        NewRequest(
            Right.ACCESS, [(SubjectKind.PHONE, "0470123456")], None, now(), "letter", "nl", Actor(Role.DESK, by)
        ),
        now(),
    ),
)  # fmt: skip


def test_no_room_takes_a_look_alike_whatever_its_door_is(night: Night) -> None:
    def kept() -> tuple[object, int]:
        vault = night.desk.objects(night.desk.settings.bucket_vault)
        return night.desk.sql("select count(*) as entries from ledger.entry"), len(vault)

    before = kept()
    for place, act in enumerate(DOORS):
        with pytest.raises(NameInvalid, match=r"SLU-308 .*Latin letters"):
            act(night.desk.house, LOOK_ALIKE)
        assert kept() == before, place


def request(by: str) -> Request:
    return Request(
        str(uuid4()), Principal("energy01"), Flow("renewal_campaign"), "P-RENEW", Channel.PHONE, "csv", by
    )  # fmt: skip
