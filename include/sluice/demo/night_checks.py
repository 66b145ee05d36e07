"""Evidence of the night, read from the files that the principals have. Each line comes with its control."""

import base64
import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sluice.demo.night import Delivered, Night, Return
from sluice.demo.night_files import CAST, HEALTH_WORDS, Export
from sluice.demo.story import Check
from sluice.exchange.house import House
from sluice.lake.read.reader import read_table
from sluice.lake.table import Table
from sluice.ledger.record import ColumnLine
from sluice.returns.ack import AckOutcome
from sluice.sample.exports import Platform
from sluice.sample.results import ResultFault
from sluice.terms import ACCEPTED_DECISIONS, RoleProfile

Rows = Sequence[Mapping[str, str | None]]
CALL_ID = {Platform.FIVE9: "CALL ID", Platform.GENESYS_CLOUD: "inin-outbound-id"}
AGENT = {Platform.FIVE9: "AGENT", Platform.GENESYS_CLOUD: "agent"}
DISPOSITION = "DISPOSITION"
VERIFY = """
import sys
from pathlib import Path
from sluice.documents.statement import verify_statement
from sluice.ledger.model import SignatureInvalid

for roles, key in zip(sys.argv[1::2], sys.argv[2::2]):
    try:
        print(verify_statement(Path(roles).read_bytes(), Path(key).read_bytes()).exchange)
    except SignatureInvalid:
        print("refused")
"""


@dataclass(frozen=True, slots=True)
class Flip:
    """The parties for one kind of column, at each principal."""

    group: str
    supplied_by: str
    controllers: tuple[str, ...]
    processors: tuple[str, ...]


def night_checks(house: House, night: Night) -> Iterator[Check]:
    """Yield every line of evidence about one night."""
    yield from _count_checks(night)
    yield from _staff_checks(night)
    yield from _note_checks(night)
    yield from _role_checks(night)
    yield from _release_checks(night)
    yield from _late_checks(night)
    yield from _repeat_checks(house, night)
    yield from _ack_checks(night)


def _count_checks(night: Night) -> Iterator[Check]:
    """Check the counts. Records in the export and rows in the file are counted without code of Sluice."""
    for made, export, delivered in zip(night.first, night.exports, night.delivered, strict=True):
        what = made.record.what
        parts = (what.rows_accepted, what.rows_held, what.rows_refused)
        results = night.results[made.source.principal].what
        there = _records_in(export) - results.rows_held - results.rows_refused
        figure = f"{what.rows_in} = {parts[0]} + {parts[1]} + {parts[2]}; {there} in the export"
        holds = what.rows_in == sum(parts) == there and len(rows_of(delivered.path)) == parts[0]
        yield Check(f"{made.source.principal}: rows in = sent + held + refused", figure, holds)


def _records_in(export: Export) -> int:
    """Count the distinct calls, by the platform's own id."""
    return len({row[CALL_ID[export.source.platform]] for row in _csv(export.path, ",")})


def _staff_checks(night: Night) -> Iterator[Check]:
    for export, delivered in zip(night.exports, night.delivered, strict=True):
        there = sum(row[AGENT[export.source.platform]] == CAST.unready_agent for row in _csv(export.path, ","))
        gone = sum(row["agent"] == CAST.unready_agent for row in rows_of(delivered.path))
        figure = f"{gone} sent, {there} in the results"
        yield Check(f"{export.source.principal}: rows of the agent who failed", figure, not gone and there > 0)


def _note_checks(night: Night) -> Iterator[Check]:
    """Check the notes about health: energy01 has them masked, telecom01 has a person read them first."""
    for export, delivered in zip(night.exports, night.delivered, strict=True):
        there, gone = _with_health(_csv(export.path, ",")), _with_health(rows_of(delivered.path))
        record = night.results[export.source.principal]
        masked = record.how.screening.masked if record.how.screening else 0
        figure = f"{gone} of {there} sent; {masked} notes masked, {record.what.rows_held} rows wait for a reader"
        name = f"{export.source.principal}: notes with words about health"
        yield Check(name, figure, not gone and there >= len(export.planted.of(ResultFault.HEALTH_NOTE)))


def _with_health(rows: Rows) -> int:
    notes = (row["note"] or "" for row in rows)
    return sum(any(word in note for word in HEALTH_WORDS) for note in notes)


def _role_checks(night: Night) -> Iterator[Check]:
    lines = [line for made in night.first for line in made.record.what.columns]
    stated = sum(line.controller is not None for line in lines)
    yield Check("columns with a controller", f"{stated} of {len(lines)}", stated == len(lines) > 0)
    flips = [flip for flip in flips_of(night) if len(set(flip.controllers)) > 1]
    yield Check("kinds of column whose controller differs", str(len(flips)), bool(flips))
    *whole, changed = verified([*night.delivered, night.corrected], _changed(night.delivered[0].roles))
    ids = [*(made.id for made in night.first), night.correction.id]
    valid = sum(said == made for said, made in zip(whole, ids, strict=True))
    yield Check("role statements that verify offline", f"{valid} of {len(ids)}", valid == len(ids))
    yield Check("a role statement with another controller", changed, changed == "refused")


