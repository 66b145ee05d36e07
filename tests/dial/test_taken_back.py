"""A list is taken back once somebody in it objected, and no other list waits for one that cannot be looked at."""

from uuid import uuid4

import polars as pl
import pytest

from dial.lists import CAMPAIGN, ENERGY01, ask, contacts, listed, now, numbers
from sluice.dial import make
from sluice.dial.model import Channel, DialRefused, Request
from sluice.dial.recall import recall_lists
from sluice.errors import NotFound
from sluice.exchange.catalogue import get_copy
from sluice.exchange.effects.run import do_effects
from sluice.exchange.persons.suppressed import keep_out
from sluice.subject.refs import refer
from sluice.subject.scope import MARKETING, scope_of
from sluice.subject.suppression import Suppression
from sluice.terms import SubjectKind
from support.desk import Desk


def test_lists_that_name_who_objected_since_are_taken_back(desk: Desk) -> None:
    people = contacts(desk)
    numbers(desk)
    name = str(uuid4())
    done = ask(desk, name=name)
    again = ask(desk)
    assert recall_lists(desk.house, now()) == (0, 0)
    assert ask(desk, name=name) == done, "control"
    key, [person] = desk.house.subject_key(ENERGY01), people.filter(pl.col("opt_in_phone") == "Y").head(1).to_dicts()
    ref = refer(key, SubjectKind.PRINCIPAL_CUSTOMER_ID, person["customer_number"]).ref
    text_only = scope_of(Suppression.OBJECTED, MARKETING, "sms")
    for scope, gone in ((text_only, 0), (scope_of(Suppression.OBJECTED, MARKETING), 2)):
        keep_out(
            desk.house, ENERGY01, frozenset({ref or ""}), Suppression.OBJECTED, cause=repr(scope), case_id=None,
            now=now(), scope=scope,
        )  # fmt: skip
        assert recall_lists(desk.house, now()) == (gone, 0)

    for each in (done, again):
        assert desk.house.objects.head(each.bucket, each.key) is None
    with pytest.raises(DialRefused, match="taken back"):
        ask(desk, name=name)
    assert recall_lists(desk.house, now()) == (0, 0)
    assert person["customer_number"] not in listed(desk, ask(desk))["customer_number"].to_list()
    assert len(desk.sql("select 1 from ledger.entry where kind = 'dial.recalled'")) == 2


def object_to_calls(desk: Desk, person: dict[str, str]) -> None:
    ref = refer(desk.house.subject_key(ENERGY01), SubjectKind.PRINCIPAL_CUSTOMER_ID, person["customer_number"]).ref
    keep_out(
        desk.house, ENERGY01, frozenset({ref or ""}), Suppression.OBJECTED, cause=str(ref), case_id=None, now=now(),
        scope=scope_of(Suppression.OBJECTED, MARKETING),
    )  # fmt: skip


def test_a_list_is_not_handed_out_once_somebody_in_it_objected_and_goes_with_the_recall(desk: Desk) -> None:
    people = contacts(desk)
    numbers(desk)
    request = Request(str(uuid4()), ENERGY01, CAMPAIGN, "P-RENEW", Channel.PHONE, "csv", "anna")
    opened = make._open(desk.house, request, now())
    make._close(desk.house, opened, request, now(), {})  # the worker died before it was handed out
    object_to_calls(desk, people.filter(pl.col("opt_in_phone") == "Y").to_dicts()[0])

    do_effects(desk.house, opened.exchange_id)
    assert desk.house.objects.head(opened.bucket, opened.key) is None
    assert desk.sql("select last_error from outbox where effect = 'dial'") == [{"last_error": "SLU-419"}]
    with pytest.raises(NotFound):
        get_copy(desk.house.conn, opened.exchange_id, "dial")

    assert recall_lists(desk.house, now()) == (1, 0)
    desk.house.conn.execute("update outbox set next_attempt_at = now() where done_at is null")
    do_effects(desk.house, opened.exchange_id)
    assert desk.sql("select 1 from outbox where effect = 'dial' and done_at is null") == []
    assert desk.house.objects.head(opened.bucket, opened.key) is None
    assert recall_lists(desk.house, now()) == (0, 0)


def test_one_list_that_cannot_be_looked_at_keeps_no_other_from_being_taken_back(desk: Desk) -> None:
    people = contacts(desk)
    numbers(desk)
    broken, sound = ask(desk), ask(desk)
    index = get_copy(desk.house.conn, broken.exchange_id, "index")
    desk.house.objects.delete_version(index.bucket, index.key, index.version_id)
    object_to_calls(desk, people.filter(pl.col("opt_in_phone") == "Y").to_dicts()[0])

    assert recall_lists(desk.house, now()) == (1, 1)
    assert desk.house.objects.head(sound.bucket, sound.key) is None
