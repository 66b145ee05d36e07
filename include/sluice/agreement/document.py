"""Read YAML into plain values that remember their line: only text, numbers, dates, lists and mappings.

Tags, anchors and duplicate keys are refused, so that a reviewer reads what the machine reads.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from sluice.agreement.codes import CODES
from sluice.agreement.errors import PaperInvalid
from sluice.agreement.model import Problem
from sluice.terms import Sha256

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 30
KEPT_BYTES = 64 * 1024
"""Larger documents are not cached: a parsed document takes up to sixty times the memory of its bytes."""
OTHER_BASE = "019"

_SCALARS = {
    f"tag:yaml.org,2002:{name}": getattr(yaml.constructor.SafeConstructor, f"construct_yaml_{name}")
    for name in ("str", "int", "float", "bool", "null", "timestamp")
}
_OTHER_BASE = {
    "tag:yaml.org,2002:int": re.compile("[-+]?0[0-9_bx]|.*:"),
    "tag:yaml.org,2002:float": re.compile(".*:"),
}
"""Spellings of numbers that YAML 1.1 reads as octal, hexadecimal, binary or (``12:30``) base 60."""
LONGEST_NUMBER = 400
"""Characters. YAML 1.1's base 60 takes time by the square of them, and no number of a document is longer."""
_PLAIN = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", *_SCALARS}


@dataclass(frozen=True, slots=True)
class Spot:
    """A value of a document with its line and path; a missing value has the line of its parent."""

    value: Any
    line: int
    where: str
    exists: bool = True
    keys: Mapping[str, "Spot"] = field(default_factory=dict)
    entries: tuple["Spot", ...] = ()
    is_other_base: bool = False
    """Whether it is a number that people read differently: ``0100`` is 64 to YAML."""

    def __getitem__(self, key: str) -> "Spot":
        return self.keys.get(key) or Spot(None, self.line, f"{self.where}.{key}".lstrip("."), exists=False)

    def __iter__(self) -> Iterator["Spot"]:
        return iter(self.entries)

    @property
    def text(self) -> str | None:
        """The value if it is a non-empty text, else None."""
        return self.value if isinstance(self.value, str) and self.value else None

    @property
    def day(self) -> date | None:
        """The value if it is a calendar day, else None."""
        return self.value if isinstance(self.value, date) and not isinstance(self.value, datetime) else None

    @property
    def is_given(self) -> bool:
        return self.exists and self.value is not None


@dataclass(frozen=True, slots=True)
class Document:
    """One file, parsed: ``root`` is its mapping, ``sha256`` the hash of its bytes."""

    path: str
    body: bytes
    sha256: Sha256
    root: Spot

    @property
    def is_agreement(self) -> bool:
        return self.root["agreementId"].exists

    @property
    def is_contract(self) -> bool:
        return bool(self.root["kind"].value == "DataContract")

    @property
    def prefix(self) -> str:
        """The first part of the linter codes that apply to it: AGR or CON."""
        return "AGR" if self.is_agreement else "CON"


@dataclass(frozen=True, slots=True)
class Found:
    """One finding of a rule, before it becomes a Problem of a file."""

    spot: Spot
    number: str
    detail: str = ""


def check_numbers(spot: Spot) -> Iterator[Found]:
    """Find numbers at or below a spot that YAML reads in another base than a person does."""
    if spot.is_other_base:
        yield Found(spot, OTHER_BASE)
    for below in (*spot.keys.values(), *spot.entries):
        yield from check_numbers(below)


def make_problem(path: str, line: int, code: str, where: str, detail: str = "") -> Problem:
    """Make a problem, whose message has the one form of the linter: rule, place, detail, cure."""
    known = CODES[code]
    place = " - ".join(part for part in (where, detail) if part)
    return Problem(path, line, code, f"{known.rule}: {place or 'this file'}. Cure: {known.cure}", known.severity)


def locate(document: Document, found: Found) -> Problem:
    return make_problem(
        document.path, found.spot.line, f"{document.prefix}-{found.number}", found.spot.where, found.detail
    )


def read_document(path: Path) -> Document:
    """Read and parse one file. Raises PaperInvalid with the line of the first problem."""
    try:
        body = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError:
        body = None
    if body is None:
        raise PaperInvalid(make_problem(str(path), 1, f"{_guess_prefix(path.name, b'')}-001", ""))
    return parse_document(body, str(path))


