"""A lock keeps others off, names of two things never meet, and none outlives its holder."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from sluice.db import Connection, connect_to, transaction
from sluice.locks import About, hold, is_held_by_another, is_held_by_us, lock_until_commit, release, take, try_hold
from support.stores import Database

pytestmark = pytest.mark.stores
NAME = "one"


@pytest.fixture
def two(database: Database) -> Iterator[tuple[Connection, Connection]]:
    with closing(connect_to(database.app_url)) as one, closing(connect_to(database.app_url)) as other:
        yield one, other


def asked(conn: Connection, about: About = About.ID) -> tuple[bool, bool]:
    """Whether this connection, and another, hold the lock of this name."""
    ours, others = is_held_by_us("%(name)s", about), is_held_by_another("%(name)s", about)
    row = conn.execute(f"select {ours} as ours, {others} as others", {"name": NAME}).fetchone()
    assert row is not None
    return row["ours"], row["others"]


def test_who_holds_a_name_keeps_it_from_others_and_not_from_another_thing(two: tuple[Connection, Connection]) -> None:
    one, other = two
    with hold(one, About.ID, NAME):
        assert asked(one) == (True, False)
        assert asked(other) == (False, True)
        assert [about for about in About if not take(other, about, NAME)] == [About.ID]
    assert asked(other) == (False, False)
    assert take(other, About.ID, NAME)


def test_a_lock_that_was_not_got_is_not_given_back(two: tuple[Connection, Connection]) -> None:
    one, other = two
    with try_hold(one, About.CASE, NAME) as got, try_hold(other, About.CASE, NAME) as second:
        assert (got, second) == (True, False)
    assert asked(one, About.CASE) == (False, False)


def test_those_who_share_a_name_wait_for_who_wants_it_alone(two: tuple[Connection, Connection]) -> None:
    one, other = two
    with try_hold(one, About.CASE, NAME, shared=True) as got:
        assert got and take(other, About.CASE, NAME, shared=True)
        assert not take(other, About.CASE, NAME)
        release(other, About.CASE, NAME, shared=True)
    assert take(other, About.CASE, NAME)
    assert not take(one, About.CASE, NAME, shared=True)


def test_a_lock_until_commit_ends_with_the_transaction(two: tuple[Connection, Connection]) -> None:
    one, other = two
    with transaction(one):
        lock_until_commit(one, About.STAFF, NAME)
        assert not take(other, About.STAFF, NAME)
    assert take(other, About.STAFF, NAME)


def test_a_holder_that_is_gone_holds_nothing(two: tuple[Connection, Connection]) -> None:
    one, other = two
    with hold(one, About.OBJECT, NAME):
        one.close()
        with hold(other, About.OBJECT, NAME):  # it waits until the server has noticed
            assert asked(other, About.OBJECT) == (True, False)


def test_every_thing_has_a_number_of_its_own() -> None:
    assert sorted(About) == list(range(14))
