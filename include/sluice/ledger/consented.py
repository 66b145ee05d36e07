"""Bodies of entries about consent records: how many, of which kind, from which file; never whose they are."""

from sluice.ledger.record import Part


class ConsentLine(Part):
    """Records of one purpose (DPV IRI), channel and state."""

    purpose: str
    channel: str
    state: str
    records: int


class ConsentsRecorded(Part):
    """Records were kept. ``source_sha256``: of the file, or of what was said; ``dated_on``: Brussels date of it.

    ``refused``: rows that say nothing we can keep; ``left_out``: records of persons who were erased.
    """

    run_id: str
    principal: str
    source_sha256: str
    dated_on: str
    lines: tuple[ConsentLine, ...]
    refused: int
    left_out: int
    recorded_by: str
    recorded_at: str


class ConsentsDropped(Part):
    """Records that nothing needs any more went. ``why``: a word of retention."""

    run_id: str
    principal: str
    records: int
    why: str
    dropped_at: str