def parse_document(body: bytes, path: str) -> Document:
    """Parse the bytes of an agreement or contract. Raises PaperInvalid."""
    prefix = _guess_prefix(path, body)
    fault: Fault | None = None
    try:
        root = parse_yaml(body)
    except Fault as found:
        fault = found
    if fault:
        raise PaperInvalid(make_problem(path, fault.line, f"{prefix}-{fault.number}", fault.where, fault.detail))
    document = Document(path, body, Sha256(hashlib.sha256(body).hexdigest()), root)
    if not (document.is_agreement or document.is_contract):
        raise PaperInvalid(make_problem(path, 1, f"{prefix}-007", ""))
    return document


class Fault(Exception):
    def __init__(self, line: int, number: str, where: str = "", detail: str = "") -> None:
        super().__init__(number)
        self.line, self.number, self.where, self.detail = line, number, where, detail


def _guess_prefix(name: str, body: bytes) -> str:
    is_agreement = b"\nagreementId:" in b"\n" + body or Path(name).name.startswith("agreement")
    return "AGR" if is_agreement and b"kind: DataContract" not in body else "CON"


def parse_yaml(body: bytes) -> Spot:
    """Parse YAML, and cache the result by its bytes if they are at most :data:`KEPT_BYTES`. Raises Fault.

    Callers share the result and must not change it.
    """
    return _kept(body) if len(body) <= KEPT_BYTES else _parsed(body)


@lru_cache(maxsize=32)
def _kept(body: bytes) -> Spot:
    return _parsed(body)


def _parsed(body: bytes) -> Spot:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Fault(body[: error.start].count(b"\n") + 1, "001", detail="not UTF-8") from None
    node = _compose(text)
    if not isinstance(node, yaml.MappingNode):
        raise Fault(1, "006")
    return _spot(node, "", node.start_mark.line + 1)


def _compose(text: str) -> yaml.Node | None:
    """The node tree of the one document in ``text``, or None if there is none."""
    _refuse_early(text)
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
        return node
    except yaml.composer.ComposerError as error:
        raise Fault(error.problem_mark.line + 1 if error.problem_mark else 1, "006") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Fault(line, "002", detail=_syntax(error, text)) from None
    except yaml.reader.ReaderError as error:
        position = error.position if isinstance(error.position, int) else 0
        raise Fault(text[:position].count("\n") + 1, "002", detail="a control character") from None


def _syntax(error: yaml.MarkedYAMLError, text: str) -> str:
    """What the parser met, with its column from 1; a tab, which nobody sees, by its name."""
    mark = error.problem_mark
    if mark is None:
        return error.problem or ""
    is_tab = any(line[mark.column :].startswith("\t") for line in text.split("\n")[mark.line : mark.line + 1])
    return f"column {mark.column + 1}: {'a tab, where YAML takes spaces only' if is_tab else error.problem}"


def _refuse_early(text: str) -> None:
    """Refuse an anchor, alias or nesting beyond MAX_DEPTH before a tree is built, so that nothing can blow up."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise Fault(line, "005")
            if depth > MAX_DEPTH:
                raise Fault(line, "006")
    except yaml.YAMLError:
        return  # composing meets the same error and names it


def _spot(node: yaml.Node, where: str, line: int) -> Spot:
    if node.tag not in _PLAIN:
        raise Fault(node.start_mark.line + 1, "003", where)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, where, line)
    if isinstance(node, yaml.SequenceNode):
        entries = tuple(
            _spot(entry, f"{where}[{index}]", entry.start_mark.line + 1) for index, entry in enumerate(node.value)
        )
        return Spot([entry.value for entry in entries], line, where, entries=entries)
    assert isinstance(node, yaml.ScalarNode)
    form = _OTHER_BASE.get(node.tag)
    return Spot(_scalar(node, where), line, where, is_other_base=bool(form and form.match(node.value)))


def _mapping(node: yaml.MappingNode, where: str, line: int) -> Spot:
    keys: dict[str, Spot] = {}
    for key, value in node.value:
        at = key.start_mark.line + 1
        if key.tag == "tag:yaml.org,2002:merge":
            raise Fault(at, "005", where)
        if not isinstance(key, yaml.ScalarNode) or key.tag not in _PLAIN:
            raise Fault(at, "003", where)
        if key.value in keys:
            raise Fault(at, "004", f"{where}.{key.value}".lstrip("."))
        keys[key.value] = _spot(value, f"{where}.{key.value}".lstrip("."), at)
    return Spot({key: spot.value for key, spot in keys.items()}, line, where, keys=keys)


def _scalar(node: yaml.ScalarNode, where: str) -> Any:
    if node.tag in _OTHER_BASE and len(node.value) > LONGEST_NUMBER:
        raise Fault(node.start_mark.line + 1, "018", where)
    try:
        return _SCALARS[node.tag](yaml.constructor.SafeConstructor(), node)
    except (ValueError, KeyError, OverflowError, AttributeError):
        pass
    raise Fault(node.start_mark.line + 1, "018", where)