def flips_of(night: Night) -> Iterator[Flip]:
    """Yield the kinds of column that both principals get, with the parties at each."""
    columns = [{line.field_group or "": line for line in made.record.what.columns} for made in night.first]
    for group in columns[0]:
        lines = [each[group] for each in columns if group in each]
        if len(lines) == len(columns):
            echoed = (lines[0].source or "").startswith("contacts.")
            controllers, processors = (tuple(str(getattr(line, part)) for line in lines) for part in PARTS)
            yield Flip(group, "principal" if echoed else "our staff", controllers, processors)


PARTS = ("controller", "processor")


def profile_of(made: Return) -> str:
    """Return the role profile of what our staff adds, leaving out data about the staff itself."""
    added = {line.role_profile for line in made.record.what.columns if _is_added(line)}
    return ", ".join(sorted(str(profile) for profile in added))


def _is_added(line: ColumnLine) -> bool:
    return (line.source or "").startswith("results.") and line.role_profile != RoleProfile.STAFF


def verified(delivered: Sequence[Delivered], changed: Path) -> list[str]:
    """Verify each role statement in another process with an empty environment. Returns exchange ids, or "refused".

    That process gets only the statements and the public keys. The last statement is ``changed``, under the first key.
    """
    pairs = [(each.roles, each.key) for each in delivered] + [(changed, delivered[0].key)]
    done = subprocess.run(
        [sys.executable, "-c", VERIFY, *(str(path) for pair in pairs for path in pair)],
        env={"PATH": os.defpath, "HOME": str(changed.parent)},
        cwd=changed.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout.split()
    return said if len(said) == len(pairs) else ["nothing said"] * len(pairs)


def _changed(roles: Path) -> Path:
    """Write the statement with one controller exchanged, and everything else as it was."""
    document = json.loads(roles.read_bytes())
    payload = base64.urlsafe_b64decode(document["payload"] + "==")
    other = payload.replace(b'"controller":"center"', b'"controller":"energy01"', 1)
    document["payload"] = base64.urlsafe_b64encode(other).rstrip(b"=").decode()
    target = roles.with_name("changed.roles.json")
    target.write_text(json.dumps(document, separators=(",", ":"), sort_keys=True))
    return target


def _release_checks(night: Night) -> Iterator[Check]:
    energy, telecom = night.first
    refused = "refused" if night.preparer_refused else "RELEASED"
    yield Check(f"{energy.prepared_by}, who prepared it, releases", refused, night.preparer_refused)
    figure = f"energy01 by {energy.released_by}; telecom01 at once"
    yield Check("released by somebody else", figure, bool(energy.released_by) and telecom.prepared_by is None)
    sent = sum(made.is_sent for made in (*night.first, night.correction))
    yield Check("returns delivered", f"{sent} of 3", sent == 3)


def _late_checks(night: Night) -> Iterator[Check]:
    """Check that the correction names what it supersedes, and has the late outcomes, which the first file had not."""
    first, second = night.first[0], night.correction
    says = second.record.what.supersedes == first.id
    yield Check("the correction says what it supersedes", f"{second.id[:8]} supersedes {first.id[:8]}", says)
    late = night.exports[0].late
    assert late is not None
    wanted = {row["record_id"]: row[DISPOSITION] for row in _csv(late, ",")}
    before, after = (_agreeing(each, wanted) for each in (night.delivered[0], night.corrected))
    figure = f"{after} of {len(wanted)}; {before} before"
    yield Check("late dispositions in the file", figure, after == len(wanted) and before == 0)


def _agreeing(delivered: Delivered, wanted: Mapping[str | None, str | None]) -> int:
    rows = {row["customer_number"]: row["disposition"] for row in rows_of(delivered.path)}
    return sum(rows.get(record) == disposition for record, disposition in wanted.items())


def _repeat_checks(house: House, night: Night) -> Iterator[Check]:
    """Check that telecom01's results in another order send nothing, and that this is recorded."""
    repeated, first = night.repeated, night.first[1]
    stem = first.key.rsplit(".", 1)[0]
    sent = [o for o in house.objects.list_versions(house.settings.bucket_exchange, stem) if o.key.endswith(".xlsx")]
    is_refused = repeated.record.decision not in ACCEPTED_DECISIONS and repeated.id != first.id
    figure = f"{len(sent)} file; the second: {repeated.record.reason_code}"
    yield Check("same results again, shuffled: files of telecom01", figure, len(sent) == 1 and is_refused)


def _ack_checks(night: Night) -> Iterator[Check]:
    energy, telecom = night.first
    wanted = {
        f"energy01/acks/{energy.id}.json": AckOutcome.ACKNOWLEDGED,
        f"telecom01/acks/{telecom.id}.ack": AckOutcome.ACKNOWLEDGED,
        f"energy01/acks/{telecom.id}.ack": AckOutcome.OTHER_PRINCIPAL,
    }
    closed = sum(outcome.closes for outcome in night.acks.values())
    figure = f"{closed} close; energy01's word for telecom01's: {night.acks.get(f'energy01/acks/{telecom.id}.ack')}"
    yield Check("acknowledgements", figure, dict(night.acks) == wanted)


@cache
def rows_of(path: Path) -> Rows:
    """Return the rows of a delivered file. CSV is read by Python's own reader, XLSX by ours."""
    if path.suffix == ".csv":
        return _csv(path, ";")
    table = read_table(path, file_name=path.name)
    assert isinstance(table, Table)
    return table.frame.to_dicts()


def _csv(path: Path, delimiter: str) -> Rows:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file, delimiter=delimiter))
