"""An agent has a number in an answer, wherever their name stands; a word that only begins like it stays."""

from dataclasses import replace

import polars as pl

from answers.answer_samples import a_role
from rights.letter_samples import a_part
from sluice.answers.authority import Authority
from sluice.answers.model import NOT_HERE, Found, Held
from sluice.answers.select import Agents, Selected, select
from sluice.rights.case.model import Action, State
from sluice.rights.copies.model import Copy, Target
from sluice.subject.key import SubjectKey
from sluice.terms import Direction, ExchangeId, FieldGroup, Flow, Principal

COPY = Copy(ExchangeId("x"), "lake", Direction.INTERNAL, Flow("f"), "b", "k", "v", "", None, ())


def test_a_name_is_hidden_in_records_and_in_columns_nobody_explained() -> None:
    known = pl.DataFrame(
        {"agent": ["Jan", "an.peeters", "[system]", "[Jan] Claes"], "note2": ["Jan belt", None, "x", "y"]}
    )
    odd = pl.DataFrame({"AGENT": ["Piet", "[system]"], "remark": ["door JAN; Janssen en Adjan", "an.peeters."]})
    held = [
        Held(COPY, "lake", known, {"agent": a_role("agent", FieldGroup.AGENT_REF)}),
        Held(
            replace(COPY, exchange_id=ExchangeId("y")),
            "files as they came",
            odd,
            {},
            raw=("E1;Jan;Janneke;an.peeters2",),
        ),
    ]
    target = Target(Principal("energy01"), SubjectKey(b"k" * 32), frozenset(), (), frozenset())
    part = replace(a_part(State.ACCEPTED, Action.GIVE), principal="energy01", controller="principal")
    part = replace(part, action_fields=part.field_groups)
    found = Found(target, "Energy One NV", None, (part,), tuple(held), (), ())

    given = select([found], {"energy01": Authority((part,), (), {})}).tables["unassigned"]

    text = given.write_csv()
    assert "Piet" not in text and "an.peeters." not in text and ";Jan;" not in text and "Jan belt" not in text
    assert "JAN;" not in text
    assert all(word in text for word in ("Janssen", "Adjan", "Janneke", "an.peeters2", "[system]"))


def test_a_bracket_alone_hides_nobody() -> None:
    told = Agents().hide(pl.Series("agent", ["[system]", "[Jan", "[x] Jan", " ", None, "jan ", "Jan"])).to_list()
    assert told == ["[system]", "agent 1", "agent 2", " ", None, "agent 3", "agent 3"]


def test_a_digit_or_two_are_no_name_in_text() -> None:
    cells = pl.Series("record", ["12;007;A"])
    assert Agents(frozenset({"12", "A", "007"})).hide_words(cells).to_list() == ["12;agent 1;A"]


def test_where_no_agent_was_there_an_answer_has_nothing_of_one() -> None:
    """The platform writes [None]; a row of it beside "we have nothing of this here" says two things at once."""
    role = {"agent": a_role("agent", FieldGroup.AGENT_REF)}
    part = replace(a_part(State.ACCEPTED, Action.GIVE), principal="energy01", controller="center")
    part = replace(part, action_fields=(FieldGroup.AGENT_REF.value,), field_groups=(FieldGroup.AGENT_REF.value,))

    def given(*cells: str | None) -> Selected:
        held = Held(COPY, "lake", pl.DataFrame({"agent": cells}, schema={"agent": pl.String}), role)
        target = Target(Principal("energy01"), SubjectKey(b"k" * 32), frozenset(), (), frozenset())
        found = Found(target, "Energy One NV", None, (part,), (held,), (), ())
        return select([found], {"energy01": Authority((part,), (), {})})

    nobody, somebody = given("[None]", " [none] ", None), given("[None]", "Jan")
    assert [(line.included, line.reason) for line in nobody.fields] == [(False, NOT_HERE)] and not nobody.tables
    assert somebody.tables["agent_ref"]["agent"].to_list() == ["agent 1"]
