"""A region's number plan as one regular expression, taken from the phonenumbers metadata.

The expression covers the ordinary spellings only. A region whose plan needs more than a trunk
zero gets none, and its numbers are read by the library one by one: slower, never different.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phonenumbers import PhoneMetadata, PhoneNumberDesc

NEIGHBOURS = ("BE", "FR", "NL", "DE", "LU")
"""Regions whose international spellings get a pass of their own, whatever the region of the file."""


@dataclass(frozen=True, slots=True)
class PhonePlan:
    """How the numbers of a region are written.

    ``pattern`` matches ``+`` and digits as ``compact_phone`` leaves them, ``general`` the national part. A match that
    begins with ``+`` or ``00``, or is longer than ``longest``, holds the country code. ``apart``: no national number is
    long enough to hold the country code too, so that a bare country code at the start is told apart by the length
    alone.
    """

    country_code: str
    pattern: str
    general: str
    longest: int
    apart: bool


@cache
def local_plan(region: str) -> PhonePlan | None:
    """How numbers of ``region`` are written in a file of that region, or None when no pattern can tell."""
    return _plan(region, at_home=True)


@cache
def foreign_plan(region: str) -> PhonePlan | None:
    """How numbers of ``region`` are written abroad, with ``+`` or ``00``, or None."""
    return _plan(region, at_home=False)


@cache
def dials_00(region: str) -> bool:
    """Whether 00 comes before a country code in a file of ``region``; if not, the library says what it means."""
    from phonenumbers import PhoneMetadata

    plan = PhoneMetadata.metadata_for_region(region)
    return plan is not None and plan.international_prefix == "00"


def _plan(region: str, *, at_home: bool) -> PhonePlan | None:
    plan = _metadata(region)
    if plan is None:
        return None
    code, trunk = str(plan.country_code), _trunk(plan)
    longest = max(_lengths(plan.general_desc))
    apart = longest < len(code) + min((*_lengths(plan.fixed_line), *_lengths(plan.mobile)))
    prefixes = [rf"(?:\+|00){code}{trunk}"]
    if at_home:
        prefixes += [trunk, code] if apart else [trunk]
    pattern = rf"^(?:{'|'.join(prefixes)})(?:{_either(plan.fixed_line, plan.mobile)})$"
    return PhonePlan(code, pattern, rf"^(?:{_either(plan.general_desc)})$", longest, apart)


def _trunk(plan: "PhoneMetadata") -> str:
    return "0?" if plan.national_prefix == "0" else ""


def _either(*kinds: "PhoneNumberDesc | None") -> str:
    patterns = [kind.national_number_pattern for kind in kinds if kind is not None]
    return "|".join(f"(?:{pattern})" for pattern in patterns).replace(r"\d", "[0-9]")


def _lengths(kind: "PhoneNumberDesc | None") -> tuple[int, ...]:
    return () if kind is None else kind.possible_length


def _metadata(region: str) -> "PhoneMetadata | None":
    """Return the plan, unless its country code is shared or it has other prefixes than 0 and 00."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

    plan = PhoneMetadata.metadata_for_region(region)
    if plan is None or not dials_00(region) or plan.national_prefix_transform_rule is not None:
        return None
    plain = plan.national_prefix is None or plan.national_prefix == plan.national_prefix_for_parsing == "0"
    alone = COUNTRY_CODE_TO_REGION_CODE.get(plan.country_code or 0) == (region,)
    return plan if plain and alone else None
