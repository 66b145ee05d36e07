"""Generate the reference page of codes from the code itself: ``python -m sluice.cli.reference docs/errors.md``."""

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import sluice
from sluice.agreement.codes import CODES
from sluice.agreement.papers import PaperReason
from sluice.answers.handover_record import NOTHING_LEFT
from sluice.documents.reasons import Explained, explain
from sluice.documents.words import words
from sluice.errors import SluiceError
from sluice.exchange.judging.file_facts import INVALID, NOBODY, STALE
from sluice.exchange.judging.free_text import PAST
from sluice.exchange.judging.nursery import ChildEnd
from sluice.exchange.persons.known_keys import NO_KEYS
from sluice.gate.contract_rules import TYPE_CODES
from sluice.gate.judge import JUDGES_DIFFER, NO_RULES, NOT_COMPUTED, TOO_MANY_REFUSED
from sluice.gate.kinds import KINDS
from sluice.lake.read.format_codes import CODES as FORMAT_CODES
from sluice.results.codes import CODES as RESULT_CODES
from sluice.results.mapping_codes import MAPPING_CODES
from sluice.returns.give_back import STALE as STALE_PERSONS
from sluice.returns.model import INPUT_GONE, RETENTION_OVER
from sluice.terms import Direction, ScreenClass

INTRODUCTION = """# Errors and codes

Made from the code by `make docs`; a test keeps it in step. No message ever quotes a value of your file.

- **Reason codes** say why a file or a row was refused. The part before the first `_` is its class.
- **SLU codes** are errors of the command or a service: we could not judge. Their exit code is in brackets.
- **AGR, CON and MAP codes** come from the linters of agreements, contracts and mappings.
"""
HTTP_ERRORS = "sluice.web.errors"
"""The only module of ``orchestration`` that is read for codes; the others have none and import Airflow."""
SKIPPED = {
    "sluice.orchestration",
    "sluice.migrations",
    "sluice.services.keeper",
    "sluice.gate.engine",
    "sluice.sample.__main__",
    "sluice.web",
}


def errors_page() -> str:
    """Return the whole page in Markdown."""
    parts = [INTRODUCTION, "\n## Reason codes\n", *_table(("code", "meaning", "cure"), _reasons())]
    parts += ["\n## SLU codes\n", *_table(("code", "what", "cure"), _errors())]
    parts += ["\n## Linter codes\n", *_table(("code", "what", "cure"), _linter())]
    return "\n".join(parts) + "\n"


def all_reason_codes() -> set[str]:
    """Find every reason code that a verdict can have."""
    of_rules = {kind.code for kind in KINDS.values()} | TYPE_CODES
    of_judge = {TOO_MANY_REFUSED, NO_RULES, NOT_COMPUTED, JUDGES_DIFFER}
    of_paper = {f"FORBIDDEN_{reason}" for reason in PaperReason} | {"FORBIDDEN_COUNTRY"}
    of_file = {
        "DUPLICATE_CONTENT",
        "NAME_UNSAFE",
        "NAME_NOT_AS_AGREED",
        "UNREADABLE_GAVE_UP",
        "UNREADABLE_SEALED",
        NO_KEYS,
    }
    of_persons = {INVALID, NOBODY, STALE, STALE_PERSONS, NOTHING_LEFT}
    of_lists = {"FORBIDDEN_PURPOSE", "FORBIDDEN_CHANNEL", "STALE_DNCM_LIST"}
    of_child = {end.value for end in ChildEnd if end is not ChildEnd.DONE}
    of_notes = {f"TEXT_{word.upper()}_{end}" for word in ScreenClass for end in PAST.values()} | {"TEXT_SAMPLE"}
    of_returns = {"STALE_NEWER_RETURN", INPUT_GONE, RETENTION_OVER, "HEADER_SOURCE_MISSING", "VALUE_UNWRITABLE"}
    of_exchange = of_judge | of_paper | of_file | of_persons | of_child | of_notes | of_lists | of_returns
    return {*FORMAT_CODES, *RESULT_CODES, *of_rules, *of_exchange}


def reason_codes() -> dict[str, Explained]:
    """The English words of receipts and dry runs for every reason code, by code."""
    say = words("en")
    return {code: explain(say, Direction.INBOUND, code) for code in sorted(all_reason_codes())}


def error_classes() -> list[type[SluiceError]]:
    """Every error class of the package with a code of its own, by code."""
    for module in pkgutil.walk_packages(sluice.__path__, "sluice."):
        if not any(module.name == name or module.name.startswith(f"{name}.") for name in SKIPPED):
            importlib.import_module(module.name)
    importlib.import_module(HTTP_ERRORS)
    coded = (kind for kind in _below(SluiceError) if "code" in vars(kind))
    return sorted(coded, key=lambda kind: (kind.code, kind.__name__))


def _below(kind: type[SluiceError]) -> set[type[SluiceError]]:
    return {kind}.union(*(_below(each) for each in kind.__subclasses__()))


def _reasons() -> Iterator[tuple[str, str, str]]:
    for code, told in reason_codes().items():
        yield f"`{code}`", told.meaning, told.cure


def _errors() -> Iterator[tuple[str, str, str]]:
    for kind in error_classes():
        yield f"`{kind.code}` ({int(kind.exit)})", kind.summary, kind.cure


def _linter() -> Iterator[tuple[str, str, str]]:
    for code in (*CODES.values(), *MAPPING_CODES.values()):
        yield f"`{code.code}`", code.rule, code.cure


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;').replace(chr(10), ' ') for cell in row)} |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(errors_page(), encoding="utf-8")
