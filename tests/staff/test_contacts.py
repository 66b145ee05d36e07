"""All contacts at once give the answer that one contact at a time gives."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import perf_counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.staff.contacts import agents_of, make_directory, ready_at
from sluice.staff.model import Account, CodeVersion, Credential, Kind
from sluice.staff.refs import account_ref, agent_ref
from sluice.staff.rules import readiness, timeline_of

KEY = bytes(32)
START = datetime(2026, 11, 2, 9, tzinfo=UTC)
MINIMUM = Decimal(90)
CODES = (CodeVersion("a", START), CodeVersion("b", START + timedelta(hours=8)))
MOMENT = pl.Datetime("us", "UTC")


def text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def intervals(agents: dict[str, list[Credential]]) -> pl.DataFrame:
    rows = [
        (agent, span.start, span.end, str(span.reasons[0]) if span.reasons else None)
        for agent, events in agents.items()
        for span in timeline_of(events, CODES, MINIMUM)
    ]
    schema = pl.Schema({"agent_ref": pl.String(), "start": MOMENT, "end": MOMENT, "reason": pl.String()})
    return pl.DataFrame(rows, schema=schema, orient="row")


def contacts(*rows: tuple[str | None, str | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"agent": pl.String, "started_at": pl.String}, orient="row")


def exam(hour: int, score: str) -> Credential:
    at = START + timedelta(hours=hour)
    return Credential(Kind.EXAM, at, "gdpr", True, Decimal(score), at + timedelta(hours=9))


EVENTS = st.lists(
    st.one_of(
        st.integers(0, 12).map(lambda h: Credential(Kind.COURSE, START + timedelta(hours=h), "gdpr")),
        st.builds(exam, st.integers(0, 12), st.sampled_from(["89.99", "90"])),
        st.builds(
            lambda h, code: Credential(Kind.SIGNATURE, START + timedelta(hours=h), code),
            st.integers(0, 12),
            st.sampled_from(["a", "b"]),
        ),
    ),
    max_size=6,
)
SECONDS = st.integers(-3600, 24 * 3600)


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(["x", "y", "z"]), EVENTS), st.lists(st.tuples(st.sampled_from("xyz"), SECONDS)))
@settings(max_examples=100, deadline=None)
def test_the_vector_says_what_the_rule_says(agents: dict[str, list[Credential]], asked: list[tuple[str, int]]) -> None:
    moments = [(agent, START + timedelta(seconds=at)) for agent, at in asked]
    said = ready_at(contacts(*((agent, text(at)) for agent, at in moments)), intervals(agents)).to_list()
    for (agent, at), reason in zip(moments, said, strict=True):
        if agent not in agents:
            assert reason == "AGENT_UNKNOWN"
        else:
            answer = readiness(agents[agent], CODES, at, MINIMUM)
            assert reason == (answer.reasons[0] if answer.reasons else None)


def test_the_second_before_the_signature_and_the_second_of_it() -> None:
    events = [
        Credential(Kind.COURSE, START, "gdpr"),
        exam(1, "90"),
        Credential(Kind.SIGNATURE, START + timedelta(hours=2), "a"),
    ]
    signed = START + timedelta(hours=2)
    asked = contacts(
        ("x", text(signed - timedelta(seconds=1))), ("x", text(signed)), ("x", text(signed - timedelta.resolution))
    )
    assert ready_at(asked, intervals({"x": events})).to_list() == ["NO_SIGNATURE", None, "NO_SIGNATURE"]


@pytest.mark.parametrize("known", [{}, {"x": []}])
def test_what_cannot_be_told_is_never_ready(known: dict[str, list[Credential]]) -> None:
    asked = contacts((None, text(START)), ("x", None), ("x", "2026-11-24 10:00"), ("x", "soon"), ("y", text(START)))
    assert ready_at(asked, intervals(known)).to_list() == [
        "NO_AGENT",
        "TIME_UNKNOWN",
        "TIME_UNKNOWN",
        "TIME_UNKNOWN",
        "AGENT_UNKNOWN",
    ]


def test_no_contacts_give_no_answers() -> None:
    assert ready_at(contacts(), intervals({})).to_list() == []


def test_an_account_is_its_agent_s_from_the_moment_it_was_given() -> None:
    one, two, ref = agent_ref(KEY, "A-1"), agent_ref(KEY, "A-2"), account_ref(KEY, "five9", "acc")
    noon = START + timedelta(hours=3)
    directory = make_directory([Account("five9", ref, two, noon), Account("five9", ref, one, None)])
    rows = [
        ("five9", "acc", text(noon - timedelta.resolution)),
        ("five9", "acc", text(noon)),
        ("five9", "[Deleted]", text(noon)),
        ("genesys", "A-1", text(noon)),
        ("five9", None, text(noon)),
        (None, "acc", text(noon)),
    ]
    schema = dict.fromkeys(("platform", "account", "started_at"), pl.String)
    named = agents_of(pl.DataFrame(rows, schema=schema, orient="row"), directory, KEY).to_list()
    assert named[:2] == [one, two] and named[3] == one and named[4] is None
    assert named[2] == account_ref(KEY, "five9", "[Deleted]") and named[5] not in (one, two, ref)


def test_accounts_without_any_list_are_agents_numbers() -> None:
    schema = dict.fromkeys(("platform", "account", "started_at"), pl.String)
    asked = pl.DataFrame([("five9", "A-1", text(START))], schema=schema, orient="row")
    assert agents_of(asked, make_directory([]), KEY).to_list() == [agent_ref(KEY, "A-1")]


@pytest.mark.slow
@pytest.mark.evidence
def test_one_million_two_hundred_thousand_contacts(record_property: Callable[[str, object], None]) -> None:
    rng = np.random.default_rng(1)
    agents = {
        agent_ref(KEY, str(n)): [
            Credential(Kind.COURSE, START, "gdpr"),
            exam(1 + n % 3, "90"),
            Credential(Kind.SIGNATURE, START + timedelta(hours=5), "a"),
        ]
        for n in range(800)
    }
    spans, rows = intervals(agents), 1_200_000
    asked = pl.DataFrame(
        {"agent": pl.Series(list(agents)).gather(rng.integers(0, 800, rows)), "second": rng.integers(0, 86_400, rows)}
    )
    asked = asked.with_columns(
        started_at=(pl.lit(START.replace(tzinfo=None)) + pl.duration(seconds="second")).dt.strftime(
            "%Y-%m-%dT%H:%M:%S%.6fZ"
        )
    )
    began = perf_counter()
    said = ready_at(asked, spans)
    took = perf_counter() - began
    record_property("staff: readiness of 1,200,000 contacts of 800 agents", f"{took:.2f} s")
    assert said.null_count() > 0 and took < 5
