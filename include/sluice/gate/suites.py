"""Load Great Expectations suites from ``expectations/``: JSON that fits the closed list.

People write suites. A broken rule would look like bad data, and some kinds run code, so everything that is not listed
is refused here, with file, place, kind and cure.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluice.errors import DocumentInvalid, Ref
from sluice.gate.errors import OptionInvalid, OptionRefused, SuiteUnreadable
from sluice.gate.kinds import KINDS, check_of
from sluice.gate.model import Rule, Source, Tolerance
from sluice.terms import Severity, Sha256

MOST_BYTES = 1_048_576
MOST_EXPECTATIONS = 1_000

_SUITE_KEYS = {"name", "expectations", "meta", "notes", "id", "suite_parameters"}
_EXPECTATION_KEYS = {"type", "kwargs", "meta", "notes", "description", "id", "severity"}
_SEVERITIES = {"critical": Severity.ERROR, "warning": Severity.WARNING, "info": Severity.WARNING}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite of which every expectation can be judged; ``sha256`` is the hash of its file."""

    name: str
    rules: tuple[Rule, ...]
    sha256: Sha256
    path: str


def load_suites(folder: Path, names: Iterable[str]) -> tuple[Suite, ...]:
    """The suites that a contract names, in its order. Raises DocumentInvalid subclasses (SLU-43x)."""
    return tuple(load_suite(folder / f"{name}.json") for name in names)


def load_suite(path: Path) -> Suite:
    """Load one suite file. Raises SuiteUnreadable, KindRefused, OptionRefused, OptionInvalid."""
    try:
        content = path.read_bytes()
    except OSError:
        content = None
    if content is None or path.suffix != ".json":
        raise SuiteUnreadable(Ref("suite", path.name))
    return read_suite(content, path.name)


def read_suite(content: bytes, path: str) -> Suite:
    """The suite in ``content``; messages call it ``path``. Raises as :func:`load_suite` does."""
    where = Ref("suite", path)
    document = _parse(content, where)
    _refuse_unlisted(document, _SUITE_KEYS, (where,))
    if document.get("suite_parameters"):
        raise OptionRefused(where, Ref("option", "suite_parameters"))
    name, expectations = document.get("name"), document.get("expectations")
    if not (isinstance(name, str) and _NAME.fullmatch(name)) or not isinstance(expectations, list):
        raise SuiteUnreadable(where)
    if len(expectations) > MOST_EXPECTATIONS:
        raise SuiteUnreadable(where, Ref("expectations", len(expectations)))
    rules = tuple(
        _rule(name, number, each, (where, Ref("expectation", number))) for number, each in enumerate(expectations, 1)
    )
    _refuse_same_id(rules, where)
    return Suite(name, rules, Sha256(hashlib.sha256(content).hexdigest()), path)


def rule_of(kind: str, kwargs: Mapping[str, Any], rule_id: str, severity: Severity, source: Source) -> Rule:
    """The rule that an expectation type and its kwargs describe; ``mostly`` becomes its tolerance."""
    check = check_of(kind, kwargs)
    mostly = kwargs.get("mostly", 1)
    if isinstance(mostly, bool) or not isinstance(mostly, int | float) or not 0 <= mostly <= 1:
        raise OptionInvalid(Ref("kind", kind), Ref("option", "mostly"))
    if mostly != 1 and not KINDS[kind].rows:
        raise OptionRefused(Ref("kind", kind), Ref("option", "mostly"))
    tolerance = None if mostly == 1 else Tolerance("mostly", (float(mostly),), "share")
    return Rule(rule_id, check, KINDS[kind].code, severity, tolerance, source)


def _parse(content: bytes, where: Ref) -> Mapping[str, Any]:
    document: object = None
    place: tuple[Ref, ...] = ()
    if len(content) <= MOST_BYTES:
        try:
            document = json.loads(
                content.decode("utf-8-sig"), object_pairs_hook=_no_key_twice, parse_constant=_no_constant
            )
        except json.JSONDecodeError as error:
            place = (Ref("line", error.lineno), Ref("column", error.colno), Ref("says", error.msg))
        except (ValueError, RecursionError):
            document = None
    if not isinstance(document, dict):
        raise SuiteUnreadable(where, *place)
    return document


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError
    return document


def _no_constant(_: str) -> float:
    """Refuse NaN and Infinity, which Python's parser accepts although JSON has neither."""
    raise ValueError


def _rule(suite: str, number: int, each: object, where: tuple[Ref, ...]) -> Rule:
    if not isinstance(each, dict) or not isinstance(each.get("kwargs"), dict) or not isinstance(each.get("type"), str):
        raise SuiteUnreadable(*where)
    located = (*where, Ref("kind", each["type"]))
    _refuse_unlisted(each, _EXPECTATION_KEYS, located)
    severity = each.get("severity", "critical")
    if not isinstance(severity, str) or severity not in _SEVERITIES:
        raise OptionInvalid(*located, Ref("option", "severity"))
    rule_id = f"{suite}.{_own_name(each, located) or number}"
    try:
        return rule_of(each["type"], each["kwargs"], rule_id, _SEVERITIES[severity], Source.SUITE)
    except DocumentInvalid as found:
        problem = found
    raise type(problem)(*where, *problem.refs)


def _own_name(each: Mapping[str, Any], where: tuple[Ref, ...]) -> str | None:
    """``meta.rule``, the name that reasons use for this expectation; None if it has none, and its number is used."""
    meta = each.get("meta") or {}
    name = meta.get("rule") if isinstance(meta, dict) else ""
    if name is None:
        return None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise OptionInvalid(*where, Ref("option", "meta.rule"))
    return name


def _refuse_unlisted(document: Mapping[str, Any], known: set[str], where: tuple[Ref, ...]) -> None:
    for key in sorted(set(document) - known):
        raise OptionRefused(*where, Ref("option", key), Ref("known", ", ".join(sorted(known - {"suite_parameters"}))))


def _refuse_same_id(rules: tuple[Rule, ...], where: Ref) -> None:
    seen: set[str] = set()
    for number, rule in enumerate(rules, 1):
        if rule.id in seen:
            raise OptionInvalid(where, Ref("expectation", number), Ref("option", "meta.rule"))
        seen.add(rule.id)
