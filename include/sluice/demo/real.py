"""``make demo FILE=...``: put a real file through Sluice, or show the gap that keeps it out."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from sluice.agreement.errors import PaperInvalid
from sluice.agreement.folder.lint import lint_path
from sluice.agreement.folder.load import find_flows, load_contract
from sluice.agreement.model import DataContract, Problem
from sluice.demo.files import Drop
from sluice.demo.story import Check, Outcome
from sluice.errors import Ref, UsageError
from sluice.exchange.house import House, open_house
from sluice.exchange.read import get_accepted
from sluice.lake.read.reader import read_table
from sluice.lake.table import FormatRefusal, Table
from sluice.settings import Settings
from sluice.terms import Decision, Flow, Principal, Severity

NOBODY = Principal("nobody01")


@dataclass(frozen=True, slots=True)
class Gap:
    """What a file without a contract still needs: the skeleton that was written, and its open places."""

    skeleton: Path
    problems: tuple[Problem, ...]


def read_real(file: Path) -> Table:
    """Read the file as a table. Raises UsageError with the code if it cannot be read as one."""
    if not file.is_file():
        raise UsageError(Ref("file", file.name), Ref("state", "not found"))
    table = read_table(file, file_name=file.name)
    if isinstance(table, FormatRefusal):
        raise UsageError(Ref("file", file.name), Ref("code", table.code))
    return table


def find_contract_for(settings: Settings, table: Table) -> DataContract | None:
    """Return the inbound contract of the checkout with exactly the columns of the file, or None."""
    columns = set(table.frame.columns)
    for paper in find_flows(settings.principals_dir):
        try:
            contract = load_contract(Path(paper.contract_path))
        except PaperInvalid:
            continue
        if {field.name for field in contract.fields} == columns:
            return contract
    return None


def drop_of(file: Path, contract: DataContract | None) -> Drop:
    """Make a drop of the file, for the principal whose contract fits, or for one without papers."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", file.name)
    if contract is None:
        flow = Flow(re.sub(r"[^a-z0-9]+", "_", file.stem.lower()).strip("_") or "file")
        return Drop(
            NOBODY, flow, file, name, Decision.REFUSED, "FORBIDDEN", "no contract yet: refused, with the reason"
        )
    return Drop(contract.principal, contract.flow, file, name, None, None, f"under {contract.contract_id}")


def write_gap(settings: Settings, file: Path, flow: str) -> Gap:
    """Write the skeleton of the missing contract, and return what is open in it."""
    from sluice.exchange.infer import skeleton_of

    folder = settings.var / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{flow}.inbound.odcs.yaml"
    path.write_text(skeleton_of(file, "someone", flow).text)
    return Gap(path, tuple(problem for problem in lint_path(path) if problem.severity is Severity.ERROR))


def real_checks(settings: Settings, outcomes: Sequence[Outcome], file: Path, encoding: str | None) -> Iterator[Check]:
    """Compare the lake with an independent count by Python's csv module: every cell of every column."""
    line = outcomes[0].line
    if line.rows_accepted is None or line.rows_accepted == 0:
        return
    with open_house(settings) as house:
        kept = kept_values(house, line.id)
    rows = sum(next(iter(kept.values())).values())
    yield Check("rows in the lake", f"{rows:,} of {line.rows_accepted:,} accepted", rows == line.rows_accepted)
    if encoding is not None and line.rows_refused == 0:
        counted = count_csv(file, encoding)
        same = sum(kept.get(name) == values for name, values in counted.items())
        yield Check("columns equal to an independent count", f"{same} of {len(counted)}", same == len(counted))


def count_csv(path: Path, encoding: str = "utf-8") -> dict[str, Counter[str | None]]:
    """Count each value of each column with the standard library, which detects the file's format itself."""
    with path.open(newline="", encoding="utf-8-sig" if encoding == "utf-8" else encoding) as file:
        dialect = csv.Sniffer().sniff(file.readline(), delimiters=";,\t|")
        file.seek(0)
        rows = csv.DictReader(file, delimiter=dialect.delimiter)
        counts: dict[str, Counter[str | None]] = {name: Counter() for name in rows.fieldnames or ()}
        for row in rows:
            for name, value in row.items():
                counts[name][value or None] += 1
    return counts


def kept_values(house: House, exchange_id: str) -> dict[str, Counter[str | None]]:
    """Count each value of each column of the lake object."""
    item = get_accepted(house.conn, exchange_id)
    content = house.objects.read(item.bucket, item.key, item.version_id)
    table = pq.read_table(io.BytesIO(content))
    names = [name for name in table.column_names if not name.startswith("sluice_")]
    return {name: Counter(table[name].to_pylist()) for name in names}
