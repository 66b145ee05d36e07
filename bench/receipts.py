"""Receipts: JSON and PDF of one exchange, made warm, and verified."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench import BenchRow
from sluice.documents.receipt import Receipt, make_receipt
from sluice.documents.verify import verify_receipt
from sluice.keys import Keyring
from sluice.ledger.model import Entry
from sluice.ledger.record import ExchangeRecord, How, HowLong, ReasonLine, RightTreatment, What, Who, Why
from sluice.terms import Decision, Direction, ExchangeId

MADE_AT = "2026-11-25T04:12:31.512Z"
ROUNDS = 15
WHO = Who(
    principal="energy01",
    language="nl",
    sender="energy01",
    recipients=("center",),
    sub_processors=(),
    countries=("BE",),
    roles=(),
)


def rows(size: int) -> Iterator[BenchRow]:
    """Milliseconds per receipt, median, no two alike (Typst remembers what it has set)."""
    keyring = Keyring(Path(), bytes(32), Ed25519PrivateKey.generate())
    for reasons, goal in ((6, 150), (200, None)):
        make = [made(keyring, number, reasons) for number in range(ROUNDS + 1)]
        make[0]()
        yield BenchRow(
            "receipts", f"JSON and PDF, {reasons} reasons", milliseconds(make[1:]), "ms", "no floor", goal, False
        )
    receipt, public = made(keyring, 0, 6)(), keyring.public_pem
    verify = milliseconds([lambda: verify_receipt(receipt.jws, public, receipt.pdf)] * ROUNDS)
    yield BenchRow("receipts", "verify", verify, "ms", "no floor")


def milliseconds(works: Sequence[Callable[[], object]]) -> float:
    """Median wall time of works that are each done once."""
    found = []
    for work in works:
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1e3)
    return statistics.median(found)


def made(keyring: Keyring, number: int, reasons: int) -> Callable[[], Receipt]:
    record, entry = a_record(number, reasons), an_entry(number)
    return lambda: make_receipt(record, entry, keyring, "nl")


def an_entry(number: int) -> Entry:
    return Entry(
        chain="DPA-ENERGY01",
        seq=number + 1,
        kind="exchange.closed",
        exchange_id=ExchangeId(f"00000000-0000-4000-8000-{number:012d}"),
        hash=number.to_bytes(32, "big"),
        prev_hash=bytes(32),
        body=b"{}",
        appended_at=datetime.fromisoformat(MADE_AT),
        is_new=True,
    )


def a_record(number: int, reasons: int) -> ExchangeRecord:
    """A file whose rows were refused for so many reasons, twenty row numbers each."""
    exchange_id = f"00000000-0000-4000-8000-{number:012d}"
    return ExchangeRecord(
        exchange_id=exchange_id,
        direction=Direction.INBOUND,
        flow="renewal",
        opened_at="2026-11-25T04:12:01.102Z",
        closed_at=MADE_AT,
        decision=Decision.REFUSED,
        reason_code="VALUE_PATTERN",
        rule_id="rule_0",
        reasons=tuple(a_reason(index, number) for index in range(reasons)),
        why=Why(agreement_id="DPA-ENERGY01", agreement_version="3.0.0", agreement_sha256="aa" * 32, purposes=()),
        what=a_file(number),
        how_long=HowLong(copies=(), at_contract_end="delete within 30 days"),
        who=WHO,
        how=how_judged(exchange_id, reasons),
        right_treatment=RightTreatment(held_back={}),
    )


def a_reason(index: int, first: int) -> ReasonLine:
    rows = tuple(range(first, first + 20))
    return ReasonLine(code="VALUE_PATTERN", rule=f"rule_{index}", column="phone", count=99, rows=rows)


def a_file(number: int) -> What:
    return What(
        bucket="exchange",
        key="energy01/inbound/renewal/2026-11-25.csv",
        version_id=f"v{number}",
        sha256=f"{number:064x}",
        size_bytes=583_898,
        format="csv",
        rows_in=41_188,
        rows_accepted=0,
        rows_refused=41_188,
        columns=(),
        distinct_subjects=None,
        special_categories=False,
    )


def how_judged(exchange_id: str, refused: int) -> How:
    return How(
        contract_id="energy01.inbound.renewal",
        contract_version="1.2.0",
        contract_sha256="bb" * 32,
        suites={},
        gate_counts={"PASSED": 21, "WARNED": 0, "REFUSED": refused, "UNDECIDED": 0},
        dialect={},
        lineage_run_id=exchange_id,
        airflow={},
    )
