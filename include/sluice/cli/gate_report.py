"""The verdict of a dry run as one HTML page without scripts, outside resources or values of persons."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sluice.agreement.papers import Paper, PaperMissing
from sluice.cli.gate_reasons import explained
from sluice.documents.reasons import Explained
from sluice.documents.words import Words, words
from sluice.errors import FileUnreadable, Ref
from sluice.exchange.dry_run import Tried
from sluice.exchange.naming import is_safe_name
from sluice.gate.model import Finding
from sluice.given_files import check_readable
from sluice.terms import Severity, Verdict

HERE: Final = Path(__file__).parent
STYLE: Final = HERE.parent / "web" / "pages" / "assets" / "sluice.css"
CHIPS: Final = {
    Verdict.PASSED: ("accepted", "✓"),
    Verdict.WARNED: ("partly_accepted", "!"),
    Verdict.REFUSED: ("refused", "✗"),
    Verdict.UNDECIDED: ("undecided", "?"),
}
"""Style class and sign of each verdict; the sign is there because colour alone must not carry the meaning."""


@dataclass(frozen=True, slots=True)
class Line:
    """One finding: where, how often, and what the contract or suite requires there."""

    code: str
    rule: str
    asks: str
    column: str
    count: str
    rows: str
    readings: tuple[str, ...]
    is_warning: bool


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What the page says of the file itself; read before judging, so that a file deleted meanwhile costs no verdict."""

    name: str
    size_bytes: int
    sha256: str


def look_at(file: Path) -> LookedAt:
    """Read what the page says of the file. Raises FileMissing, FileUnreadable."""
    named = Ref("argument", "FILE")
    check_readable(file, named)
    try:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return LookedAt(file.name, file.stat().st_size, digest)
    except OSError:
        pass
    raise FileUnreadable(named)


def report_page(paper: Paper | PaperMissing, file: LookedAt, tried: Tried, lang: str) -> str:
    """Return the page, HTML in nl, fr or en. It has the name of the file only if that cannot be a person's."""
    say, verdict = words(lang), tried.verdict
    kind, sign = CHIPS[verdict.verdict]
    groups: dict[Explained, list[Line]] = {}
    for reason, told in explained(tried.reasons, lang):
        line, before = _line(say, tried, reason), groups.setdefault(told, [])
        is_said = any(each.rule == line.rule for each in before)  # of each column that is too many, by one rule
        before.append(replace(line, asks="") if is_said else line)
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("gate_report.html").render(
        say=say.say,
        language=lang,
        style=Markup(STYLE.read_text(encoding="utf-8")),  # nosec B704  # a file of ours
        name=file.name if is_safe_name(file.name) else say.say("dry_run.file"),
        kind=kind,
        sign=sign,
        word=say.say(f"dry_run.{verdict.verdict.lower()}.word"),
        sentence=_sentence(say, tried),
        counts=_counts(say, tried),
        groups=list(groups.items()),
        facts=list(_facts(say, paper, file, tried)),
    )


def _sentence(say: Words, tried: Tried) -> str:
    verdict = tried.verdict
    told = say.say(f"dry_run.{verdict.verdict.lower()}.sentence")
    if verdict.verdict is Verdict.WARNED and verdict.rows_refused:
        told = say.count("dry_run.partly", verdict.rows_refused, rows=say.number(verdict.rows_refused))
    held = say.count("dry_run.held", tried.rows_held, rows=say.number(tried.rows_held)) if tried.rows_held else ""
    return f"{told} {held}".strip()


def _counts(say: Words, tried: Tried) -> list[tuple[str, str]]:
    counted = {"in": tried.verdict.rows_in, "accepted": tried.rows_accepted, "refused": tried.verdict.rows_refused}
    counted |= {"held": tried.rows_held}
    return [(say.say(f"dry_run.rows_{name}"), say.number(count)) for name, count in counted.items()]


def _line(say: Words, tried: Tried, reason: Finding) -> Line:
    more = "\N{NO-BREAK SPACE}…" if reason.rows and reason.count > len(reason.rows) else ""
    return Line(
        code=reason.code,
        rule=reason.rule,
        asks=tried.asked.get((reason.rule, reason.code), ""),
        column=reason.column or "",
        count=say.number(reason.count),
        rows=(", ".join(map(str, reason.rows)) or say.say("reasons.whole_file")) + more,
        readings=reason.readings,
        is_warning=reason.severity is Severity.WARNING,
    )


def _facts(say: Words, paper: Paper | PaperMissing, file: LookedAt, tried: Tried) -> Iterator[tuple[str, str]]:
    if paper.agreement:
        yield say.say("dry_run.agreement"), f"{paper.agreement.agreement_id} {paper.agreement.version}"
    if paper.contract:
        yield say.say("dry_run.contract"), f"{paper.contract.contract_id} {paper.contract.version}"
    yield say.say("dry_run.bytes"), say.number(file.size_bytes)
    yield "SHA-256", file.sha256
    if tried.not_asked:
        yield say.say("dry_run.not_asked"), ", ".join(f"{each.column} ({each.dataset})" for each in tried.not_asked)
    yield say.say("dry_run.judged"), say.moment(datetime.now(UTC).isoformat())
