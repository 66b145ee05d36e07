"""Files that are full of canaries, and wrong in every way in which somebody could be tempted to quote them (S-01)."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence

from leaks.canaries import Person

FEW = 4
"""So many wrong rows among forty that the agreement still takes the others."""
SOUND = {
    "first_name": "Jan", "street": "Kerkstraat 1", "postal_code": "9000", "city": "Gent", "language": "nl",
    "birth_date": "01/02/1980", "product": "ELEC", "contract_end_date": "01/12/2026", "tariff": "FIXED_1Y",
    "monthly_amount": "78,00", "opt_in_phone": "Y", "opt_in_email": "Y", "last_contact_result": "nonexistent",
    "attempts": "1", "campaign_code": "RENEW-2026-09",
}  # fmt: skip
COLUMNS = (
    "customer_number", "first_name", "last_name", "phone", "email", "street", "postal_code", "city", "language",
    "birth_date", "product", "contract_end_date", "tariff", "monthly_amount", "opt_in_phone", "opt_in_email",
    "last_contact_result", "attempts", "campaign_code", "note",
)  # fmt: skip
WRONG: tuple[Callable[[Person], dict[str, str]], ...] = (
    lambda who: {"product": who.name, "language": who.email},
    lambda who: {"birth_date": who.phone, "contract_end_date": who.iban},
    lambda who: {"monthly_amount": who.email, "attempts": who.phone},
    lambda who: {"customer_number": who.iban, "opt_in_phone": who.name},
)
"""Values where other values belong: each is a failing cell."""


def row(who: Person, **changed: str) -> dict[str, str]:
    """A sound row of energy01's campaign."""
    own = {"customer_number": who.record, "last_name": who.name, "phone": who.phone, "email": who.email}
    return SOUND | own | {"note": f"{who.note}, {who.iban}"} | changed


def as_csv(rows: Sequence[dict[str, str]], names: Sequence[str] = COLUMNS) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerows([names, *([each[name] for name in COLUMNS] for each in rows)])
    return text.getvalue().encode()


def sound(people: Sequence[Person]) -> bytes:
    """A file with all persons and without a fault."""
    return as_csv([row(each) for each in people])


def partly(people: Sequence[Person]) -> bytes:
    """A file in which four rows fail, each by other rules."""
    failing = [row(who) | change(who) for who, change in zip(people, WRONG, strict=False)]
    return as_csv([*failing, *(row(each) for each in people[FEW:])])


def hopeless(people: Sequence[Person]) -> Iterator[tuple[str, bytes]]:
    """Files that are refused, or that nobody can read; by name."""
    whole = sound(people)
    yield "fails.csv", as_csv([row(who) | WRONG[number % len(WRONG)](who) for number, who in enumerate(people)])
    yield "names.csv", as_csv([row(each) for each in people], [*COLUMNS[:10], *(each.name for each in people[:10])])
    yield "ragged.csv", whole.replace(b"\r\n", f";{people[0].email};{people[1].iban}\r\n".encode())
    yield "bytes.csv", b"".join(line + b"\x00\xff\x81" for line in whole.splitlines(keepends=True))
    yield "quote.csv", whole.replace(people[2].name.encode(), b'"' + people[2].name.encode(), 1)
    yield "wide.csv", whole.decode().encode("utf-16")
    yield "list.csv", json.dumps([row(each) for each in people]).encode()[:-9]
    yield "book.csv", b"PK\x03\x04" + whole
    yield f"{people[3].name}.{people[3].email}.csv", whole


def call_log(people: Sequence[Person], head: Sequence[str], line: Callable[[Person], Sequence[str]]) -> bytes:
    """An export of the agents' platform; the last two lines are of nobody, and of no agent."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerows([head, *map(line, people)])
    return text.getvalue().encode()
