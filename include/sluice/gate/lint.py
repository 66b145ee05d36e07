"""Check what the linter of papers cannot see: rules of a contract that cannot be judged, and missing suites.

This runs before a paper is put in force, on the contracts that files come under: a file that met such a rule would
wait without being to blame. The ``lint`` command checks drafts too.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from sluice.agreement.contract.columns import custom
from sluice.agreement.contract.quality import quality_entries
from sluice.agreement.document import Document, Spot, make_problem, read_document
from sluice.agreement.errors import PaperInvalid
from sluice.agreement.folder.lint import lint_as
from sluice.agreement.folder.load import find_papers, load_contract
from sluice.agreement.model import DataContract, Problem
from sluice.errors import DocumentInvalid
from sluice.gate.contract_rules import rules_for
from sluice.gate.errors import faults_of
from sluice.gate.suites import load_suites

UNJUDGED, ABSENT = "CON-084", "CON-085"
IN_FORCE = frozenset({"active", "deprecated"})
"""Statuses of contracts that activation registers and files come under."""
MEANT = IN_FORCE | {"proposed", "draft"}
"""Statuses of contracts that a file may come under one day."""


def lint_whole(path: Path, prefix: Literal["AGR", "CON"], expectations: Path) -> list[Problem]:
    """Like :func:`sluice.agreement.folder.lint.lint_as`, plus rules and suites of contracts that are not retired."""
    problems = lint_as(path, prefix)
    if prefix == "CON" or path.is_dir():
        folders = sorted({paper.parent for paper in path.rglob("*.y*ml")})
        papers = [paper for folder in folders for paper in find_papers(folder)] or [path]
        problems += [problem for paper in papers for problem in _check(paper, expectations, MEANT)]
    return sorted(problems, key=lambda problem: (problem.path, problem.line, problem.code))


def check_rules(folder: Path, expectations: Path) -> list[Problem]:
    """Problems with the rules of the contracts that files come under once a principal's folder is activated.

    Only files directly in ``folder`` are checked, and no drafts: nothing else is put in force. ``expectations`` is the
    folder of suites. A contract that does not load is skipped; the linter of papers reports why.
    """
    return [problem for paper in find_papers(folder) for problem in _check(paper, expectations, IN_FORCE)]


def _check(path: Path, expectations: Path, standing: frozenset[str]) -> Iterator[Problem]:
    """Problems of one contract, if its status is in ``standing``."""
    try:
        contract = load_contract(path)
    except PaperInvalid:
        return
    if contract.status not in standing:
        return
    document = read_document(path)
    for spot, part in _parts(document, contract):
        try:
            absent = [name for name in part.suites if not (expectations / f"{name}.json").is_file()]
            if absent:
                yield make_problem(document.path, spot.line, ABSENT, spot.where, absent[0])
            else:
                rules_for(part, load_suites(expectations, part.suites))
        except DocumentInvalid as error:
            problem = make_problem(document.path, spot.line, UNJUDGED, spot.where)
            beginning = problem.message.partition(". Cure: ")[0]
            yield from (replace(problem, message=f"{beginning} - {fault}") for fault in faults_of(error))


def _parts(document: Document, contract: DataContract) -> Iterator[tuple[Spot, DataContract]]:
    """The contract with its columns alone, then once per rule and per suite with only that one; each with its spot."""
    yield document.root["schema"], replace(contract, quality=(), suites=())
    asked = {entry["id"].value: entry for entry, _ in quality_entries(document)}
    for rule in contract.quality:
        yield asked[rule.id], replace(contract, quality=(rule,), suites=())
    named = {entry.value: entry for entry in custom(document.root).get("expectationSuites", ())}
    for name in contract.suites:
        yield named[name], replace(contract, quality=(), suites=(name,))
