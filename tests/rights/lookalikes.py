"""Persons who must stay out, persons who nearly are them, and the ways in which files write one person."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace

from rights.people import Person, draw_people


def with_line(person: Person, line: str) -> Person:
    """The same person under another telephone: Belgian mobile, seven digits behind +32 47."""
    return replace(person, e164=f"+3247{line}", phone=f"047{line[0]} {line[1:3]} {line[3:5]} {line[5:]}")


def line_of(person: Person) -> str:
    return person.e164.removeprefix("+3247")


def _digit_off(of: Person, other: Person) -> Person:
    line = line_of(of)
    return with_line(other, f"{line[:-1]}{(int(line[-1]) + 1) % 10}")


def _digits_swapped(of: Person, other: Person) -> Person:
    line = line_of(of)
    at = next((at for at in range(1, 6) if line[at] != line[at + 1]), 0)
    return with_line(other, line[:at] + line[at + 1] + line[at] + line[at + 2 :])


def _halves_swapped(of: Person, other: Person) -> Person:
    line = line_of(of)
    return with_line(other, line[0] + line[4:] + line[1:4])


def _number_off(of: Person, other: Person) -> Person:
    return replace(other, record=f"{of.record[:-1]}{(int(of.record[-1]) + 1) % 10}")


def _mailbox(change: Callable[[str, str], str]) -> Callable[[Person, Person], Person]:
    def changed(of: Person, other: Person) -> Person:
        return replace(other, email=change(*of.email.split("@")))

    return changed


TWINS: dict[str, Callable[[Person, Person], Person]] = {
    "one digit of the telephone": _digit_off,
    "two digits changed places": _digits_swapped,
    "halves of the telephone swapped": _halves_swapped,
    "one digit of the customer number": _number_off,
    "same name": lambda of, other: replace(other, last_name=of.last_name),
    "plus address": _mailbox(lambda name, host: f"{name}+club@{host}"),
    "same mailbox elsewhere": _mailbox(lambda name, host: f"{name}@post.example"),
    "halves of the mailbox swapped": _mailbox(lambda name, host: f"{'.'.join(reversed(name.split('.')))}@{host}"),
    "dot left out": _mailbox(lambda name, host: f"{name.replace('.', '')}@{host}"),
}
"""How somebody else can look like a person: the person, a stranger to begin with, and the look-alike."""


def draw_twins(count: int) -> tuple[list[Person], list[Person], list[Person]]:
    """So many persons, as many look-alikes, each of one of them, and two strangers for each of both together."""
    drawn = draw_people(count * 6)
    people, others, strangers = drawn[:count], drawn[count : 2 * count], drawn[2 * count :]
    ways = list(TWINS.values())
    twins = [ways[n % len(ways)](of, other) for n, (of, other) in enumerate(zip(people, others, strict=True))]
    check_apart(people, twins)
    return people, twins, strangers


def check_apart(people: Sequence[Person], twins: Sequence[Person]) -> None:
    """No look-alike has an identifier of a person; each person is looked like."""
    for value in (lambda each: each.e164, lambda each: each.email, lambda each: each.record):
        assert not {value(each) for each in people} & {value(each) for each in twins}
    assert len({each.street for each in (*people, *twins)}) == len(people) + len(twins)


def _wide(text: str) -> str:
    """Full-width digits, as a Japanese keyboard writes them."""
    return "".join(chr(ord(each) + 0xFEE0) if each.isdigit() else each for each in text)


PHONES: dict[str, Callable[[Person], str]] = {
    "+32": lambda each: each.e164,
    "0032": lambda each: f"0032 {each.e164[3:]}",
    "national": lambda each: f"0{each.e164[3:]}",
    "(0)": lambda each: f"+32 (0)47{line_of(each)}",
    "dots": lambda each: f"047{line_of(each)[0]}/{line_of(each)[1:3]}.{line_of(each)[3:5]}.{line_of(each)[5:]}",
    "hard spaces": lambda each: (
        f" 0{each.e164[3:6]}\N{NO-BREAK SPACE}{line_of(each)[1:4]}\N{THIN SPACE}{line_of(each)[4:]} "
    ),
    "tel:": lambda each: f"Tel: 0{each.e164[3:]}",
    "a float": lambda each: f"{each.e164[1:]}.0",
    "full width": lambda each: _wide(f"0{each.e164[3:]}"),
}
MAILS: dict[str, Callable[[Person], str]] = {
    "upper case": lambda each: each.email.upper(),
    "title": lambda each: each.email.title(),
    "spaces": lambda each: f"  {each.email}\N{NO-BREAK SPACE}",
    "mailto:": lambda each: f"mailto:{each.email}",
    "full width": lambda each: each.email.replace("@", unicodedata.lookup("FULLWIDTH COMMERCIAL AT")),
}


def known_by_phone(
    people: Sequence[Person], strangers: Sequence[Person], spell: Callable[[Person], str]
) -> list[Person]:
    """Only the telephone is theirs, in another spelling; the street stays, by which the test knows them."""
    return [
        replace(each, phone=spell(each), email=other.email, record=other.record)
        for each, other in zip(people, strangers, strict=False)
    ]


def known_by_mail(
    people: Sequence[Person], strangers: Sequence[Person], spell: Callable[[Person], str]
) -> list[Person]:
    """Strangers with the e-mail address of a person, and with a telephone and customer number of their own."""
    return [
        replace(each, email=spell(each), phone=other.phone, record=other.record)
        for each, other in zip(people, strangers, strict=False)
    ]


def known_by_number(people: Sequence[Person], strangers: Sequence[Person]) -> list[Person]:
    """Only the customer number is theirs: a younger file with a new telephone and a new address."""
    return [replace(each, email=other.email, phone=other.phone) for each, other in zip(people, strangers, strict=False)]
