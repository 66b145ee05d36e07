"""Find every mistake in a file or folder of agreements and contracts, with file, line, code and cure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sluice.agreement.clauses.rules import check_agreement, version_key
from sluice.agreement.contract.columns import contract_id, custom
from sluice.agreement.contract.customer_ids import check_customer_ids
from sluice.agreement.contract.key_references import check_datasets
from sluice.agreement.contract.return_sources import check_sources
from sluice.agreement.contract.rules import NO_MAPPING, check_contract
from sluice.agreement.document import Document, Found, Spot, locate, make_problem, read_document
from sluice.agreement.errors import PaperInvalid
from sluice.agreement.folder.build import build_agreement
from sluice.agreement.folder.load import find_papers
from sluice.agreement.folder.odcs import check_odcs
from sluice.agreement.limits import LIMITS
from sluice.agreement.model import Agreement, Problem
from sluice.settings import get_settings
from sluice.terms import Direction, Severity

PAPERS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Folder:
    """The documents of one principal that can be read, and the problems of those that cannot."""

    path: Path
    documents: tuple[Document, ...]
    unreadable: tuple[Problem, ...]
    is_whole: bool = True
    """False if only one file of the folder was asked for: its agreement may then lie elsewhere."""

    @property
    def agreements(self) -> tuple[Document, ...]:
        found = [document for document in self.documents if document.is_agreement]
        return tuple(sorted(found, key=lambda document: version_key(document.root["version"].value)))


def lint_path(path: Path) -> list[Problem]:
    """Problems of one file (seen with its folder) or of every paper below a folder, in reading order.

    Errors and warnings come together; ``severity`` tells them apart.
    """
    if path.is_dir():
        folders = sorted({paper.parent for paper in path.rglob("*.y*ml") if paper.suffix in PAPERS})
        found = [read_folder(folder) for folder in folders]
        strangers = list(_check_shared_ids(found))
        return [problem for folder in found for problem in lint_folder(folder)] + strangers
    folder = replace(read_folder(path.parent), is_whole=False)
    if not path.is_file():
        return [make_problem(str(path), 1, "AGR-001", "")]
    if path not in find_papers(path.parent):
        folder = _with(folder, path)
    return [problem for problem in lint_folder(folder) if problem.path == str(path)]


def lint_as(path: Path, prefix: Literal["AGR", "CON"]) -> list[Problem]:
    """Like :func:`lint_path`, for a command that expects one kind of paper.

    ``prefix``: the codes of that kind. A single file of the other kind is one problem, which names the right command. A
    folder may hold both kinds; a folder without any paper is a problem, as it must be a wrong path.
    """
    if path.is_dir() and not any(each.suffix in PAPERS for each in path.rglob("*.y*ml")):
        return [make_problem(str(path), 1, f"{prefix}-047", "this folder")]
    if not path.exists():
        return [make_problem(str(path), 1, f"{prefix}-001", "")]
    try:
        document = read_document(path) if path.is_file() else None
    except PaperInvalid:
        document = None
    if document is None or document.prefix == prefix:
        return lint_path(path)
    place = document.root["agreementId" if document.is_agreement else "kind"]
    return [make_problem(document.path, place.line, f"{prefix}-009", place.where)]


def read_folder(path: Path) -> Folder:
    """Read every paper of a folder; one that cannot be read becomes a problem."""
    return _with(Folder(path, (), ()), *find_papers(path))


def _with(folder: Folder, *paths: Path) -> Folder:
    documents, unreadable = list(folder.documents), list(folder.unreadable)
    for path in paths:
        try:
            documents.append(read_document(path))
        except PaperInvalid as error:
            unreadable += error.problems
    return replace(folder, documents=tuple(documents), unreadable=tuple(unreadable))


def lint_folder(folder: Folder, principal: str | None = None) -> list[Problem]:
    """Problems of one folder. All papers must be of ``principal``; if that is None, of the same principal."""
    found: list[Problem] = list(folder.unreadable)
    loaded: list[Agreement] = []
    for document in folder.agreements:
        problems = _locate(document, (*check_agreement(document), *_check_limits(document)))
        found += problems
        if not any(problem.severity is Severity.ERROR for problem in problems):
            loaded.append(build_agreement(document))
    for document in folder.documents:
        if document.is_contract and not document.is_agreement:
            found += _locate(document, _check_one_contract(document, folder, loaded))
    for document, finding in _check_together(folder, principal):
        found.append(locate(document, finding))
    return sorted(found, key=lambda problem: (problem.path, problem.line, problem.code))


def _check_limits(document: Document) -> Iterator[Found]:
    """Find limits above what this house allows: a warning, as the house's own number counts meanwhile (limits.py)."""
    settings = get_settings()
    for limit in LIMITS:
        said, most = document.root["limits"][limit.key], limit.allowed(settings)
        if isinstance(said.value, int) and most < said.value <= limit.most:
            yield Found(said, "036", f"at most {most}: SLUICE_{limit.setting.upper()}")


def _locate(document: Document, found: Iterable[Found]) -> list[Problem]:
    """Turn findings into problems; of several with the same place and number only the first is kept."""
    kept: dict[tuple[str, str], Problem] = {}
    for finding in found:
        place = finding.spot.where or finding.detail
        kept.setdefault((place, finding.number), locate(document, finding))
    return list(kept.values())


def _check_one_contract(document: Document, folder: Folder, loaded: Sequence[Agreement]) -> Iterator[Found]:
    name, version = _pin(document)
    agreement = next(
        (known for known in loaded if (known.agreement_id, known.version) == (name.text, version.text)), None
    )
    ours = list(check_contract(document, agreement))
    yield from ours
    explained = {finding.spot.where for finding in ours}
    yield from (finding for finding in check_odcs(document) if finding.spot.where not in explained)
    yield from _check_pinned(name, version, folder)
    yield from _check_name(document)
    yield from _check_mapping(document)


