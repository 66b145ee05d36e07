"""When a record of consent was said: a moment, or a Brussels day of which a no has the end and a yes the beginning."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.agreement.folder.load import load_agreement
from sluice.agreement.model import Purpose
from sluice.rights.consents.file import Said, judge_consents
from sluice.subject.consent import last_words
from sluice.subject.key import SubjectKey
from sluice.subject.refs import refer
from sluice.terms import SubjectKind
from sluice.times import BRUSSELS

PAPERS = Path(__file__).resolve().parents[3] / "include" / "principals" / "energy01"
AGREEMENT = load_agreement(PAPERS / "agreement-3.0.0.yaml")
KEY, LATE = SubjectKey(b"k" * 32), datetime(2030, 1, 1, tzinfo=UTC)
NOES = ("refused", "withdrawn", "expired")
DAYS = st.dates(date(2025, 1, 1), date(2027, 12, 31))


def said(state: str, at: str, until: str = "") -> Said:
    return Said({"customer": "C-1"}, "P-RENEW", "voice", state, at, "call", "W-7", "center", until)


def counts(*rows: Said) -> str:
    """The state that counts among these rows."""
    records = judge_consents(rows, [AGREEMENT], KEY, LATE).frame
    named = records.with_row_index("record_id").cast({"record_id": pl.String})
    [state] = last_words(named, date(2020, 1, 1))["state"]
    return str(state)


@pytest.mark.slow
@given(DAYS, st.sampled_from(NOES), st.times(), st.booleans())
def test_a_no_of_a_day_beats_every_yes_of_it_and_none_of_the_next(
    day: date, no: str, clock: time, is_bare: bool
) -> None:
    def yes_of(on: date) -> Said:
        return said("given", str(on) if is_bare else datetime.combine(on, clock, BRUSSELS).isoformat())

    assert counts(said(no, str(day)), yes_of(day)) == no
    assert counts(said(no, str(day)), yes_of(day + timedelta(days=1))) == "given"


@pytest.mark.parametrize("state", ["given", *NOES])
def test_a_day_is_not_in_the_future_while_it_runs_and_until_is_no_earlier_day(state: str) -> None:
    now = datetime(2026, 11, 26, 10, tzinfo=UTC)
    wrong = {
        at: [fault.column for fault in judge_consents([said(state, at, until)], [AGREEMENT], KEY, now).faults]
        for at, until in (
            ("2026-11-26", ""), ("2026-11-26", "2026-11-26"), ("2026-11-25", "2026-11-24"), ("2026-11-27", ""),
            ("2026-11-26T10:00:01Z", ""), ("2026-11-26T10:00:00Z", ""), ("2026-11-26T10:00:00", ""), ("today", ""),
            ("0001-01-01T00:00:00+02:00", ""), ("9999-12-31T23:59:59Z", ""),
        )
    }  # fmt: skip

    assert wrong == {
        "2026-11-26": [], "2026-11-25": ["until"], "2026-11-27": ["at"], "2026-11-26T10:00:01Z": ["at"],
        "2026-11-26T10:00:00Z": [], "2026-11-26T10:00:00": ["at"], "today": ["at"],
        "0001-01-01T00:00:00+02:00": ["at"], "9999-12-31T23:59:59Z": ["at"],
    }  # fmt: skip


HOMES = {
    region: {refer(KEY, SubjectKind.PHONE, number).ref for number in numbers}
    for region, numbers in {"BE": ["+32475123456"], "FR": ["+33475123456"]}.items()
}


@pytest.mark.parametrize("regions", [{"BE"}, {"FR"}, {"BE", "FR"}])
@pytest.mark.parametrize("state", ["given", *NOES])
@pytest.mark.parametrize("number", ["0475123456", "+32475123456", "+33475123456"])
def test_a_no_counts_in_every_country_its_number_can_be_of_and_a_yes_in_one(
    number: str, state: str, regions: set[str]
) -> None:
    one = Said({"phone": number}, "P-RENEW", "voice", state, "2026-11-26", "call", "W-7", "center")

    found = judge_consents([one], [AGREEMENT], KEY, LATE, frozenset(regions))

    if number.startswith("+"):
        means = HOMES["BE" if number.startswith("+32") else "FR"]
    else:
        means = set().union(*(HOMES[each] for each in (regions if state == "given" else regions | {"BE"})))
    is_doubtful = state == "given" and len(means) > 1
    assert set(found.frame["ref"] if found.frame.height else ()) == (set() if is_doubtful else means)
    assert [(each.code, each.column) for each in found.faults] == (
        [("VALUE_WITHOUT_COUNTRY_CODE", "phone")] if is_doubtful else []
    )


@pytest.mark.parametrize("state", ["given", *NOES])
def test_what_is_a_number_nowhere_is_not_kept(state: str) -> None:
    """The control: more countries make no number of what is none."""
    one = Said({"phone": "04751"}, "P-RENEW", "voice", state, "2026-11-26", "call", "W-7", "center")
    found = judge_consents([one], [AGREEMENT], KEY, LATE, frozenset({"BE", "FR"}))
    assert [each.code for each in found.faults] == ["VALUE_INVALID_IDENTIFIER"] and found.frame.is_empty()


def test_purposes_of_every_agreement_can_be_named_and_a_code_of_two_purposes_cannot() -> None:
    renewal = next(each for each in AGREEMENT.purposes if each.code == "P-RENEW")
    own = replace(renewal, code="P-OWN", iri=f"{renewal.iri}Own", channels=("email",))
    same = replace(renewal, iri=f"{renewal.iri}Other")
    by_mail = replace(renewal, code="P-MAIL", channels=("email",))
    one = said("withdrawn", "2026-01-02")

    def faults(*purposes: Purpose, row: Said) -> list[str | None]:
        other = replace(AGREEMENT, agreement_id="DPA-OTHER", purposes=purposes)
        return [each.column for each in judge_consents([row], [AGREEMENT, other], KEY, LATE).faults]

    assert faults(own, row=one) == [], "of the first"
    assert faults(own, row=replace(one, purpose="P-OWN", channel="email")) == [], "of the second"
    assert faults(own, row=replace(one, channel="email")) == ["channel"], "control: of another purpose"
    assert faults(by_mail, row=replace(one, channel="email")) == [], "the same purpose over another channel there"
    assert faults(same, row=one) == ["purpose"] and faults(same, row=replace(one, purpose=same.iri)) == []
