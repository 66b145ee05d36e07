"""The tables of this room as Markdown, so that the docs show what the code reads.

``python -m sluice.agreement.tables FILE...`` rewrites the tables between their marks in documents.
"""

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from sluice.agreement import dpv
from sluice.agreement.codes import CODES
from sluice.agreement.contract.quality import EXPECTATIONS
from sluice.agreement.roles.profiles import (
    AGENT_ADDED,
    DERIVED,
    NOTIFIED,
    PRINCIPAL_SUPPLIED,
    PROFILES,
    STAFF_GROUPS,
    default_profile,
)
from sluice.terms import Direction, FieldGroup

_MARK = re.compile(r"(<!-- table: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)])


def profiles() -> str:
    """The six role profiles."""
    head = ("profile", "controller", "processor", "owner label", "basis holder", "answers the person", "note")
    return _markdown(
        head,
        [
            (f"`{name}`", p.controller, p.processor, p.owner_label, p.basis_holder, p.answers_subject, p.note)
            for name, p in PROFILES.items()
        ],
    )


def groups() -> str:
    """Every field group, with the profile expected if nothing is written."""
    return _markdown(
        ("field group", "supplied by", "expected inbound", "expected in the return"),
        [
            (
                f"`{group}`",
                _supplier(group),
                str(default_profile(Direction.INBOUND, group)),
                str(default_profile(Direction.OUTBOUND_RETURN, group) or "none: must be written"),
            )
            for group in FieldGroup
        ],
    )


def _supplier(group: FieldGroup) -> str:
    names = (
        (PRINCIPAL_SUPPLIED, "principal"),
        (AGENT_ADDED, "agents"),
        (STAFF_GROUPS, "staff systems"),
        (DERIVED, "derived"),
    )
    return next(name for members, name in names if group in members)


def notified() -> str:
    """Who is told, by direction."""
    return _markdown(
        ("direction", "told"),
        [(f"`{direction}`", ", ".join(told) or "nobody") for direction, told in NOTIFIED.items()],
    )


def codes() -> str:
    """Every code of the linter."""
    return _markdown(
        ("code", "", "what is wrong", "cure"),
        [(code.code, code.severity, code.rule, code.cure) for code in sorted(CODES.values(), key=lambda c: c.code)],
    )


def expectations() -> str:
    """The closed list of expectation kinds."""
    return _markdown(
        ("kind", "arguments"),
        [(f"`{kind}`", ", ".join(arguments)) for kind, arguments in EXPECTATIONS.items()],
    )


def terms() -> str:
    """The closed list of DPV terms, by kind: names without their prefix, which the head of each row gives."""
    kinds = (
        ("purposes", dpv.PURPOSES),
        ("legal bases", dpv.LEGAL_BASES),
        ("conditions of Art. 9(2)", dpv.SPECIAL_CONDITIONS),
        ("ways to transfer", dpv.TRANSFER_BASES),
        ("what is done (`nature`)", dpv.PROCESSING),
        ("categories of persons", dpv.SUBJECT_CATEGORIES),
        ("data categories", dpv.ORDINARY_CATEGORIES),
        ("data categories of Art. 9", dpv.SPECIAL_CATEGORIES),
        ("data categories of Art. 10", dpv.CRIMINAL_CATEGORIES),
        ("no personal data", frozenset({dpv.NON_PERSONAL})),
    )
    return _markdown(
        ("kind", "prefix", "names"),
        [(kind, f"`{min(iris).partition('#')[0]}#`", " ".join(sorted(map(dpv.short, iris)))) for kind, iris in kinds],
    )


TABLES: dict[str, Callable[[], str]] = {
    "profiles": profiles,
    "groups": groups,
    "notified": notified,
    "codes": codes,
    "expectations": expectations,
    "terms": terms,
}


def refresh(text: str) -> str:
    """The document with every marked table regenerated."""
    return _MARK.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}\n{found[3]}", text)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        document = Path(name)
        document.write_text(refresh(document.read_text(encoding="utf-8")), encoding="utf-8")
