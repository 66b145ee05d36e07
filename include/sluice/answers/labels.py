"""What a column means, in plain words: its own label, else that of its category together with its name. Pure."""

from dataclasses import replace

from sluice.agreement import dpv
from sluice.agreement.model import FieldRole
from sluice.answers.righted import opinion_of
from sluice.documents.words import Words


def label_of(say: Words, name: str, role: FieldRole | None) -> str:
    """Return the label of a column; one without an explanation keeps its name."""
    opinion = opinion_of(name)
    if opinion and role is not None and role.name == name:
        return say.say("field.statement", label=label_of(say, opinion, replace(role, name=opinion)))
    own = say.find(f"field.{name.lower().replace(' ', '_')}")
    if own or role is None:
        return own or name
    kind = say.find(f"category.{dpv.short(role.category)}")
    return f"{kind} ({name})" if kind else name


def category_of(say: Words, iri: str) -> str:
    """Return a category of the Data Privacy Vocabulary as a layman reads it; else its own name."""
    return say.find(f"category.{dpv.short(iri)}") or dpv.short(iri)


def group_name(say: Words, group: str) -> str:
    """Return a field group as a layman calls it."""
    return say.find(f"letter.group.{group}", f"group.{group}", f"answer.group.{group}") or group
