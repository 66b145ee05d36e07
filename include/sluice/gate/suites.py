"""Load Great Expectations suites from ``expectations/``: JSON that fits the closed list.

People write suites. A broken rule would look like bad data, and some kinds run code, so everything that is not listed
is refused here, with file, place, kind and cure.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sluice.agreement.written import instead_of_number
from sluice.errors import DocumentInvalid, Ref
from sluice.gate.errors import Faults, OptionInvalid, OptionRefused, SuiteUnreadable
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
    faults = Faults()
    faults.add(*_unlisted(document, _SUITE_KEYS, (where,)))
    if document.get("suite_parameters"):
        faults.add(OptionRefused(where, Ref("option", "suite_parameters")))
    name, expectations = document.get("name"), document.get("expectations")
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        faults.add(SuiteUnreadable(where, Ref("key", "name")))
    if not isinstance(expectations, list):
        faults.add(SuiteUnreadable(where, Ref("key", "expectations")))
        expectations = []
    if len(expectations) > MOST_EXPECTATIONS:
        raise SuiteUnreadable(where, Ref("expectations", len(expectations)))
    rules: dict[int, Rule] = {}
    for number, each in enumerate(expectations, 1):
        with faults.noted(where, Ref("expectation", number)):
            rules[number] = _rule(str(name), number, each)
    faults.add(*_same_ids(rules, where))
    faults.check()
    return Suite(str(name), tuple(rules.values()), Sha256(hashlib.sha256(content).hexdigest()), path)


def rule_of(kind: str, kwargs: Mapping[str, Any], rule_id: str, severity: Severity, source: Source) -> Rule:
    """The rule that an expectation type and its kwargs describe; ``mostly`` becomes its tolerance.

    Raises as :func:`sluice.gate.kinds.check_of` does.
    """
    faults = Faults()
    with faults.noted():
        check = check_of(kind, kwargs)
    mostly = kwargs.get("mostly", 1)
    if isinstance(mostly, bool) or not isinstance(mostly, int | float) or not 0 <= mostly <= 1:
        read = Ref("read", instead_of_number(mostly, most=1).removeprefix("read "))
        faults.add(OptionInvalid(Ref("kind", kind), Ref("option", "mostly"), read))
    elif mostly != 1 and kind in KINDS and not KINDS[kind].rows:
        faults.add(OptionRefused(Ref("kind", kind), Ref("option", "mostly")))
    faults.check()
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


def _rule(suite: str, number: int, each: object) -> Rule:
    """The rule of one expectation. Raises SuiteUnreadable, and as :func:`rule_of` does."""
    if not isinstance(each, dict) or not isinstance(each.get("kwargs"), dict) or not isinstance(each.get("type"), str):
        raise SuiteUnreadable()
    kind = Ref("kind", each["type"])
    faults = Faults()
    faults.add(*_unlisted(each, _EXPECTATION_KEYS, (kind,)))
    severity = each.get("severity", "critical")
    if not isinstance(severity, str) or severity not in _SEVERITIES:
        faults.add(OptionInvalid(kind, Ref("option", "severity")))
    with faults.noted(kind):
        rule_id = f"{suite}.{_own_name(each) or number}"
    with faults.noted():
        rule = rule_of(each["type"], each["kwargs"], "", Severity.ERROR, Source.SUITE)
    faults.check()
    return replace(rule, id=rule_id, severity=_SEVERITIES[severity])


def _own_name(each: Mapping[str, Any]) -> str | None:
    """``meta.rule``, the name that reasons use for this expectation; None if it has none, and its number is used."""
    meta = each.get("meta") or {}
    name = meta.get("rule") if isinstance(meta, dict) else ""
    if name is None:
        return None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise OptionInvalid(Ref("option", "meta.rule"))
    return name


def _unlisted(document: Mapping[str, Any], known: set[str], where: tuple[Ref, ...]) -> Iterator[DocumentInvalid]:
    told = Ref("known", ", ".join(sorted(known - {"suite_parameters"})))
    return (OptionRefused(*where, Ref("option", key), told) for key in sorted(set(document) - known))


def _same_ids(rules: Mapping[int, Rule], where: Ref) -> Iterator[DocumentInvalid]:
    seen: set[str] = set()
    for number, rule in rules.items():
        if rule.id in seen:
            yield OptionInvalid(where, Ref("expectation", number), Ref("option", "meta.rule"))
        seen.add(rule.id)
