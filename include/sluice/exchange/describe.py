"""Describe an exchange to people and programs: one document for the command and for HTTP. Pure."""

from dataclasses import asdict
from typing import Any

from sluice.exchange.read import ExchangeLine, Shown

ANSWERS = ("why", "what", "how_long", "who", "how", "right_treatment")
"""The six answers, in their order (domain.md)."""
IN_A_LIST = (
    "id", "file", "principal", "direction", "flow", "purpose", "decision", "reason_code", "opened_at", "closed_at",
    "rows_in", "rows_accepted", "rows_refused", "rows_held",
)  # fmt: skip


def describe_line(line: ExchangeLine) -> dict[str, Any]:
    """Describe one exchange of a list. Moments are UTC."""
    whole = asdict(line)
    return {name: whole[name] for name in IN_A_LIST}


def describe(shown: Shown) -> dict[str, Any]:
    """Describe one exchange: the six answers (null while it is open), then decision and evidence."""
    record, entry, line = shown.record, shown.entry, shown.line
    return {
        "id": line.id,
        **{name: getattr(record, name).model_dump(mode="json") if record else None for name in ANSWERS},
        "decision": line.decision,
        "reason_code": line.reason_code,
        "rule_id": record.rule_id if record else None,
        "reasons": [reason.model_dump(mode="json") for reason in record.reasons] if record else [],
        "opened_at": line.opened_at,
        "closed_at": line.closed_at,
        "evidence": {
            "chain": entry.chain if entry else None,
            "seq": entry.seq if entry else None,
            "entry_hash": entry.hash.hex() if entry else None,
            "prev_hash": entry.prev_hash.hex() if entry else None,
            "receipt_at": line.receipt_at,
            "waiting_effects": list(line.waiting_effects),
            "last_error": line.last_error,
            "stopped_at": line.stopped_at,
        },
    }
