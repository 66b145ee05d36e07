"""Read the first lines of many papers, fast: only top-level texts, until the wanted ones are found.

A DAG file is parsed often, so 200 agreements and 200 contracts must take only a fraction of a second.
"""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from sluice.agreement.clauses.shape import PRINCIPAL
from sluice.agreement.document import MAX_BYTES, make_problem
from sluice.agreement.errors import PaperInvalid
from sluice.agreement.model import Problem
from sluice.agreement.papers import FlowPaper
from sluice.terms import FLOW_PATTERN, Direction, Flow, Principal

log = logging.getLogger(__name__)

_WANTED = frozenset({"agreementId", "version", "kind", "id"})
_ENOUGH = (frozenset({"agreementId", "version"}), frozenset({"kind", "id"}))


def skim_folder(folder: Path, paths: tuple[Path, ...]) -> Iterator[FlowPaper]:
    """The flows of one principal's folder; each names the papers that cannot be read.

    A flow is left out if its name or its folder's is not valid: Airflow would refuse such a DAG, and with it the DAG
    file with everybody's flows. The linter reports the name; the log says which file has no DAG.
    """
    for flow in _flows(folder, paths):
        if re.fullmatch(PRINCIPAL.form, flow.principal) and re.fullmatch(FLOW_PATTERN, flow.flow):
            yield flow
        else:
            log.warning("no DAG for %r: its folder or its flow has no name that a DAG can have", flow.contract_path)


def _flows(folder: Path, paths: tuple[Path, ...]) -> Iterator[FlowPaper]:
    heads: dict[Path, dict[str, str]] = {}
    broken: list[Problem] = []
    for path in paths:
        try:
            heads[path] = _head(path)
        except PaperInvalid as error:
            broken += error.problems
    beside = tuple(problem for problem in broken if not _is_contract(problem.path))
    for path, head in heads.items():
        if "agreementId" not in head:
            yield _flow(folder.name, path, head.get("id", ""), beside)
    for problem in broken:
        if _is_contract(problem.path):
            yield _flow(folder.name, Path(problem.path), "", (*beside, problem))


def _is_contract(path: str) -> bool:
    return path.endswith(".odcs.yaml")


def _flow(principal: str, path: Path, contract_id: str, broken: tuple[Problem, ...]) -> FlowPaper:
    """The flow that a contract's id names; else the one its file name names, with the file counted as broken."""
    flow, _, direction = path.name.removesuffix(".odcs.yaml").rpartition(".")
    parts = contract_id.split(".", 2)
    if len(parts) == 3 and parts[0] == principal and parts[1] in tuple(Direction) and parts[2]:
        direction, flow = parts[1], parts[2]
    elif not broken:
        broken = (make_problem(str(path), 1, "CON-020", "id"),)
    known = Direction(direction) if direction in tuple(Direction) else Direction.INBOUND
    return FlowPaper(Principal(principal), known, Flow(flow or path.stem), str(path), broken)


def _head(path: Path) -> dict[str, str]:
    """Top-level texts of a file. Raises PaperInvalid if the file lacks the wanted ones or cannot be read."""
    prefix = "CON" if _is_contract(path.name) else "AGR"
    line, number = 1, "001"
    try:
        with path.open("rb") as file:
            found = _read_head(file.read(MAX_BYTES))
        if any(wanted <= found.keys() for wanted in _ENOUGH):
            return found
        number = "007"
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, number = (mark.line + 1 if mark else 1), "002"
    except OSError:
        number = "001"
    raise PaperInvalid(make_problem(str(path), line, f"{prefix}-{number}", ""))


def _read_head(body: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    depth, key = 0, None
    for event in yaml.parse(body, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth, key = depth + 1, (None if depth == 1 else key)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent) and depth == 1:
            if key is None:
                key = event.value
                continue
            if key in _WANTED:
                found[key] = event.value
            key = None
            if any(wanted <= found.keys() for wanted in _ENOUGH):
                break
    return found
