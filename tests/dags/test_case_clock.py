"""The operator behind the DAG `case_clock`, in a real installation: what fails is told, after all else is done."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from returns.commands import at_terminal, sluice
from rights.post_office import PostOffice, post_office
from rights.prefix import put
from sluice.errors import Ref, ServiceMissing
from sluice.exchange.house import House
from sluice.exchange.sweeping import LeftUndone
from sluice.lake.s3 import objects
from sluice.lake.s3.versions import Listing, ListingCut
from sluice.orchestration.apart import Step, run_apart
from sluice.orchestration.persons import FollowCases
from sluice.rights import destroy_store
from sluice.rights.case import store
from sluice.rights.case.model import Actor, Right, Role, State
from sluice.rights.erasure.census import Kind, find_unknown
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person.sealed import PREFIX, encrypt, list_sealed
from sluice.rights.requests import read_requests
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.desk import JANUARY, Desk, open_desk

pytestmark = pytest.mark.slow  # importing Airflow's operators takes seconds


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as opened:
        yield opened


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path, office: PostOffice) -> Iterator[Desk]:
    """With a mail server, and papers that are known since January."""
    mail = {
        "smtp_url": SecretStr(f"smtp://127.0.0.1:{office.port}"),
        "mail_from": "sluice@center.example",
        "mail_desk": "desk@center.example",
    }
    with open_desk(store_settings.model_copy(update=mail), tmp_path, JANUARY) as opened:
        yield opened


def an_opening(desk: Desk) -> None:
    """What is sealed of a request is none, which nobody foresaw."""
    content = encrypt(desk.house.keyring, b"[]")
    desk.house.objects.put(desk.settings.bucket_vault, f"{PREFIX}{uuid4()}/subject.age", content, "x/y")


def a_letter(desk: Desk) -> None:
    """Open a case whose sealed data is not found in its place, so that the step on letters fails."""
    now = datetime.now(UTC)
    open_at(desk, now, now)
    desk.sql("update subject_case set subject_key = 'x' returning 1")


def a_key(desk: Desk) -> None:
    """Let two persons ask for the destruction of keys of which one does not exist, so that the step fails."""
    gone, now = Principal("gone01"), datetime.now(UTC)
    destroy_store.ask(desk.house.conn, gone, "an", now)
    destroy_store.confirm(desk.house.conn, gone, "bert", now, {"subject": "00"})


def open_at(desk: Desk, received: datetime, now: datetime) -> str:
    given, energy, clerk = [(SubjectKind.PHONE, "0470123456")], Principal("energy01"), Actor(Role.DESK, "anna")
    return open_case(desk.house, NewRequest(Right.ERASURE, given, energy, received, "mail", "nl", clerk), now).case_id


@pytest.mark.parametrize("broken", [None, an_opening, a_letter, a_key])
def test_what_fails_is_told_after_everything_else_was_done(
    desk: Desk, office: PostOffice, monkeypatch: pytest.MonkeyPatch, broken: Callable[[Desk], None] | None
) -> None:
    if broken:
        broken(desk)
    now = datetime.now(UTC)
    case_id = open_at(desk, now - timedelta(days=60), now)
    put(desk, "erasure-1.csv", b"phone\n0470654321\n")

    with at_terminal(desk, monkeypatch):
        if broken is None:
            assert "alarms 1" in FollowCases(task_id="follow").work({}), "the control"
        else:
            with pytest.raises(LeftUndone, match="steps of cases left undone"):
                FollowCases(task_id="follow").work({})
            assert sluice("case", "follow").exit == 3 * (broken is not a_key), "the command does all but keys"

    assert "READ" in [row["outcome"] for row in desk.sql("select outcome from request_file")]
    parts = store.get_case(desk.house.conn, case_id).sub_cases
    assert State.AWAITING_INSTRUCTION in {part.state for part in parts}
    assert any(case_id in each for each in office.said), "the desk was mailed that its last day is past"


def test_a_first_step_that_fails_keeps_no_other_from_running_and_is_named(
    desk: Desk, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store cannot list to its end what is sealed of cases: more versions than a page lie behind a longer key."""
    now, page = datetime.now(UTC), 6
    case_id = open_at(desk, now - timedelta(days=60), now)
    monkeypatch.setattr(objects, "Listing", partial(Listing, size=page))
    for name in ("a.age", "a.age.ok"):
        for _ in range(page + 1):
            desk.house.objects.put(desk.settings.bucket_vault, f"{PREFIX}{name}", b"x", "x/y")
    with pytest.raises(ListingCut):
        read_requests(desk.house, now)

    with at_terminal(desk, monkeypatch), pytest.raises(LeftUndone, match=r"; in read\. "):
        FollowCases(task_id="follow").work({})

    parts = store.get_case(desk.house.conn, case_id).sub_cases
    assert State.AWAITING_INSTRUCTION in {part.state for part in parts}
    assert any(case_id in each for each in office.said), "the desk was mailed that its last day is past"


def test_what_lies_under_no_number_of_a_case_stops_no_step(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    case_id, vault = open_at(desk, now, now), desk.settings.bucket_vault
    for key in ("not-a-number/subject.age", "subject.age", f"{case_id}/x/subject.age", f"x/{uuid4()}/subject.age"):
        desk.house.objects.put(vault, f"{PREFIX}{key}", b"x", "x/y")
    put(desk, "erasure-1.csv", b"phone\n0470654321\n")

    with at_terminal(desk, monkeypatch):
        FollowCases(task_id="follow").work({})

    assert "READ" in [row["outcome"] for row in desk.sql("select outcome from request_file")]
    assert case_id in [number for number, _ in list_sealed(desk.house)]
    assert len(list_sealed(desk.house)) == 2, "that of the desk and that of the file"
    unknown = find_unknown(desk.settings, desk.house.conn, desk.house.objects)
    places = {f"prefix {vault}/{PREFIX}{name}" for name in ("not-a-number/", "subject.age", "x/")}
    assert {str(each) for each in unknown if each.kind is Kind.PREFIX} == places


def test_every_step_runs_and_each_that_failed_or_left_something_is_named(desk: Desk) -> None:
    ran: list[str] = []

    def step(name: str, fault: Exception | None = None, undone: int = 0) -> Step:
        def work(house: House, now: datetime) -> tuple[str, int]:
            ran.append(name)
            if fault:
                raise fault
            return name, undone

        return work

    away = ServiceMissing(Ref("service", "s3"))
    steps = {
        "first": step("first", ValueError("Jan Peeters")),
        "second": step("second", undone=2),
        "third": step("third", away),
        "fourth": step("fourth"),
    }
    with pytest.raises(LeftUndone, match=r"items left undone 2.*in first, second, third\. ") as failure:
        run_apart(desk.house, datetime.now(UTC), "items", steps)
    assert ran == list(steps) and "Peeters" not in str(failure.value)
    assert run_apart(desk.house, datetime.now(UTC), "items", {"fourth": step("fourth")}) == "fourth", "the control"

    desk.house.conn.close()
    with pytest.raises(ServiceMissing):
        run_apart(desk.house, datetime.now(UTC), "items", steps)
    assert ran == [*steps, "fourth", "first"], "without the database no further step is tried"
