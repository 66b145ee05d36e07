"""Identifiers of persons as they were given: how they are written, whose they are, their references and forms. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sluice.errors import Ref
from sluice.exchange.naming import PRINCIPAL_NAME
from sluice.rights.case.errors import IdentifierInvalid
from sluice.subject.candidate import normal_candidate
from sluice.subject.columns import normalise_column
from sluice.subject.customer import without_zeros
from sluice.subject.key import SubjectKey
from sluice.subject.normalise import normalise
from sluice.subject.refs import ref_column, refer
from sluice.terms import Principal, SubjectKind

NOBODY = Principal("_nobody")
"""The owner of a customer number that no principal knew when the case was opened."""
KINDS: Mapping[str, SubjectKind] = {
    "phone": SubjectKind.PHONE,
    "email": SubjectKind.EMAIL,
    "customer": SubjectKind.PRINCIPAL_CUSTOMER_ID,
    "national_number": SubjectKind.NATIONAL_NUMBER,
    "iban": SubjectKind.IBAN,
}
FEW = 8
"""Up to this many identifiers are read one by one, because reading whole columns takes milliseconds even if they are
short."""
WORDS: Mapping[SubjectKind, str] = {kind: word for word, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier as it was given. The value stays out of every repr.

    ``owner``: of a customer number, the principal whose number it is, or ``NOBODY``. None: nobody said, as for
    every other kind.
    """

    kind: SubjectKind
    value: str = field(repr=False)
    owner: Principal | None = None


Person = tuple[Identifier, ...]
"""Identifiers that are said to belong to one person."""


@dataclass(frozen=True, slots=True)
class Sought:
    """A name, its parts in any order, and a birth date, as given. They only point at candidates and identify nobody."""

    name: str = field(repr=False)
    birth_date: str = field(repr=False)


def parse_identifier(text: str, place: int) -> Identifier:
    """Read an identifier from ``KIND:VALUE``. Raises IdentifierInvalid, naming its place (1 = first)."""
    word, _, value = text.partition(":")
    kind = KINDS.get(word) or next((kind for kind in SubjectKind if kind.value == word), None)
    if kind is None or not value.strip():
        raise IdentifierInvalid(Ref("identifier", place))
    return Identifier(kind, value)


def parse_person(texts: Sequence[str]) -> Person:
    """Read what is said to name one person, each ``KIND:VALUE``. Raises IdentifierInvalid, naming its place."""
    found = tuple(parse_identifier(text, place) for place, text in enumerate(texts, 1))
    check_identifiers(found)
    return found


def parse_owned(text: str, place: int) -> Identifier:
    """Read ``KIND:VALUE`` or, for one principal, ``customer@PRINCIPAL:VALUE``. Raises IdentifierInvalid, naming its
    place."""
    head, _, value = text.partition(":")
    word, at, owner = head.partition("@")
    found = parse_identifier(f"{word}:{value}", place)
    if not at:
        return found
    if found.kind is not SubjectKind.PRINCIPAL_CUSTOMER_ID or not PRINCIPAL_NAME.fullmatch(owner):
        raise IdentifierInvalid(Ref("identifier", place))
    return replace(found, owner=Principal(owner))


def owned_by(person: Person, principal: Principal) -> Person:
    """The same person, with this principal as owner of every customer number that has none."""
    return tuple(replace(each, owner=principal) if is_unowned(each) else each for each in person)


def is_unowned(identifier: Identifier) -> bool:
    """Whether it is a customer number and nobody said whose."""
    return identifier.kind is SubjectKind.PRINCIPAL_CUSTOMER_ID and identifier.owner is None


def places_at(identifiers: Sequence[Identifier], principal: Principal, *, nobodys: bool = False) -> list[int]:
    """Places of the identifiers that may be used at a principal.

    The customer numbers of other principals are left out: here, the same number is somebody else's. nobodys:
    include the customer numbers that no principal knew. They serve to look and to compare, never to act on.
    """
    may = {None, principal} | ({NOBODY} if nobodys else set())
    return [place for place, each in enumerate(identifiers) if each.owner in may]


def refs_of(
    identifiers: Sequence[Identifier], key: SubjectKey, principal: Principal, *, nobodys: bool = False
) -> dict[int, str]:
    """References at one principal, under its key, by place in the list. An identifier that names nobody there has none.

    nobodys: as for :func:`places_at`.
    """
    import polars as pl

    there = places_at(identifiers, principal, nobodys=nobodys)
    if len(there) <= FEW:
        told = ((place, refer(key, identifiers[place].kind, identifiers[place].value).ref) for place in there)
        return {place: ref for place, ref in told if ref is not None}
    found: dict[int, str] = {}
    for kind in {identifiers[place].kind for place in there}:
        places = [place for place in there if identifiers[place].kind is kind]
        values = pl.Series("value", [identifiers[place].value for place in places], dtype=pl.String)
        refs = ref_column(normalise_column(values, kind).values, kind, key)
        found |= {place: ref for place, ref in zip(places, refs.to_list(), strict=True) if ref is not None}
    return dict(sorted(found.items()))


def values_of(
    identifiers: Sequence[Identifier], key: SubjectKey, principal: Principal, *, nobodys: bool = False
) -> tuple[str, ...]:
    """The identifiers that may be used at a principal, in every form in which a file may have them.

    These are what was given, its normal form, and customer numbers without leading zeros. nobodys: as for
    :func:`places_at`.
    """
    import polars as pl

    there = [identifiers[place] for place in places_at(identifiers, principal, nobodys=nobodys)]
    found = {each.value for each in there}
    numbers = (each.value for each in there if each.kind is SubjectKind.PRINCIPAL_CUSTOMER_ID)
    found.update(filter(None, (without_zeros(number, key) for number in numbers)))
    if len(there) <= FEW:
        forms = (normalise(each.kind, each.value).value for each in there)
        return tuple(sorted(found.union(filter(None, forms))))
    for kind in {each.kind for each in there}:
        values = pl.Series("value", [each.value for each in there if each.kind is kind], dtype=pl.String)
        found.update(normalise_column(values, kind).values.drop_nulls().to_list())
    return tuple(sorted(found))


def check_identifiers(identifiers: Sequence[Identifier]) -> None:
    """Raise IdentifierInvalid for the first identifier that names nobody, or if there are none."""
    if not identifiers:
        raise IdentifierInvalid(Ref("identifiers", 0))
    for place, each in enumerate(identifiers, 1):
        if refer(SubjectKey(bytes(32)), each.kind, each.value).ref is None:
            raise IdentifierInvalid(Ref("identifier", place), Ref("kind", each.kind))


def check_sought(sought: Sought) -> None:
    """Raise IdentifierInvalid unless this is a name and a birth date."""
    if normal_candidate((sought.name,), sought.birth_date) is None:
        raise IdentifierInvalid(Ref("name and birth date", 1))
