"""What a suppression reaches: purposes, legal bases and a channel; and what it takes to stop a row. Pure.

A *use* is one purpose under one basis over one channel. A file, a return or a dial list has needs, which are sets of
uses. A person stays out of it once every use of one of its needs was stopped for them, by one suppression or several.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from sluice.subject.suppression import SCHEMA, Suppression, merge_suppressions

CONSENT = "https://w3id.org/dpv/legal/eu/gdpr#A6-1-a"
OBJECTIONABLE = frozenset(f"https://w3id.org/dpv/legal/eu/gdpr#A6-1-{letter}" for letter in "ef")
"""Bases under which a person can object to the processing (GDPR Art. 21(1))."""
MARKETING = frozenset(
    f"https://w3id.org/dpv#{name}"
    for name in (
        "Advertising",
        "DirectMarketing",
        "Marketing",
        "PersonalisedAdvertising",
        "SellProducts",
        "SellProductsToDataSubject",
        "TargetedAdvertising",
    )
)
"""Purposes that are direct marketing once a person is called, mailed or texted for them (Art. 21(2) and (3))."""


@dataclass(frozen=True, slots=True)
class Use:
    """One purpose under one basis over one channel.

    ``purpose``, ``basis``: DPV IRIs. ``channel``: word of the agreement; None if it names none.
    """

    purpose: str
    basis: str
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a suppression stops. Where it names nothing of a kind, it stops everything of that kind."""

    purposes: frozenset[str] = frozenset()
    bases: frozenset[str] = frozenset()
    channel: str | None = None

    @property
    def is_objection(self) -> bool:
        """Whether it reaches only what can be objected to."""
        return bool(self.bases) and self.bases <= OBJECTIONABLE

    def stops(self, use: Use) -> bool:
        """Whether it stops one use. An objection that covers marketing stops that on every basis (Art. 21(2), (3))."""
        on_any_basis = not self.bases or (self.is_objection and use.purpose in MARKETING)
        return (
            (not self.purposes or use.purpose in self.purposes)
            and (on_any_basis or use.basis in self.bases)
            and self.channel in (None, use.channel)
        )


EVERYTHING = Scope()
"""What an erasure, a restriction or a hold stops: they know no purpose."""


def scope_of(reason: Suppression, purposes: frozenset[str] = frozenset(), channel: str | None = None) -> Scope:
    """Return what a suppression for this reason stops.

    An objection and a withdrawal never reach further than their law does.
    """
    match reason:
        case Suppression.OBJECTED:
            return Scope(purposes, frozenset() if purposes and purposes <= MARKETING else OBJECTIONABLE, channel)
        case Suppression.CONSENT_WITHDRAWN:
            return Scope(purposes, frozenset({CONSENT}), channel)
        case _:
            return EVERYTHING


NOBODY: Mapping[int, pl.DataFrame] = MappingProxyType({})
Need = frozenset[Use]
"""Uses of which at least one must still stand."""


def sift(
    runs: Sequence[tuple[pl.DataFrame, Scope]], needs: Sequence[Need], again: Mapping[int, pl.DataFrame] = NOBODY
) -> pl.DataFrame:
    """Return references (ref, reason) for which every use of some need was stopped, each with the strongest reason.

    ``again``: by the place of a withdrawal among the runs, whose consent was given since (ref, purpose, channel). The
    withdrawal stops nothing for these.
    """
    return merge_suppressions([part for need in needs for part in _stopped(runs, sorted(need, key=repr), again)])


def _stopped(
    runs: Sequence[tuple[pl.DataFrame, Scope]], uses: Sequence[Use], again: Mapping[int, pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    parts = []
    for place, (run, scope) in enumerate(runs):
        numbers, lifted = [number for number, use in enumerate(uses) if scope.stops(use)], again.get(place)
        has_lifted = lifted is not None and not lifted.is_empty()
        if len(numbers) == len(uses) and not has_lifted:
            yield run
        elif numbers:
            stopped = run.join(_named(uses, numbers), how="cross")
            if lifted is not None:
                stopped = stopped.join(lifted, on=("ref", "purpose", "channel"), how="anti")
            parts.append(stopped.drop("purpose", "channel"))
    if parts:
        every = pl.concat(parts)
        whole = every.group_by("ref").agg(pl.col("use").n_unique()).filter(pl.col("use") == len(uses))
        yield every.join(whole, on="ref", how="semi").select(*SCHEMA).unique()


def _named(uses: Sequence[Use], numbers: Sequence[int]) -> pl.DataFrame:
    """Return uses by number, with the purpose and channel that a consent to them is about."""
    said = {
        "use": list(numbers),
        "purpose": [uses[number].purpose for number in numbers],
        "channel": [uses[number].channel for number in numbers],
    }
    return pl.DataFrame(said, schema_overrides={"channel": pl.String})
