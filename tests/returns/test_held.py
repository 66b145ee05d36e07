"""Every reason for which a row of a return stays here: coded, held, counted, listed without a value."""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from returns.attempt import Attempt
from returns.evenings import Evening
from sluice.sample.files import write_campaign, write_subscribers
from sluice.settings import Settings
from sluice.times import BRUSSELS
from support.night import (
    AT_ONCE,
    CALLED_AT,
    HEAD,
    RESULTS_CONTRACT,
    Call,
    Edit,
    Night,
    ago,
    open_night,
    with_papers,
)

pytestmark = pytest.mark.stores

PHONE_OPTIONAL = Edit(
    RESULTS_CONTRACT,
    "      - name: DNIS\n        logicalType: string\n        required: true",
    "      - name: DNIS\n        logicalType: string\n        required: false",
)
"""The platform may leave the phone out; the principal's number names the person too."""

CREDENTIALS = {
    "STAFF_NO_COURSE": "exam,{0},{2},gdpr-2,yes,95\nsignature,{0},{3},coc-4,,",
    "STAFF_COURSE_NOT_WHOLE": "course,{0},{1},gdpr-2,no,\nexam,{0},{2},gdpr-2,yes,95\nsignature,{0},{3},coc-4,,",
    "STAFF_NO_EXAM": "course,{0},{1},gdpr-2,yes,\nsignature,{0},{3},coc-4,,",
    "STAFF_EXAM_NOT_WHOLE": "course,{0},{1},gdpr-2,yes,\nexam,{0},{2},gdpr-2,no,95\nsignature,{0},{3},coc-4,,",
    "STAFF_EXAM_BEFORE_COURSE": "exam,{0},{1},gdpr-2,yes,95\ncourse,{0},{2},gdpr-2,yes,\nsignature,{0},{3},coc-4,,",
    "STAFF_RETAKE_WITHOUT_COURSE": (
        "course,{0},{1},gdpr-2,yes,\nexam,{0},{2},gdpr-2,yes,80\nexam,{0},{3},gdpr-2,yes,95\nsignature,{0},{4},coc-4,,"
    ),
    "STAFF_EXAM_EXPIRED": "course,{0},{5},gdpr-1,yes,\nexam,{0},{6},gdpr-1,yes,95\nsignature,{0},{3},coc-4,,",
    "STAFF_NO_SIGNATURE": "course,{0},{1},gdpr-2,yes,\nexam,{0},{2},gdpr-2,yes,95",
    "STAFF_SIGNATURE_BEFORE_EXAM": (
        "course,{0},{1},gdpr-2,yes,\nsignature,{0},{2},coc-4,,\nexam,{0},{3},gdpr-2,yes,95"
    ),
    "STAFF_OLD_CODE_VERSION": ("course,{0},{1},gdpr-2,yes,\nexam,{0},{2},gdpr-2,yes,95\nsignature,{0},{3},coc-3,,"),
    "STAFF_UNKNOWN_CODE_VERSION": ("course,{0},{1},gdpr-2,yes,\nexam,{0},{2},gdpr-2,yes,95\nsignature,{0},{3},coc-9,,"),
}
"""What an agent did who is not ready for exactly this reason; the name of the agent is the reason."""


def staff_file() -> str:
    moments = (ago(110), ago(109), ago(108), ago(107), ago(600), ago(599))
    rows = [text.format(reason, *moments) for reason, text in CREDENTIALS.items()]
    late = (CALLED_AT + timedelta(seconds=1)).replace(tzinfo=BRUSSELS).isoformat()
    just = f"course,late,{ago(110)},gdpr-2,yes,\nexam,late,{ago(109)},gdpr-2,yes,95\nsignature,late,{late},coc-4,,"
    return "\n".join([HEAD, f"code_version,,{ago(700)},coc-3,,", *rows, just, ""])


@pytest.fixture
def night(store_settings: Settings, tmp_path: Path) -> Iterator[Night]:
    """An installation whose returns are delivered at once; calls may lack the phone number."""
    with open_night(with_papers(store_settings, tmp_path, AT_ONCE, PHONE_OPTIONAL), tmp_path) as opened:
        yield opened


