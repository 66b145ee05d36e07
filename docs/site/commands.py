"""The page of commands, as the parser knows them."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from sluice.cli.whole import app

HEAD = """# Commands

Made from the parser by each build of this site. Every command has `--help`; `--format json` gives one JSON document.
Exit codes: 0 done, 1 refused or violated, 2 wrong usage, 3 undecided, 4 a service or setting is missing.
"""


def page() -> str:
    """Markdown."""
    return "\n".join([HEAD, *_topics(get_command(app))])


def _topics(root: Any) -> Iterator[str]:
    alone = {name: one for name, one in root.commands.items() if not hasattr(one, "commands")}
    for name, command in alone.items():
        yield from _command("##", f"sluice {name}", command)
    for name, topic in root.commands.items():
        if name not in alone:
            yield f"\n## sluice {name}\n\n{topic.help}\n"
            for verb, command in topic.commands.items():
                yield from _command("###", f"sluice {name} {verb}", command)


def _command(level: str, words: str, command: Any) -> Iterator[str]:
    told, _, examples = (command.help or "").replace("\b", "").partition("Example:")
    shown = [parameter for parameter in command.params if not parameter.hidden]
    yield f"\n{level} {words}\n\n{told.strip()}\n"
    if shown:
        yield "| word | what | default |\n|---|---|---|"
        yield from (_row(each) for each in shown)
    if examples:
        lines = [line.removeprefix("Example:").strip() for line in f"Example:{examples}".splitlines()]
        yield "\n```console\n" + "\n".join(line for line in lines if line) + "\n```\n"


def _row(parameter: Any) -> str:
    is_option = any(each.startswith("-") for each in parameter.opts)
    words = [*parameter.opts, *parameter.secondary_opts] if is_option else [parameter.name.upper()]
    default = getattr(parameter.default, "value", parameter.default)
    told = "" if default in (None, False, (), []) or callable(default) else f"`{'on' if default is True else default}`"
    must = "must be given" if parameter.required else told
    help_text = (parameter.help or "").replace("|", "\\|").replace("\n", " ")
    return f"| {', '.join(f'`{each}`' for each in words)} | {help_text} | {must} |"
