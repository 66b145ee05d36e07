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
    if rule == "NO_SUCH_OPTION" and (lacking := _lacking(error, words)):
        commands = Ref("commands", ", ".join(lacking))
        return UsageError(Ref("rule", "MISSING_COMMAND"), commands, *_meant(error, rule, words))
    where = tuple(_where(error))
    if rule == "NOT_OF_ITS_TYPE" and Ref("takes", "<path>") in where:
        return FileUnreadable(*where[:1])  # Typer looks at nothing else of a path
    return UsageError(Ref("rule", rule), *where, *_meant(error, rule, words))


def _lacking(error: Any, words: Sequence[str]) -> list[str]:
    """The commands of a topic of which none was given: where an option is not the topic's, that is what is wrong."""
    context, depth = error.ctx, 0
    if context is None or not hasattr(context.command, "list_commands"):
        return []
    commands = list(context.command.list_commands(context))
    while (context := context.parent) is not None:
        depth += 1
    return [] if set(commands) & set(words[depth:]) else commands


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
            yield Ref("takes", _taken(parameter, error.ctx))
    elif type(error).__name__ == "BadOptionUsage":
        yield Ref("option", error.option_name)
    elif type(error).__name__ == "NoSuchOption" and error.ctx is not None and not _near(error):
        known = [each.opts[0] for each in error.ctx.command.params if each.opts[0][:2] == "--"]
        yield Ref("known", ", ".join([*known, "--help"]))


def _taken(parameter: Any, context: Any) -> str:
    """What an option takes; of a number in a range both ends, as Typer does not say them."""
    declared = getattr(parameter.type_descriptor, "parameter_info", None)
    least, most = getattr(declared, "min", None), getattr(declared, "max", None)
    if least is None and most is None:
        return str(parameter.display_type(context))
    return f"{least} or more" if most is None else f"{most} or less" if least is None else f"{least} to {most}"


def _meant(error: Any, rule: str, words: Sequence[str]) -> Iterator[Ref]:
    """Names of commands or options that are spelled nearly like what was typed."""
    near = _near(error)
    if rule == "NO_SUCH_COMMAND" and error.ctx is not None:
        known = error.ctx.command.list_commands(error.ctx)
        near = [name for word in words for name in get_close_matches(word, known, n=2)]
    if near:
        yield Ref("perhaps", ", ".join(dict.fromkeys(near)))


def _near(error: Any) -> list[str]:
    """Options that Typer takes for what was meant; of ``-h`` we know it."""
    return (
        ["--help"] if getattr(error, "option_name", None) == "-h" else list(getattr(error, "possibilities", None) or ())
    )
