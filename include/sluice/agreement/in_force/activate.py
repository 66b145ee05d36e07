"""Put the papers of a folder in force, principal by principal: lint them, then register them by hash."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sluice.agreement.codes import GAP_CODES
from sluice.agreement.contract.columns import contract_id, custom
from sluice.agreement.document import Document, make_problem
from sluice.agreement.folder.build import build_agreement
from sluice.agreement.folder.lint import Folder, lint_folder, read_folder
from sluice.agreement.folder.load import find_folders
from sluice.agreement.in_force.customer_ids import check_unchanged
from sluice.agreement.in_force.store import activate, find_owner, find_signed_otherwise, find_state, has_contract
from sluice.agreement.model import Problem
from sluice.agreement.papers import Registration
from sluice.db import Connection, transaction
from sluice.terms import Principal, Severity
from sluice.times import brussels_day

Check = Callable[[Path], Iterable[Problem]]
"""Finds more problems in a folder than the papers alone show: in rules, which only the gate can check."""


@dataclass(frozen=True, slots=True)
class PrincipalActivation:
    """What activating one principal's folder did.

    ``is_refused``: a problem stopped it and nothing changed. A contract whose only errors are gaps is registered as a
    gap, so ``problems`` can hold errors although nothing was refused.
    """

    principal: str
    activated: tuple[str, ...] = ()
    """Documents newly in force, as ``DPA-X 1.0.0``."""
    unchanged: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    is_refused: bool = False

    @property
    def has_errors(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self.problems)


def activate_all(
    conn: Connection, principals_dir: Path, now: datetime, check: Check | None = None
) -> tuple[PrincipalActivation, ...]:
    """Activate every principal's folder. A folder with an error stays as it was; the others are activated."""
    return tuple(activate_principal(conn, folder, now, check) for folder in find_folders(principals_dir))


def activate_principal(conn: Connection, path: Path, now: datetime, check: Check | None = None) -> PrincipalActivation:
    """Activate one principal's folder in one transaction; a folder that is already in force costs a few queries.

    A contract whose only errors are gaps is registered as a gap if no other is in force, so that its files are refused
    for that reason; a better one that is in force stays.
    """
    folder = read_folder(path)
    if settled := _settled(conn, folder):
        return PrincipalActivation(path.name, unchanged=settled)
    problems = lint_folder(folder, principal=path.name) + list(check(path) if check else ())
    if not folder.documents and not problems:
        return PrincipalActivation(path.name)
    gaps = _gapped(folder, problems)
    blocking = [
        problem
        for problem in problems
        if problem.severity is Severity.ERROR and not (problem.code in GAP_CODES and problem.path in gaps)
    ]
    with transaction(conn):
        blocking += _check_registered(conn, folder) + check_unchanged(conn, folder)
        if blocking:
            found = (*problems, *(problem for problem in blocking if problem not in problems))
            return PrincipalActivation(path.name, problems=found, is_refused=True)
        documents = tuple(_registration(document, gaps, now) for document in folder.documents if _is_live(document))
        wanted = tuple(document for document in documents if not _is_worse(conn, document))
        new = activate(conn, wanted, now)
    return PrincipalActivation(
        path.name,
        activated=tuple(_name(document) for document in wanted if document.sha256 in new),
        unchanged=tuple(_name(document) for document in wanted if document.sha256 not in new),
        problems=tuple(problems),
    )


def _settled(conn: Connection, folder: Folder) -> tuple[str, ...]:
    """The names of all documents if each is in force unchanged, so that nothing needs linting; else empty."""
    names = []
    for document in folder.documents if not folder.unreadable else ():
        root = document.root
        if not _is_live(document):
            continue
        if not _is_in_force(conn, document):
            return ()
        names.append(f"{root['agreementId' if document.is_agreement else 'id'].value} {root['version'].value}")
    return tuple(names)


def _is_in_force(conn: Connection, document: Document) -> bool:
    kind, key = ("agreement", "agreementId") if document.is_agreement else ("contract", "id")
    return find_state(conn, kind, str(document.root[key].value), document.sha256) not in (None, "gap")


def _gapped(folder: Folder, problems: list[Problem]) -> frozenset[str]:
    """Paths of contracts that name their agreement and whose only errors are gaps."""
    contracts = {
        document.path for document in folder.documents if not document.is_agreement and _pin(document)[0] is not None
    }
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    worse = {problem.path for problem in errors if problem.code not in GAP_CODES}
    return frozenset({problem.path for problem in errors} & contracts - worse)


def _pin(document: Document) -> tuple[str | None, str | None]:
    answers = custom(document.root)
    name, version = answers.get("agreementId"), answers.get("agreementVersion")
    return (name.text if name else None), (version.text if version else None)


def _is_live(document: Document) -> bool:
    """Whether a document is to be registered: agreements are, proposed and draft contracts are not."""
    return document.is_agreement or document.root["status"].value in ("active", "deprecated", "retired")


def _check_registered(conn: Connection, folder: Folder) -> list[Problem]:
    """Problems with signed versions that were edited, and with agreement ids that belong to another principal."""
    found = []
    for document in folder.agreements:
        root = document.root
        name, version = str(root["agreementId"].value), str(root["version"].value)
        if find_signed_otherwise(conn, name, version, document.sha256):
            found.append(make_problem(document.path, root["version"].line, "AGR-028", "version", version))
        owner = find_owner(conn, name)
        if owner and owner != folder.path.name:
            found.append(make_problem(document.path, root["agreementId"].line, "AGR-029", "agreementId", owner))
    return found


def _registration(document: Document, gaps: frozenset[str], now: datetime) -> Registration:
    if document.is_agreement:
        agreement = build_agreement(document)
        return Registration(
            "agreement",
            agreement.agreement_id,
            agreement.version,
            agreement.principal,
            "active",
            agreement.valid_from,
            agreement.valid_to,
            _stored_path(document),
            document.body,
            document.sha256,
        )
    retired = document.root["status"].value == "retired"
    start = custom(document.root).get("validFrom")
    return Registration(
        "contract",
        str(document.root["id"].value),
        str(document.root["version"].value),
        Principal(contract_id(document)[0]),
        "gap" if document.path in gaps else "retired" if retired else "active",
        (start.day if start else None) or brussels_day(now),
        None,
        _stored_path(document),
        document.body,
        document.sha256,
        *_pin(document),
    )


def _stored_path(document: Document) -> str:
    """``<principal>/<file>``: the name of the registered copy in messages, without the path on this machine."""
    return "/".join(Path(document.path).parts[-2:])


def _is_worse(conn: Connection, document: Registration) -> bool:
    """Whether this is a gap that would replace a working contract, which must not happen."""
    return document.state == "gap" and has_contract(conn, document.document_id)


def _name(document: Registration) -> str:
    return f"{document.document_id} {document.version}" + (f" ({document.state})" if document.state != "active" else "")
