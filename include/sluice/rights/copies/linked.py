"""Find the person in a file; in a file of ours, also by what the principal's accepted rows say about them.

A return may hold nothing of a person but the principal's customer number. Somebody who asks by a telephone
number is in it all the same. Its index says so, and the identifiers that only their own rows have say which row
is theirs.
"""

from dataclasses import replace
from pathlib import Path

import polars as pl

from sluice.exchange.catalogue import find_copies
from sluice.exchange.persons.merged import RUNS
from sluice.lake.read.sniff import Kind, find_kind
from sluice.ledger.copy_kinds import DELIVERED, RETURN
from sluice.rights.case.model import CaseId
from sluice.rights.copies import copy_store
from sluice.rights.copies.bench import Bench, Looked
from sluice.rights.copies.files import find_in_file, hides_something, names_person
from sluice.rights.copies.model import Copy
from sluice.rights.copies.needles import Needles, recall, spellings
from sluice.subject.columns import normalise_column
from sluice.subject.index import find_in_run
from sluice.subject.refs import ref_column

WENT_OUT = frozenset({RETURN, DELIVERED})
"""Kinds of the copies of what we sent."""


def linked(bench: Bench, copy: Copy) -> Bench:
    """Return the bench with the references in the person's own rows added.

    Only kinds that the copy has columns of are added. Before a run they are read from the rows, afterwards from
    what the run remembered. Identifiers shared with others are left out.
    """
    target = bench.target
    known = recall(bench.house, CaseId(target.case_id), target.principal) if target.case_id else Needles()
    if not known.values:
        known = spellings(bench, copy_store.find_copies(bench.house.conn, target.principal))
    written, found = pl.Series(sorted(known.values), dtype=pl.String), set(target.refs)
    for kind in {column.kind for column in copy.columns}:
        refs = ref_column(normalise_column(written, kind).values, kind, target.key)
        found.update(refs.drop_nulls().to_list())
    return replace(bench, target=replace(target, refs=frozenset(found)))


def look_in_copy(bench: Bench, copy: Copy, path: Path) -> Looked:
    """As :func:`look_in_file`, but for what went out, the index run of its rows says who is in it.

    We cannot open what is sealed to its recipient. A file with nothing but a number of the principal's own is
    searched for that number.
    """
    found, rows = look_in_file(bench, copy, path, copy.key)
    if rows or copy.kind not in WENT_OUT or not is_in_index(bench, copy):
        return found, rows
    if found is None:
        return None, 1
    wider = linked(bench, copy)
    return look_in_file(wider, copy, path, copy.key) if wider.fetch(copy) else (None, 0)


def look_in_file(bench: Bench, copy: Copy, path: Path, name: str) -> Looked:
    """How many records of a file name the person. If it is not a table: 1 if the whole file does, else 0.

    For a file that came under OpenPGP the index decides, because such a file is opened only once, in the limited
    child. Whoever finds somebody in a file edits it next, so the bench keeps the last result.
    """
    held, question = bench.held, (bench.held.last, copy.exchange_id, copy.kind, bench.target.refs)
    if held.seen is not None and held.seen[0] == question:
        return held.seen[1]
    held.seen = None  # so that two tables are never in memory
    looked = _look_in_file(bench, copy, path, name)
    held.seen = question, looked
    return looked


def _look_in_file(bench: Bench, copy: Copy, path: Path, name: str) -> Looked:
    if is_under_pgp(path):
        alike = copy_store.find_alike(bench.house.conn, bench.target.principal, copy)
        return None, int(any(is_in_index(bench, replace(copy, exchange_id=each)) for each in alike))
    found = find_in_file(path, name, copy.contract, copy.columns, bench.target, bench.limits)
    if found is not None and (found.records or found.has_every_column):
        return found, len(found.records)
    return None, int(names_person(path, bench.target, bench.most))


def look_in_refused(bench: Bench, copy: Copy, path: Path, name: str) -> Looked:
    """As :func:`look_in_file`, but a refused file that cannot be read to its end counts as naming the person (ADR 15).

    It may name anybody.
    """
    found, rows = look_in_file(bench, copy, path, name)
    if found is None and not rows and not _is_indexed(bench, copy) and hides_something(path, bench.target, bench.most):
        return None, 1
    return found, rows


def _is_indexed(bench: Bench, copy: Copy) -> bool:
    """Whether the rows of these very bytes were ever indexed, by somebody who could read them."""
    alike = copy_store.find_alike(bench.house.conn, bench.target.principal, copy)
    return any(each.kind in RUNS for one in alike for each in find_copies(bench.house.conn, one))


def is_under_pgp(path: Path) -> bool:
    """Whether a file is an OpenPGP message. No row in it can be edited, even if it is our own."""
    return path.stat().st_size > 0 and find_kind(path) is Kind.PGP


def is_in_index(bench: Bench, copy: Copy) -> bool:
    """Whether the index run of a copy's exchange points at the person."""
    runs = [each for each in find_copies(bench.house.conn, copy.exchange_id) if each.kind in RUNS]
    return any(
        find_in_run(bench.house.objects.read(run.bucket, run.key, run.version_id), sorted(bench.target.refs)).height
        for run in runs
    )
