"""Put an error into the reader's language: fields by their labels, rules by a sentence. Pure.

An error without translation is shown in English, with its code, so that nothing is left out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sluice.documents.words import Words
from sluice.errors import SluiceError
from sluice.web.errors import Fault, NothingThere, RequestInvalid

LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{name: f"pages.{name}" for name in ("principal", "direction", "since", "number", "right", "state", "sort")},
        **{name: f"pages.{name}" for name in ("on", "known_at", "as_of")},
        **{name: f"pages.form.{name}" for name in ("reason", "ground", "evidence", "action")},
        **{name: f"pages.breach.{name}" for name in ("object", "agent", "until", "aware", "risk")},
        "decision": "pages.verdict",
        "exchange": "pages.number",
        "lang": "pages.languages",
        "zoom": "pages.lineage.zoom",
        "open": "pages.which",
        "ours": "pages.matter.cases",
        "part": "pages.form.parts",
        "refuse": "pages.form.refused",
        "abuse_proven": "pages.form.abuse",
        "outcome": "pages.notice.outcome",
        "choice": "pages.review.choice",
        "rows": "pages.review.rows",
        "version": "pages.agreements.version",
        "profile": "pages.roles.profile",
        "left": "pages.agreements.left",
        "every": "pages.agreements.lines",
        "draft": "pages.breach.drafts",
        **{name: f"pages.open.{name}" for name in ("phone", "email", "customer", "owner", "national_number", "iban")},
        **{name: f"pages.open.{name}" for name in ("full_name", "born", "received", "channel", "language", "purpose")},
        "contact_channel": "pages.open.contact_channel",
        "kind": "pages.letter",
        "candidate": "pages.candidates.which",
    }
)
"""Labels of fields for which the page has no text of its own (``pages.<page>.<name>``)."""
OUTCOME: Final = "pages.form.identity"
"""Label of ``outcome`` in an identity check. Elsewhere it is the outcome of a notice."""
HINTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "reason": "pages.form.reason.hint",
        "evidence": "pages.form.evidence.hint",
        "number": "pages.number.form",
        "exchange": "pages.number.form",
        "object": "pages.breach.object.form",
    }
)
"""What a field accepts, if its form needs an explanation."""
NUMBERS: Final = frozenset({"number", "exchange"})
"""Fields by which something is looked up."""
LISTS: Final = frozenset({"part", "rows", "candidate"})
"""Fields that are ticked: if they are missing, nothing was chosen."""
KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "missing": "missing",
        "too_short": "unchosen",
        "string_pattern_mismatch": "form",
        "string_too_short": "form",
        "value_error": "moment",
        **dict.fromkeys(("enum", "literal_error", "bool_parsing"), "choice"),
        **dict.fromkeys(("too_long", "string_too_long"), "long"),
        **dict.fromkeys(("int_parsing", "uuid_parsing", "multiple_of"), "number"),
        **dict.fromkeys(("greater_than_equal", "less_than_equal"), "number"),
        **dict.fromkeys(("date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), "moment"),
        **dict.fromkeys(("datetime_parsing", "datetime_from_date_parsing"), "moment"),
        "not_after_since": "not_after_since",
        "not_with_exchange": "not_with_exchange",
        **{each: each for each in ("names_nobody", "nobody_given", "no_name", "several_know", "not_addressed")},
        **{each: each for each in ("in_the_future", "only_to_erase", "not_with_reason")},
    }
)
"""Why a field cannot be followed: from the reason of pydantic, or ours, to the key of the sentence."""
RULES: Final = frozenset({"guard", "rule", "reason", "because"})
"""Kinds of references that are names of rules."""
STATES: Final = frozenset({"from", "to"})
COUNTED: Final = frozenset({"fields"})
"""References that are left out, because what they count is listed one by one."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field, and what is wrong with it."""

    name: str
    label: str
    said: str


@dataclass(frozen=True, slots=True)
class ErrorText:
    """An error as a page shows it. ``said``, ``cure``: None if the language has no text for it."""

    said: str | None
    cure: str | None
    fields: tuple[FieldError, ...]
    rules: tuple[tuple[str, str | None], ...]
    """Names of the rules that do not hold, as in the handbook, and what each says."""
    step: tuple[str, ...]
    """The state of a case before and after the step."""
    refs: tuple[str, ...]
    """Ids, places and counts, as they are."""


def wrong_of(error: SluiceError, asked: Collection[str] = ()) -> frozenset[str]:
    """Return the names of the wrong fields. ``asked``: those of a form that looks something up."""
    if isinstance(error, NothingThere):
        return NUMBERS & frozenset(asked)
    return frozenset(map(name_of, error.faults)) if isinstance(error, RequestInvalid) else frozenset()


def told(
    error: SluiceError, say: Words, page: str = "", is_lookup: bool = False, faults: Sequence[Fault] = ()
) -> ErrorText:
    """Return an error in one language. ``page``: the first word of its address, for the labels of its fields.

    ``is_lookup``: something was looked up by its number, so that what is missing is not a page. ``faults``: the fields
    of an error that does not name them itself.
    """
    rules = [name for ref in error.refs if ref.kind in RULES for name in str(ref.value).split(", ")]
    is_none = is_lookup and type(error) is NothingThere
    return ErrorText(
        said=say.find("pages.find.none" if is_none else f"pages.said.{error.code}"),
        cure=say.find("pages.find.none.cure" if is_none else f"pages.cure.{error.code}"),
        fields=_fields(error.faults if isinstance(error, RequestInvalid) else faults, say, page),
        rules=tuple((name, say.find(f"pages.rule.{name}", f"pages.barred.{name}")) for name in rules),
        step=tuple(say.find(f"state.{ref.value}") or str(ref.value) for ref in error.refs if ref.kind in STATES),
        refs=tuple(str(ref) for ref in error.refs if ref.kind not in COUNTED | RULES | STATES),
    )


def _fields(faults: Sequence[Fault], say: Words, page: str) -> tuple[FieldError, ...]:
    """Return one line per field, with the first error of each."""
    lines: dict[str, FieldError] = {}
    for fault in faults:
        lines.setdefault(name_of(fault), _line(fault, say, page))
    return tuple(lines.values())


def name_of(fault: Fault) -> str:
    """Return the name of the field, without its place in a list."""
    return fault.pointer.strip("/").partition("/")[0]


def _line(fault: Fault, say: Words, page: str) -> FieldError:
    name = name_of(fault)
    kind = KINDS.get(fault.reason, "other")
    if kind == "missing" and name in LISTS:
        kind = "unchosen"
    said = say.say(f"pages.fault.{kind}")
    hint = HINTS.get(name) if kind == "form" else None
    own = OUTCOME if (page, name) == ("cases", "outcome") else f"pages.{page}.{name}"
    label = say.find(own, LABELS.get(name, "pages.fault.somewhere")) or name
    return FieldError(name, label, f"{said} {say.say(hint)}" if hint else said)
