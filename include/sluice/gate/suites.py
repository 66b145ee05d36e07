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

from sluice.agreement.written import instead_of_number, read_as
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
    """The object of a suite file. Raises SuiteUnreadable with the place where reading stopped."""
    faults = Faults()
    with faults.noted(where):
        document = _read_json(content)
    faults.check()  # a fault of its own: an error of the parser would quote the file
    return document


def _read_json(content: bytes) -> Mapping[str, Any]:
    if len(content) > MOST_BYTES:
        raise SuiteUnreadable(Ref("bytes", len(content)), Ref("most", MOST_BYTES))
    try:
        document = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise SuiteUnreadable(Ref("line", error.lineno), Ref("column", error.colno), Ref("says", error.msg)) from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SuiteUnreadable(Ref("line", line), Ref("says", "not UTF-8")) from None
    except ValueError:
        raise SuiteUnreadable(Ref("says", "a number of too many digits")) from None
    except RecursionError:
        raise SuiteUnreadable(Ref("says", "nested too deep")) from None
    if not isinstance(document, dict):
        raise SuiteUnreadable(Ref("read", f"as {read_as(document)}"))
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise SuiteUnreadable(Ref("key", key), Ref("says", "it stands twice"))
        seen.add(key)
    return dict(pairs)


def _no_constant(word: str) -> float:
    """Refuse NaN and Infinity, which Python's parser accepts although JSON has neither."""
    raise SuiteUnreadable(Ref("says", f"{word} is no number of JSON"))


def _rule(suite: str, number: int, each: object) -> Rule:
    """The rule of one expectation. Raises SuiteUnreadable, and as :func:`rule_of` does."""
    if not isinstance(each, dict):
        raise SuiteUnreadable()
    lacks = [key for key, wanted in (("type", str), ("kwargs", dict)) if not isinstance(each.get(key), wanted)]
    kind = Ref("kind", "none" if "type" in lacks else each["type"])
    faults = Faults()
    faults.add(*_unlisted(each, _EXPECTATION_KEYS, (kind,)), *(SuiteUnreadable(Ref("key", key)) for key in lacks))
    if lacks:
        faults.check()
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
