"""Decide which copies an erasure opens: all but those of which the index says that nobody sought is in them.

The index run of each exchange is asked, or a merge that answers for it. A run answers for what it was made of.
The run ``index`` answers for the lake and, if it is whole, for the file too. Together with ``index.rest`` it
answers for the file, and for what was sealed of it. Everything else is opened as before: files that were not a
table, answers, whatever has no run (any more), and what the request noted, that is exchanges that its index
named before it was edited and those where its second scan found a residue. The index points, the file decides
(ADR 8).
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache

from sluice.errors import EvidenceInvalid, NotFound, Ref
from sluice.exchange.house import House
from sluice.exchange.persons.merged import AT_ONCE, RUNS, ask_merged
from sluice.lake.s3.names import ObjectVersion
from sluice.lake.s3.objects import ObjectStore
from sluice.ledger.copy_kinds import (
    ARRIVED,
    DELIVERED,
    DIAL_KEPT,
    DIALLED,
    HELD_ROWS,
    INDEX,
    LAKE,
    REFUSED_FILE,
    REFUSED_RECORDS,
    REFUSED_ROWS,
    REST,
    RETURN,
)
from sluice.rights.copies import copy_store, lead_store
from sluice.rights.copies.bench import Bench
from sluice.rights.copies.model import Copy
from sluice.subject.index import Answer, Run, ask_run, read_run
from sluice.terms import ExchangeId

BY_INDEX = frozenset({LAKE})
BY_BOTH = frozenset(
    {
        *(RETURN, DELIVERED, DIALLED, DIAL_KEPT),
        *(ARRIVED, REFUSED_FILE, REFUSED_ROWS, REFUSED_RECORDS, HELD_ROWS),
    }
)
RUNS_KEPT, KEPT_BYTES = 512, 128 * 1024
"""How many index runs a server keeps in memory, and how big one may be in S3: some 64 MB of keyed references."""


@dataclass(frozen=True)
class Lead:
    """What the runs of each exchange say. ``noted``: exchanges to open whatever their runs say."""

    answers: dict[tuple[ExchangeId, str], Answer] = field(default_factory=dict)
    noted: frozenset[ExchangeId] = frozenset()

    def may_hold(self, copy: Copy) -> bool:
        """Whether somebody who is sought may be in a copy, as far as the index knows."""
        if copy.exchange_id in self.noted:
            return True
        index, rest = (self.answers.get((copy.exchange_id, kind)) for kind in (INDEX, REST))
        if copy.kind in RUNS:
            own = self.answers.get((copy.exchange_id, copy.kind))
            return own is None or own.hits > 0
        is_told = (copy.kind in BY_INDEX and index is not None) or (copy.kind in BY_BOTH and self.knows(copy))
        return not is_told or any(each.hits for each in (index, rest) if each is not None)

    def knows(self, copy: Copy) -> bool:
        """Whether the runs of a copy's exchange cover the whole file."""
        return _is_whole(*(self.answers.get((copy.exchange_id, kind)) for kind in (INDEX, REST)))

    def clears(self, exchange_id: ExchangeId, kind: str) -> bool:
        """Whether the run of this kind exists and names nobody who is sought, now or before it was edited."""
        answer = self.answers.get((exchange_id, kind))
        return answer is not None and not answer.hits and exchange_id not in self.noted

    @property
    def named(self) -> frozenset[ExchangeId]:
        """Exchanges whose runs name somebody who is sought."""
        return frozenset(exchange_id for (exchange_id, _), answer in self.answers.items() if answer.hits)


def _is_whole(index: Answer | None, rest: Answer | None) -> bool:
    """Whether the existing runs know every row of the file as it came."""
    both = index is not None and rest is not None
    return both or any(each is not None and each.is_whole for each in (index, rest))


def find_lead(bench: Bench, copies: Iterable[Copy], refs: Collection[str] | None = None) -> Lead:
    """Ask the index runs among these copies about the person, or about other references at the same principal.

    A version of a run is read once per bench and question. Raises EvidenceInvalid for a run whose bytes are not
    those in the catalogue, IndexInvalid.
    """
    house, target = bench.house, bench.target
    wanted = frozenset(target.refs if refs is None else refs)
    runs = [copy for copy in copies if copy.kind in RUNS]
    _ask_all(bench, [run for run in runs if (run.name, wanted) not in bench.known.asked], wanted)
    said = {
        (run.exchange_id, run.kind): bench.known.asked[run.name, wanted] or _ask_current(house, run, sorted(wanted))
        for run in runs
    }
    noted = lead_store.find_leads(house.conn, target) if target.case_id else frozenset()
    return Lead({name: answer for name, answer in said.items() if answer is not None}, noted)


def _ask_all(bench: Bench, runs: Sequence[Copy], refs: frozenset[str]) -> None:
    """Store what each run answers: a merge answers for many of them, and the others are asked in parallel."""
    names = {run.name: run for run in runs}
    told = ask_merged(bench.house, bench.target.principal, names.keys(), sorted(refs))
    bench.known.asked.update(((name, refs), answer) for name, answer in told.items())
    left = [run for name, run in names.items() if name not in told]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda run: _ask(bench.house, run, sorted(refs), bench.known.keeps_runs), left)
        bench.known.asked.update(((run.name, refs), answer) for run, answer in zip(left, answers, strict=True))


def _ask(house: House, run: Copy, refs: Sequence[str], keeps: bool = False) -> Answer | None:
    """Ask one run; None if this version is gone."""
    where = (house.objects, ObjectVersion.of(run), run.sha256)
    try:
        kept = _kept(*where) if keeps else None
        return kept.ask(refs) if kept else ask_run(_content(*where), refs)
    except NotFound:
        return None


def _content(objects: ObjectStore, run: ObjectVersion, sha256: str) -> bytes:
    """The bytes of a run, as it was written. Raises NotFound, EvidenceInvalid."""
    content = objects.read(*run)
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise EvidenceInvalid(Ref("key", run.key))
    return content


@lru_cache(maxsize=RUNS_KEPT)
def _kept(objects: ObjectStore, run: ObjectVersion, sha256: str) -> Run | None:
    """A run kept in memory; None if it is too big for that. Raises like :func:`_content`."""
    content = _content(objects, run, sha256)
    return read_run(content) if len(content) <= KEPT_BYTES else None


def _ask_current(house: House, run: Copy, refs: Sequence[str]) -> Answer | None:
    """Ask the run that replaced one which somebody else has edited since; None if the exchange has none any more."""
    current = copy_store.refreshed(house.conn, run)
    while current is not None and current.version_id != run.version_id:
        run, answer = current, _ask(house, current, refs)
        if answer is not None:
            return answer
        current = copy_store.refreshed(house.conn, run)
    return None
