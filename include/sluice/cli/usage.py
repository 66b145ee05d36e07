"""Messages about a command line that cannot be understood: they name the option and what it takes.

They never quote what was typed, as Typer would: it may be a person's telephone number without its quotes.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

import typer

from sluice.errors import FileUnreadable, Ref, UsageError

RULES = {
    "MissingParameter": "MISSING",
    "BadParameter": "NOT_OF_ITS_TYPE",
    "NoSuchOption": "NO_SUCH_OPTION",
    "BadOptionUsage": "VALUE_MISSING_OR_TOO_MANY",
    "NoArgsIsHelpError": "MISSING_COMMAND",
}
"""Classes of Typer's usage errors; the others are recognised by the beginning of their message."""
BARE = re.compile(r"--[a-z-]+=")
"""An option with an empty value; a value may itself end with an equals sign, as base64 does."""
BEGINNINGS = {
    "Got unexpected extra": "TOO_MANY_ARGUMENTS",
    "No such command": "NO_SUCH_COMMAND",
    "Missing command": "MISSING_COMMAND",
}


def usage_error(error: typer.TyperException, words: Sequence[str]) -> UsageError:
    """Turn an error of Typer's into a coded one. ``words``: the command line, to suggest a similar command."""
    begun = next((rule for begins, rule in BEGINNINGS.items() if error.message.startswith(begins)), "WRONG_USAGE")
    rule = RULES.get(type(error).__name__, begun)
    where = tuple(_where(error))
    if rule == "NOT_OF_ITS_TYPE" and Ref("takes", "<path>") in where:
        return FileUnreadable(*where[:1])  # Typer looks at nothing else of a path
    return UsageError(Ref("rule", rule), *where, *_meant(error, rule, words))


def empty_word(words: Sequence[str]) -> UsageError | None:
    """Find an empty word, as an unset shell variable leaves: an empty option would count as absent, which means all."""
    for place, word in enumerate(words, 1):
        if word == "" or BARE.fullmatch(word):
            return UsageError(Ref("rule", "EMPTY_ARGUMENT"), Ref("argument", place))
    return None


def usage_line(error: typer.TyperException) -> str:
    """Return the usage of the command and where to read more; its whole help if only a topic was given."""
    context = getattr(error, "ctx", None)
    if context is None:
        return "Try 'sluice --help' for help."
    if type(error).__name__ == "NoArgsIsHelpError":
        return str(context.get_help())
    return f"{context.get_usage()}\nTry '{context.command_path} --help' for help."


def _where(error: Any) -> Iterator[Ref]:
    """The option or argument that is wrong, and what it takes."""
    parameter = getattr(error, "param", None)
    if parameter is not None:
        yield Ref(parameter.param_type_name, parameter.get_error_hint().replace("'", ""))
        if error.ctx is not None:
            yield Ref("takes", parameter.display_type(error.ctx))
    elif type(error).__name__ == "BadOptionUsage":
        yield Ref("option", error.option_name)
    elif type(error).__name__ == "NoSuchOption" and error.ctx is not None and not error.possibilities:
        yield Ref("known", ", ".join(each.opts[0] for each in error.ctx.command.params if each.opts[0][:2] == "--"))


def _meant(error: Any, rule: str, words: Sequence[str]) -> Iterator[Ref]:
    """Names of commands or options that are spelled nearly like what was typed."""
    near = list(getattr(error, "possibilities", None) or ())
    if rule == "NO_SUCH_COMMAND" and error.ctx is not None:
        known = error.ctx.command.list_commands(error.ctx)
        near = [name for word in words for name in get_close_matches(word, known, n=2)]
    if near:
        yield Ref("perhaps", ", ".join(dict.fromkeys(near)))