def test_every_row_goes_or_waits_for_its_reason_and_none_is_lost(night: Night) -> None:
    subscribers = night.desk.folder / "subscribers.csv"
    write_subscribers(subscribers, 20, 3)
    night.desk.drop(subscribers, "subscribers.csv", ("telecom01", "subscriber_base"))
    night.desk.drop(_same_numbers_other_persons(night, 2), "second.csv")
    night.desk.work()
    night.admit(staff_file())
    people = iter(night.people(40))
    calls: dict[str, list[Call]] = {"RESULT_AMBIGUOUS_RECORD": [_call(next(people)) for _ in range(2)]}
    calls["goes"] = [_call(next(people)), Attempt("", *next(people))]
    calls["RESULT_UNKNOWN_CAMPAIGN"] = [_call(next(people), campaign="RENEWAL_2019")]
    calls["RESULT_NO_RECORD_ID"] = [replace(_call(next(people)), record="")]
    theirs = _first_of(subscribers, "customer_id")
    calls["RESULT_UNKNOWN_RECORD"] = [replace(_call(next(people)), record=record) for record in (theirs, "E99999999")]
    calls["RESULT_OTHER_PERSON"] = [replace(_call(next(people)), phone="+32470000001")]
    calls["RESULT_PERSON_UNCHECKED"] = [replace(_call(next(people)), phone="")]
    calls["AGENT_DELETED"] = [_call(next(people), agent="[Deleted]")]
    calls["AGENT_UNKNOWN"] = [_call(next(people), agent="agent99")]
    calls["STAFF_EXAM_BELOW_MINIMUM"] = [_call(next(people), agent="agent02")]
    for reason in CREDENTIALS:
        calls[reason] = [_call(next(people), agent=reason)]
    calls["STAFF_NO_SIGNATURE"] += [_call(next(people), agent="late")]
    calls["goes"] += [replace(_call(next(people), agent="late"), at=CALLED_AT + timedelta(seconds=1))]
    every = [call for each in calls.values() for call in each]

    results = night.called(*(replace(call, id=f"c{n}") for n, call in enumerate(every)))
    night.make()

    [line] = night.returns()
    record = night.record(line)
    expected = {reason: len(each) for reason, each in calls.items() if reason != "goes"}
    assert (night.desk.line(results).decision, night.desk.line(results).rows_accepted) == ("accepted", len(every))
    assert record.right_treatment.held_back == expected
    what = record.what
    assert (what.rows_in, what.rows_accepted, what.rows_refused, what.rows_held) == (
        len(every), 3, 0, sum(expected.values()),
    )  # fmt: skip
    assert line.decision == "partly_accepted"
    assert {row["customer_number"] for row in _rows(night)} == {call.record for call in calls["goes"]}
    rows = night.held(line)
    assert Counter(row.reason for row in rows) == expected
    assert {row.results_exchange for row in rows} == {night.desk.line(results).id}
    assert {(row.row, row.reason) for row in rows} == {
        (number, reason)
        for number, (reason, _) in enumerate(((r, c) for r, each in calls.items() for c in each), 1)
        if reason != "goes"
    }
    _says_no_value(night, [str(row) for row in rows], every)


def _call(person: tuple[str, str], **other: str) -> Call:
    return replace(Call("", *person), **other)


def _same_numbers_other_persons(night: Night, count: int) -> Path:
    """Another file of the principal, in which the first numbers are those of other persons."""
    path = night.desk.folder / "others.csv"
    write_campaign(path, count, 99)
    text = path.read_text("utf-8")
    with path.open(encoding="utf-8", newline="") as file:
        numbers = [row["customer_number"] for row in csv.DictReader(file, delimiter=";")]
    for old, (new, _) in zip(numbers, night.people(count), strict=True):
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    return path


def _first_of(path: Path, column: str) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.DictReader(file))[column]


def _rows(night: Night) -> list[dict[str, str]]:
    """The rows of the return that was delivered last."""
    names = sorted(name for name in night.delivered() if name.endswith(".csv"))
    text = night.delivered()[names[-1]].decode()
    return list(csv.DictReader(text.splitlines(), delimiter=";"))


def _says_no_value(night: Night, shown: list[str], calls: list[Call]) -> None:
    """The list, its object in the vault and the record hold no record id, phone or account."""
    vault = night.desk.settings.bucket_vault
    kept = [o for o in night.desk.objects(vault) if o.key.endswith("held.csv")]
    assert kept
    bodies = [night.desk.house.objects.read(vault, o.key, o.version_id).decode() for o in kept]
    told = "\n".join([*shown, *bodies, night.record(night.returns()[0]).model_dump_json()])
    values = {v for call in calls for v in (call.record, call.phone.removeprefix("+")) if v}
    assert [value for value in values if value in told] == []
    assert not any(account in told for account in ("agent02", "agent99", "agent01"))


def test_a_row_without_phone_or_campaign_is_refused_when_it_arrives_where_the_contract_requires_one(
    at_once: Evening,
) -> None:
    calls = [Call(f"c{n}", *person) for n, person in enumerate(at_once.people(10))]
    results = at_once.called(*calls[:-2], replace(calls[-2], campaign=""), replace(calls[-1], phone=""))
    at_once.make()
    line = at_once.desk.line(results)
    assert (line.decision, line.rows_accepted, line.rows_refused) == ("partly_accepted", 8, 2)
    assert {reason.column for reason in at_once.record(line).reasons} >= {"CAMPAIGN", "DNIS"}
    assert at_once.returns()[0].rows_in == 8


def test_later_contacts_lift_an_unknown_record(at_once: Evening) -> None:
    night = at_once
    later, new = night.other_contacts()
    night.called(Call("c1", *night.people(1)[0]), Call("c2", *new))
    night.make()
    first = night.returns()[0]
    assert night.record(first).right_treatment.held_back == {"RESULT_UNKNOWN_RECORD": 1}

    night.arrive(later)
    night.make()

    second = night.returns()[0]
    record = night.record(second)
    assert (second.decision, record.right_treatment.held_back, record.what.rows_accepted) == ("accepted", {}, 2)
    assert record.what.supersedes == first.id
    assert new[0] in {row["customer_number"] for row in night.rows(second)}
    night.make()
    assert len(night.returns()) == 2, "what lifted it does not count as missing afterwards"
