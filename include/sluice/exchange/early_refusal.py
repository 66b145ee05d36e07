"""What is refused before a byte is read: paper, country, name. Pure."""

from datetime import date
from fnmatch import fnmatchcase

from sluice.agreement.clauses.facts import EEA_COUNTRIES
from sluice.agreement.model import Agreement, DataContract
from sluice.agreement.papers import PaperMissing
from sluice.exchange.naming import is_safe_name
from sluice.gate.model import Finding, GateVerdict
from sluice.terms import Severity, Verdict


def finding(code: str, rule: str, column: str | None = None, count: int = 1) -> Finding:
    """A finding about the file or its paper, not about rows."""
    return Finding(code=code, rule=rule, column=column, count=count, severity=Severity.ERROR, stops=True)


def missing_paper(missing: PaperMissing) -> Finding:
    """Return the finding for a missing paper: no agreement, none in force, no contract or a gap, each with its code.

    If a contract begins later, its rule gives the first day: ``paper.in_force:2027-01-01``.
    """
    day = f":{missing.begins}" if missing.begins else ""
    return finding(f"FORBIDDEN_{missing.reason.name}", f"paper.in_force{day}")


def refuse_unread(file_name: str, agreement: Agreement, contract: DataContract, on: date) -> tuple[Finding, ...]:
    """Find everything that refuses a file before it is read; empty when it may be read. ``on``: Brussels date."""
    found = []
    if not is_safe_name(file_name):
        found.append(finding("NAME_UNSAFE", "name.safe"))
    elif not fnmatchcase(file_name.lower(), contract.file_format.pattern.lower()):
        found.append(finding("NAME_NOT_AS_AGREED", "name.pattern"))
    if forbidden := countries_without_basis(agreement, on):
        found.append(finding("FORBIDDEN_COUNTRY", "paper.country", count=len(forbidden)))
    return tuple(found)


def countries_without_basis(agreement: Agreement, on: date) -> frozenset[str]:
    """Countries outside the EEA that a sub-processor works in without a transfer basis (GDPR Art. 44)."""
    return frozenset(
        country
        for processor in agreement.sub_processors
        if processor.valid_from <= on and (processor.valid_to is None or on <= processor.valid_to)
        for country in processor.countries
        if country not in EEA_COUNTRIES and processor.transfer_basis is None
    )


def refused(reasons: tuple[Finding, ...], verdict: Verdict = Verdict.REFUSED) -> GateVerdict:
    """Make a verdict on a file whose rows were never counted.

    Raises ValueError without a reason: its principal could do nothing with such an answer.
    """
    if not reasons:
        raise ValueError("a refusal says why")
    return not_judged(verdict, reasons)


def not_judged(verdict: Verdict = Verdict.UNDECIDED, reasons: tuple[Finding, ...] = ()) -> GateVerdict:
    """Make a verdict that counts no row: what stands until something was judged, so perhaps without a reason yet."""
    counts = {word.value: 0 for word in Verdict} | {verdict.value: len(reasons)}
    return GateVerdict(verdict=verdict, rows_in=0, rows_accepted=0, rows_refused=0, reasons=reasons, gate_counts=counts)
