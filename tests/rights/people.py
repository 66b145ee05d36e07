"""Distinct persons with six values of their own, and rows about them as the principals write their files."""

import hashlib
import hmac
import io
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import xlsxwriter

from rights.residue import QUOTED
from sluice.sample.files import BELGIAN, INTERNATIONAL, WRITTEN_ON, campaign_cells, subscriber_cells

SEED = 20_261_127


@dataclass(frozen=True)
class Person:
    """One invented person and what only they have."""

    number: int
    record: str
    e164: str
    phone: str
    """As the files write it."""
    email: str
    last_name: str
    street: str
    subscriber: str
    """Their number at telecom01."""

    @property
    def values(self) -> tuple[str, ...]:
        """Everything that would betray them."""
        return self.record, self.e164, self.phone, self.email, self.last_name, self.street, self.subscriber

    def refs(self, key: bytes, customer: str) -> tuple[str, ...]:
        """Their keyed references (ADR 5), worked out here: HMAC-SHA256 over kind, 0x1F, normal form."""
        normal = {"phone_e164": self.e164, "email": self.email, "principal_customer_id": customer}
        texts = (f"{kind}\x1f{value}".encode() for kind, value in normal.items())
        return tuple(hmac.new(key.hex().encode(), text, hashlib.sha256).hexdigest()[:32] for text in texts)

    @property
    def note(self) -> str:
        """A remark that quotes their e-mail address in one of the encodings."""
        encode = list(QUOTED.values())[self.number % len(QUOTED)]
        return f"schrijft {encode(self.email)}, belt terug"


def draw_people(count: int, seed: int = SEED) -> list[Person]:
    """Distinct persons; a list and a longer one begin with the same persons."""
    lines = random.Random(seed).sample(range(1_000_000, 9_999_999), count)
    return [_person(number, line) for number, line in enumerate(lines)]


def _person(number: int, line: int) -> Person:
    word = letters(line)
    e164 = f"+3247{line}"
    zone, tail = f"47{str(line)[0]}", str(line)[1:]
    pairs = " ".join(tail[at : at + 2] for at in (0, 2, 4))
    ways = (
        e164,
        f"0{zone} {pairs}",
        f"0032{zone}{tail}",
        f"0{zone}/{pairs.replace(' ', '.')}",
        f"+32 (0){zone} {pairs}",
    )
    return Person(
        number,
        f"E{line}{number % 10}",
        e164,
        ways[number % len(ways)],
        f"{word.lower()}.{number}@inbox.example",
        f"Van{word.lower()}",
        f"{word}straat {line % 97 + 1}",
        f"{line % 9000 + 1000}-{letters(line * 7 % 11_881_376)}",
    )


def letters(number: int) -> str:
    """Five capital letters for a number below 26 to the fifth."""
    word = ""
    for _ in range(5):
        number, rest = divmod(number, 26)
        word += chr(65 + rest)
    return word


def contact_rows(people: Sequence[Person], seed: int = SEED) -> pl.DataFrame:
    """Rows of energy01's campaign, one per person."""
    cells = campaign_cells(np.random.default_rng(seed), len(people), BELGIAN, WRITTEN_ON)
    return cells.with_columns(
        customer_number=pl.Series([each.record for each in people]),
        phone=pl.Series([each.phone for each in people]),
        email=pl.Series([each.email for each in people]),
        last_name=pl.Series([each.last_name for each in people]),
        street=pl.Series([each.street for each in people]),
        note=pl.Series([each.note for each in people]),
    )


def subscriber_rows(people: Sequence[Person], seed: int = SEED) -> pl.DataFrame:
    """Rows of telecom01's base, one per person."""
    cells = subscriber_cells(np.random.default_rng(seed), len(people), INTERNATIONAL)
    return cells.with_columns(
        customer_id=pl.Series([each.subscriber for each in people]),
        phone=pl.Series([each.phone for each in people]),
        email=pl.Series([each.email for each in people]),
        last_name=pl.Series([each.last_name for each in people]),
    )


def as_csv(rows: pl.DataFrame, separator: str = ";", encoding: str = "utf-8") -> bytes:
    """Rows as a spreadsheet exports them; a note with a line break is quoted."""
    return rows.write_csv(separator=separator, line_terminator="\r\n").encode(encoding)


def as_xlsx(rows: pl.DataFrame) -> bytes:
    """A workbook with a bold header, every cell text but the attempts."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False})
    sheet, bold = book.add_worksheet("contacts"), book.add_format({"bold": True})
    for column, name in enumerate(rows.columns):
        sheet.write_string(0, column, name, bold)
    for row, cells in enumerate(rows.iter_rows(), 1):
        for column, cell in enumerate(cells):
            if rows.columns[column] == "attempts":
                sheet.write_number(row, column, int(cell))
            elif cell:
                sheet.write_string(row, column, cell)
    book.close()
    return target.getvalue()


def objects_of(rows: pl.DataFrame) -> list[dict[str, object]]:
    """Rows as JSON has them: attempts as a number."""
    return [{**row, "attempts": int(row["attempts"])} for row in rows.to_dicts()]


def as_json(rows: pl.DataFrame) -> bytes:
    return json.dumps(objects_of(rows), ensure_ascii=False, indent=1).encode()


def as_ndjson(rows: pl.DataFrame) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in objects_of(rows))


WRITERS = {"csv": as_csv, "xlsx": as_xlsx, "json": as_json, "ndjson": as_ndjson}