def _check_mapping(document: Document) -> Iterator[Found]:
    """Find results whose mapping is not in this house. Nothing is said where no mappings are, as at a principal."""
    named, folder = custom(document.root).get("resultMapping"), get_settings().mappings_dir
    if named and named.text and folder.is_dir() and not (folder / f"{named.text}.yaml").is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml")))
        yield Found(named, NO_MAPPING, f"{named.text}; there are {known}")


def _pin(document: Document) -> tuple[Spot, Spot]:
    answers, place = custom(document.root), document.root["customProperties"]
    return answers.get("agreementId", place), answers.get("agreementVersion", place)


def _check_pinned(name: Spot, version: Spot, folder: Folder) -> Iterator[Found]:
    known = [
        str(document.root["version"].value)
        for document in folder.agreements
        if document.root["agreementId"].value == name.text
    ]
    if not name.text or name.text == "OPEN":
        return
    if not folder.agreements and not folder.is_whole:
        yield Found(name, "026", name.text)
    elif not known:
        yield Found(name, "027", f"{name.text}{_broken(folder)}")
    elif version.text and version.text not in known:
        yield Found(version, "028", f"{name.text} has {', '.join(known)}{_broken(folder)}")
    elif version.text and version_key(known[-1]) > version_key(version.text):
        yield Found(version, "029", known[-1])


def _broken(folder: Folder) -> str:
    """An agreement of the folder that cannot be read, and so may be the one that is missed."""
    broken = next((problem for problem in folder.unreadable if problem.code.startswith("AGR-")), None)
    return f"; {Path(broken.path).name} cannot be read, see {broken.code} there" if broken else ""


def _check_name(document: Document) -> Iterator[Found]:
    """A file name like ``<flow>.<direction>.odcs.yaml`` must agree with the id; other names are not checked."""
    _, direction, flow = contract_id(document)
    said_flow, _, said_direction = Path(document.path).name.removesuffix(".odcs.yaml").rpartition(".")
    if flow and said_direction in tuple(Direction) and (said_flow, said_direction) != (flow, direction):
        yield Found(document.root["id"], "022", f"{flow}.{direction}.odcs.yaml")


def _check_together(folder: Folder, principal: str | None) -> Iterator[tuple[Document, Found]]:
    """Check what takes several documents: duplicates, missing versions and files, papers of another principal."""
    seen: set[tuple[object, ...]] = set()
    versions = {(document.root["agreementId"].value, document.root["version"].value) for document in folder.agreements}
    for document in folder.documents:
        key = _identity(document)
        if key in seen and all(key):
            yield document, Found(document.root["agreementId" if document.is_agreement else "id"], _double(document))
        seen.add(key)
        older = document.root["supersedes"]
        if document.is_agreement and older.text and (document.root["agreementId"].value, older.text) not in versions:
            yield document, Found(older, "021", older.text)
        yield from _check_stranger(document, principal or _first_principal(folder))
        if document.is_agreement:
            yield from ((document, found) for found in _check_keys(document, folder))
    yield from _check_ends(folder.agreements)
    contracts = [document for document in folder.documents if document.is_contract]
    yield from check_datasets(contracts)
    yield from check_customer_ids(contracts)
    if not folder.unreadable:  # else what a return names may stand in a paper that nobody could read
        yield from check_sources(contracts)


def _check_keys(agreement: Document, folder: Folder) -> Iterator[Found]:
    """OpenPGP certificates that the agreement pins, for files that arrive or are delivered, and that are not there."""
    for way in ("arrival", "delivery"):
        pinned = agreement.root[way]["pgpKey"]["file"]
        if pinned.text and not (folder.path / pinned.text).is_file():
            yield Found(pinned, "035", pinned.text)


def _check_ends(agreements: Sequence[Document]) -> Iterator[tuple[Document, Found]]:
    """Find last versions that end although one before them would have gone on."""
    last = {each.root["agreementId"].value: each for each in agreements}  # they stand in the order of their versions
    for document in agreements:
        final = last[document.root["agreementId"].value]
        end, over = document.root["validTo"].day, final.root["validTo"]
        if document is not final and over.day and (end is None or end > over.day):
            version = document.root["version"].value
            yield final, Found(over, "037", f"{over.day}; {version} would have held {f'to {end}' if end else 'on'}")


def _double(document: Document) -> str:
    return "022" if document.is_agreement else "024"


def _identity(document: Document) -> tuple[object, ...]:
    root = document.root
    return (root["agreementId"].value, root["version"].value) if document.is_agreement else (root["id"].value,)


def _principal(document: Document) -> Spot:
    if document.is_agreement:
        controllers = document.root["parties"]["controllers"]
        return controllers.entries[0]["code"] if controllers.entries else controllers
    return document.root["id"]


def _first_principal(folder: Folder) -> str | None:
    return next((_principal(document).text for document in folder.agreements), None)


def _check_stranger(document: Document, principal: str | None) -> Iterator[tuple[Document, Found]]:
    said = _principal(document)
    name = said.text if document.is_agreement else contract_id(document)[0]
    if principal and name and name != principal:
        yield document, Found(said, "026" if document.is_agreement else "023", f"{name} in the folder of {principal}")


def _check_shared_ids(folders: Sequence[Folder]) -> Iterator[Problem]:
    """Two principals must not share an agreement id, because it names one ledger chain."""
    owners: dict[object, str | None] = {}
    for document in (document for folder in folders for document in folder.agreements):
        name = document.root["agreementId"]
        owner = owners.setdefault(name.value, _principal(document).text)
        if owner != _principal(document).text:
            yield locate(document, Found(name, "029", str(owner)))
