"""Dated parameters and rules of dial lists, from the rows of ``facts/``, each with its source."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from sluice.dial.model import Channel, ParameterMissing
from sluice.errors import Ref
from sluice.terms import SubjectKind


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """What direct marketing over a channel requires.

    ``word``: the channel's name in agreements. ``contact``: the kind of contact point that it needs.
    """

    channel: Channel
    word: str
    contact: SubjectKind
    needs_opt_in: bool
    needs_number_list: bool
    valid_from: date
    source: str


def channel_rule(channel: Channel, on: date) -> ChannelRule:
    """The rule of a channel on a Brussels date. Raises ParameterMissing."""
    held = [rule for rule in _channels() if rule.channel is channel and rule.valid_from <= on]
    if not held:
        raise ParameterMissing(Ref("channel", channel), Ref("date", on.isoformat()))
    return max(held, key=lambda rule: rule.valid_from)


def list_age_days(on: date) -> int:
    """The most days that a Do-Not-Call-Me list may be old when a dial list is made. Raises ParameterMissing."""
    held = [row for row in _rows("parameters") if row["name"] == "dncm_list_age" and _day(row) <= on]
    if not held:
        raise ParameterMissing(Ref("parameter", "dncm_list_age"), Ref("date", on.isoformat()))
    return int(max(held, key=_day)["value"])


@cache
def _channels() -> tuple[ChannelRule, ...]:
    return tuple(
        ChannelRule(
            Channel(row["channel"]),
            row["word"],
            SubjectKind(row["contact"]),
            row["marketing_opt_in"] == "yes",
            row["marketing_list"] == "yes",
            _day(row),
            row["source"],
        )
        for row in _rows("channels")
    )


def _day(row: dict[str, str]) -> date:
    return date.fromisoformat(row["valid_from"])


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = (files("sluice.dial") / "facts" / f"{name}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
