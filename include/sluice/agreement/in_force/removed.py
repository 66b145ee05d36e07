"""Name the papers that are in force and lie in no folder any more: taking a file away ends nothing.

Deleting a file is no legal act. What is in force stays so until its agreement ends or a contract is `retired`; so
whoever took a paper away, by mistake or to end it, has to hear that it goes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sluice.agreement.folder.lint import read_folder
from sluice.agreement.folder.load import find_folders
from sluice.db import Connection

CURE = "put it back; to end it, `status: retired` (a contract) or `validTo` (an agreement); to wait, stop the flow"
NEVER_IN_FORCE = ("proposed", "draft")
"""What a contract says of itself (ODCS ``status``) that nothing registers: it takes no other's place."""
_IN_FORCE = """
    select d.principal, a.kind, a.document_id, d.version, d.path
    from sluice.activation a join sluice.document d using (sha256)
    where a.known_to is null and a.state = 'active'
      and a.valid_from <= %(on)s and (a.valid_to is null or %(on)s <= a.valid_to)
      and (a.kind = 'agreement' or exists (
          select from sluice.activation g join sluice.document p using (sha256)
          where g.kind = 'agreement' and g.known_to is null
            and (p.document_id, p.version) = (d.agreement_id, d.agreement_version)
            and g.valid_from <= %(on)s and (g.valid_to is null or %(on)s <= g.valid_to)))
    order by d.principal, a.kind, a.document_id, d.version
"""


@dataclass(frozen=True, slots=True)
class Removed:
    """A paper in force that is in no folder. ``path``: where it was, ``<principal>/<file>``."""

    principal: str
    kind: str
    """``agreement`` or ``contract``."""
    id: str
    version: str
    path: str

    def __str__(self) -> str:
        return f"{self.path}: {self.kind} {self.id} {self.version} is in force and not in the folder: {CURE}"


def find_removed(conn: Connection, principals_dir: Path, on: date) -> list[Removed]:
    """Papers that are in force on a Brussels date and no longer under ``principals_dir``, by principal.

    A contract is there if its id is, as its file may hold a version of later days already, but not as a draft; an
    agreement, if its version is. A file that is there and cannot be read is for the linter to tell of.
    """
    there = set(_papers_of(principals_dir))
    rows = conn.execute(_IN_FORCE, {"on": on}).fetchall()
    in_force = [Removed(row["principal"], row["kind"], row["document_id"], row["version"], row["path"]) for row in rows]
    return [each for each in in_force if there.isdisjoint({(each.id, each.version), (each.id, ""), (each.path, "")})]


def _papers_of(principals_dir: Path) -> Iterator[tuple[str, str]]:
    """What is there: id and version of agreements, ids of contracts, ``<principal>/<file>`` of what cannot be read."""
    for path in find_folders(principals_dir):
        folder = read_folder(path)
        for document in folder.documents:
            if not document.is_agreement and document.root["status"].value in NEVER_IN_FORCE:
                continue
            key, version = ("agreementId", "version") if document.is_agreement else ("id", None)
            yield str(document.root[key].value), str(document.root[version].value) if version else ""
        yield from ((f"{path.name}/{Path(problem.path).name}", "") for problem in folder.unreadable)
