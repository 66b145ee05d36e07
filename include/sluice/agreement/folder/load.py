"""Load agreements and contracts from files, or say why they do not load; and find the flows of a folder, fast.

Nothing here opens a database or a network connection, or imports a heavy package: the DAG factory calls it.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from functools import lru_cache
from pathlib import Path

from sluice.agreement.clauses.rules import check_agreement, version_key
from sluice.agreement.contract.columns import custom
from sluice.agreement.contract.customer_ids import Ignored, ignored_in
from sluice.agreement.contract.rules import check_contract
from sluice.agreement.document import Document, Found, locate, make_problem, parse_document, read_document
from sluice.agreement.errors import PaperInvalid
from sluice.agreement.folder.build import build_agreement, build_contract
from sluice.agreement.folder.skim import skim_folder
from sluice.agreement.model import Agreement, DataContract
from sluice.agreement.papers import FlowPaper
from sluice.terms import Severity


def load_agreement(path: Path) -> Agreement:
    """Load the agreement in a file. Raises PaperInvalid with file, line and rule of every error in it."""
    return _agreement(read_document(path))


@lru_cache(maxsize=256)
def parse_agreement(body: bytes, path: str) -> Agreement:
    """The agreement in registered bytes. Raises PaperInvalid."""
    return _agreement(parse_document(body, path))


def _agreement(document: Document) -> Agreement:
    if not document.is_agreement:
        raise PaperInvalid(make_problem(document.path, 1, "AGR-007", "this is a contract"))
    _refuse(document, check_agreement(document))
    return build_agreement(document)


def load_contract(path: Path, agreement: Agreement | None = None) -> DataContract:
    """Load the contract in a file, under ``agreement`` or the one it names in the same folder.

    Raises PaperInvalid, also for a gap: a column without group, category, purpose, basis, role, retention or origin.
    """
    document = read_document(path)
    if agreement is None and document.is_contract:
        agreement = find_pinned(document, path.parent)
    return _contract(document, agreement)


@lru_cache(maxsize=256)
def parse_contract(body: bytes, path: str, agreement_body: bytes, agreement_path: str) -> DataContract:
    """The contract in registered bytes, under the agreement in registered bytes. Raises PaperInvalid."""
    agreement = parse_agreement(agreement_body, agreement_path)
    return _contract(parse_document(body, path), agreement)


def _contract(document: Document, agreement: Agreement | None) -> DataContract:
    if not document.is_contract:
        raise PaperInvalid(make_problem(document.path, 1, "CON-007", "this is an agreement"))
    _refuse(document, check_contract(document, agreement))
    if agreement is None:
        place = document.root["customProperties"]
        raise PaperInvalid(make_problem(document.path, place.line, "CON-027", place.where))
    return build_contract(document, agreement)


def _refuse(document: Document, found: Iterator[Found]) -> None:
    problems = [locate(document, finding) for finding in found]
    errors = sorted((p for p in problems if p.severity is Severity.ERROR), key=lambda p: (p.line, p.code))
    if errors:
        raise PaperInvalid(*errors)


def find_pinned(document: Document, folder: Path) -> Agreement | None:
    """The agreement that a contract names by id and version, among the files of its folder.

    Another file that cannot be read does not matter; only if the agreement is not found, as it may be that one. Raises
    PaperInvalid.
    """
    broken: PaperInvalid | None = None
    pinned = custom(document.root)
    wanted = tuple(pinned[name].text if name in pinned else None for name in ("agreementId", "agreementVersion"))
    for path in find_papers(folder):
        if path.name.endswith(".odcs.yaml"):
            continue
        try:
            other = read_document(path)
        except PaperInvalid as error:
            broken = broken or error
            continue
        if (other.root["agreementId"].text, other.root["version"].text) == wanted:
            return _agreement(other)
    if broken is not None:
        raise broken
    return None


def find_papers(folder: Path) -> tuple[Path, ...]:
    """The YAML files of a folder, by name."""
    return tuple(sorted(path for path in folder.glob("*.y*ml") if path.suffix in (".yaml", ".yml")))


def find_folders(principals_dir: Path) -> tuple[Path, ...]:
    """The folders of principals, by name; folders whose name begins with ``.`` or ``_`` are ignored."""
    return tuple(
        sorted(path for path in principals_dir.glob("*") if path.is_dir() and not path.name.startswith((".", "_")))
    )


def load_agreements(principals_dir: Path, named: str = "") -> tuple[Agreement, ...]:
    """Every agreement under ``principals_dir`` that loads, by id, oldest version first.

    ``named``: if given, only agreements whose text contains it.
    """
    loaded = []
    for folder in find_folders(principals_dir):
        for path in find_papers(folder):
            try:
                if _speaks_of(path, named):
                    document = read_document(path)
                    loaded += [_agreement(document)] if document.is_agreement else []
            except PaperInvalid:
                continue  # `sluice agreement lint` explains it
    return tuple(sorted(loaded, key=lambda agreement: (agreement.agreement_id, version_key(agreement.version))))


def _speaks_of(path: Path, named: str) -> bool:
    """Whether a paper may be about this agreement, judged by its bytes before it is parsed; unreadable ones may be."""
    try:
        return named.encode(errors="surrogateescape") in path.read_bytes()
    except OSError:
        return True


def find_on_file(
    principals_dir: Path, agreement_id: str, on: date
) -> tuple[Agreement, tuple[DataContract, ...]] | None:
    """The newest version of an agreement that began by a date, with its contracts that hold; None if it ended."""
    begun = [
        agreement
        for agreement in load_agreements(principals_dir, agreement_id)
        if agreement.agreement_id == agreement_id and agreement.valid_from <= on
    ]
    if not begun or not begun[-1].is_in_force(on):
        return None
    agreement = begun[-1]
    return agreement, tuple(each for each in _contracts_of(agreement) if _first_day(each, agreement) <= on)


def find_coming(principals_dir: Path, agreement_id: str, on: date) -> Iterator[tuple[DataContract, date]]:
    """Contracts of an agreement that do not hold yet on a date, with their first day."""
    for agreement in load_agreements(principals_dir, agreement_id):
        if agreement.agreement_id == agreement_id:
            first = ((each, _first_day(each, agreement)) for each in _contracts_of(agreement))
            yield from ((contract, day) for contract, day in first if on < day)


def find_left_behind(principals_dir: Path, held: Agreement) -> Iterator[DataContract]:
    """Contracts that name another version of an agreement than the one that holds, so that their flows stand still."""
    for agreement in load_agreements(principals_dir, held.agreement_id):
        if agreement.agreement_id == held.agreement_id and agreement.version != held.version:
            yield from _contracts_of(agreement)


def _contracts_of(agreement: Agreement) -> Iterator[DataContract]:
    """The contracts beside an agreement that name this version of it."""
    for path in find_papers(Path(agreement.path).parent):
        try:
            yield _contract(read_document(path), agreement)
        except PaperInvalid:
            continue  # another agreement's, or no contract; `sluice contract lint` explains it


def _first_day(contract: DataContract, agreement: Agreement) -> date:
    return max(contract.valid_from or agreement.valid_from, agreement.valid_from)


def find_ignored(folder: Path) -> Ignored:
    """What is ignored when a principal's customer numbers are compared, according to its papers here.

    The first contract that says it is enough, as all must say the same (CON-076).
    """
    for path in find_papers(folder):
        with suppress(PaperInvalid):  # `sluice agreement lint` explains it
            document = read_document(path)
            if document.is_contract and (ignored := ignored_in(document)) is not None:
                return ignored
    return frozenset()


def find_flows(principals_dir: Path) -> tuple[FlowPaper, ...]:
    """Every flow that has a contract file, by principal; a broken file is named and does not affect others.

    A flow whose name cannot name a DAG is left out and logged (:func:`sluice.agreement.folder.skim.skim_folder`).
    """
    return tuple(flow for folder in find_folders(principals_dir) for flow in find_flows_of(folder))


def find_flows_of(folder: Path) -> tuple[FlowPaper, ...]:
    """Like :func:`find_flows`, for the folder of one principal."""
    return tuple(skim_folder(folder, find_papers(folder)))
