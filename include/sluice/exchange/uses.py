"""What a file is for, according to its paper: which uses must still stand for a person's row. Pure."""

from collections.abc import Iterator

from sluice.agreement.model import Agreement, FieldRole
from sluice.agreement.papers import Paper
from sluice.subject.scope import Need, Use


def needs_of_file(paper: Paper) -> tuple[Need, ...]:
    """Return the needs of a file that arrives: a row may stay while anything it is for still stands."""
    fields = paper.contract.fields
    return (frozenset(use for field in fields for use in _uses(paper.agreement, field)),)


def needs_of_return(paper: Paper) -> tuple[Need, ...]:
    """Return the needs of a return.

    A row goes whole or not at all, so every column must have something left that it is for.
    """
    return tuple(dict.fromkeys(frozenset(_uses(paper.agreement, field)) for field in paper.contract.fields))


def _uses(agreement: Agreement, field: FieldRole) -> Iterator[Use]:
    """Yield the uses of one column.

    An agreement can list a purpose under several bases; the column says which of them is its own.
    """
    for iri in field.purpose_iris:
        listed = [each for each in agreement.purposes if (each.iri, each.legal_basis) == (iri, field.legal_basis)]
        channels = {channel for each in listed for channel in each.channels}
        for channel in sorted(channels) or (None,):
            yield Use(iri, field.legal_basis, channel)
