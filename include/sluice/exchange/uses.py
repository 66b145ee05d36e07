"""What a file is for, as its paper says it: which uses must stand for a person's row. Pure."""

from collections.abc import Iterator

from sluice.agreement.model import Agreement, FieldRole
from sluice.agreement.papers import Paper
from sluice.subject.scope import Need, Use


def needs_of_file(paper: Paper) -> tuple[Need, ...]:
    """Of a file that arrives: a row may stay while anything it is for still stands."""
    fields = paper.contract.fields
    return (frozenset(use for field in fields for use in _uses(paper.agreement, field)),)


def needs_of_return(paper: Paper) -> tuple[Need, ...]:
    """Of a return: a row goes whole or not at all, so every column must have something left that it is for."""
    return tuple(dict.fromkeys(frozenset(_uses(paper.agreement, field)) for field in paper.contract.fields))


def _uses(agreement: Agreement, field: FieldRole) -> Iterator[Use]:
    """A purpose can be on the agreement under several bases; the column says which one is its own."""
    for iri in field.purpose_iris:
        listed = [each for each in agreement.purposes if (each.iri, each.legal_basis) == (iri, field.legal_basis)]
        channels = {channel for each in listed for channel in each.channels}
        for channel in sorted(channels) or (None,):
            yield Use(iri, field.legal_basis, channel)
