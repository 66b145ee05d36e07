"""The result of making one return, before anything of it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sluice.exchange.early_refusal import refused
from sluice.gate.model import Finding, GateVerdict
from sluice.lake.write.model import Written
from sluice.ledger.record import Screening
from sluice.returns.model import Input, SortedOut


@dataclass(frozen=True)
class Making:
    """A return being made. ``written`` is None if there is no file to send."""

    verdict: GateVerdict
    inputs: tuple[Input, ...] = ()
    sorted_out: SortedOut | None = None
    written: Written | None = None
    suites: Mapping[str, str] = field(default_factory=dict)
    screening: Screening | None = None
    """What the notes of its results were screened for when they arrived."""
    runs: tuple[tuple[str, bytes], ...] = ()
    """Subject index runs of its rows: kind of the copy, and content."""

    @property
    def held(self) -> dict[str, int]:
        """Number of held rows by reason."""
        return self.sorted_out.reasons if self.sorted_out else {}

    def refused(self, *reasons: Finding) -> "Making":
        """The same return, refused for these reasons: no row and no file of it goes out."""
        rows_in = self.verdict.rows_in
        verdict = replace(refused(reasons), rows_in=rows_in, rows_refused=rows_in)
        return replace(self, verdict=verdict, written=None)
