"""The record of a dial list: that of any exchange, for one purpose, with counts of rows left out and why. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sluice.agreement.papers import Paper, PaperMissing
from sluice.dial.model import Composed, Input, NumberList
from sluice.dial.rules import Task
from sluice.exchange.early_refusal import finding, refused
from sluice.exchange.effects.put_dial import CHANNEL_WORD, USE_BASIS
from sluice.exchange.model import Judged, Kept, Opened, Sighting
from sluice.exchange.record import Closing, record_of
from sluice.gate.model import GateVerdict
from sluice.lake.write.model import Written
from sluice.ledger.record import CopyLine, ExchangeRecord, InputLine, What
from sluice.terms import Verdict

CONTACTS = "contacts"


@dataclass(frozen=True)
class Made:
    """A list before it is kept: its task, its inputs, its rows and the written file."""

    task: Task
    inputs: tuple[Input, ...]
    composed: Composed
    written: Written
    format: str
    listed: NumberList | None


def record_of_list(
    opened: Opened, paper: Paper, made: Made, copies: tuple[CopyLine, ...], closing: Closing
) -> ExchangeRecord:
    """The record of a list that goes to the agents."""
    composed = made.composed
    verdict = GateVerdict(Verdict.PASSED, composed.rows_in, composed.rows_in, 0, (), {})
    sighting = Sighting(_dialect(made), tuple(composed.rows.columns), composed.subjects)
    judged = Judged(opened, paper, None, verdict, sighting, {}, Path(), composed.left_out)
    record = record_of(Kept(judged, copies), closing)
    groups = {column.field_group for column in record.what.columns}
    return record.model_copy(
        update={
            "why": record.why.model_copy(
                update={"purposes": tuple(p for p in record.why.purposes if p.code == made.task.purpose.code)}
            ),
            "what": _what(record.what, made),
            "who": record.who.model_copy(
                update={
                    "recipients": (closing.settings.center,),
                    "roles": tuple(role for role in record.who.roles if role.field_group in groups),
                }
            ),
        }
    )


def record_of_refusal(
    opened: Opened, paper: Paper | PaperMissing, codes: Sequence[str], closing: Closing
) -> ExchangeRecord:
    """The record of a list that is not made."""
    verdict = refused(tuple(finding(code, "dial.paper") for code in codes))
    return record_of(Kept(Judged(opened, paper, None, verdict, None, {}, Path()), ()), closing)


def _dialect(made: Made) -> dict[str, object]:
    """What else the record says about the list: format, channel, and the Do-Not-Call-Me list it was checked against."""
    said: dict[str, object] = {
        "format": made.format,
        "channel": made.task.rule.channel.value,
        CHANNEL_WORD: made.task.rule.word,
        USE_BASIS: made.task.use.basis,
        "neutralised": dict(made.written.neutralised),
    }
    if made.listed is not None:
        said["dncm_sha256"], said["dncm_dated_on"] = made.listed.sha256, made.listed.dated_on.isoformat()
    return said


def _what(what: What, made: Made) -> What:
    purpose = made.task.purpose
    of_the_list = {"legal_basis": purpose.legal_basis, "purposes": (purpose.code,)}
    columns = tuple(
        column.model_copy(update={"source": f"{CONTACTS}.{column.name}", **of_the_list}) for column in what.columns
    )
    return what.model_copy(
        update={
            "sha256": made.written.sha256,
            "size_bytes": made.written.size_bytes,
            "columns": columns,
            "inputs": tuple(
                InputLine(
                    exchange_id=each.exchange_id,
                    kind=CONTACTS,
                    bucket=each.bucket,
                    key=each.key,
                    version_id=each.version_id,
                    sha256=each.sha256,
                )
                for each in made.inputs
            ),
        }
    )
