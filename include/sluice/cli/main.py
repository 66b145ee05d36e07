"""The ``sluice`` command: one door for people, scripts and tests.

Exit codes: 0 done, 1 refused or violated, 2 wrong usage, 3 undecided, 4 a service or an optional part is missing.

Nothing but a little of Python is imported with this module: the rest takes its time, in which somebody may interrupt.
"""

import itertools
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

    from sluice.errors import Exit, SluiceError

TOPICS = frozenset(
    {
        "agreement",
        "breach",
        "case",
        "clock",
        "consent",
        "contract",
        "dial",
        "erase",
        "exchange",
        "export",
        "gate",
        "keys",
        "ledger",
        "lineage",
        "notices",
        "principal",
        "receipt",
        "recipients",
        "register",
        "retention",
        "review",
        "staff",
        "subject",
        "suppression",
    }
)
"""Topics that are a module of this room, by the same name but for :data:`MODULES`."""
MODULES = {"clock": "alarms"}
"""Where the module of a topic has another name."""
LISTENER_LEFT = 141
"""As for any command whose reader, such as ``head``, has seen enough: 128 and SIGPIPE."""
INTERRUPTED = 130
"""128 and SIGINT."""


def asked_for(words: Sequence[str]) -> "typer.Typer":
    """The topic that ``words`` begin with, alone; else all: to import them takes longer than many a command."""
    if not words or words[0] not in TOPICS:
        from sluice.cli.whole import app

        return app
    from sluice.cli.root import root

    alone = root()
    alone.add_typer(import_module(f"sluice.cli.{MODULES.get(words[0], words[0])}").app, name=words[0])
    return alone


def main() -> None:
    """Run the command; whoever interrupts it, also while it is imported, gets no traceback."""
    try:
        _run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _run(words: Sequence[str]) -> None:
    """Run the command; a coded error becomes its message and exit code, anything else a place."""
    import typer

    from sluice.cli.output import OutputFull, err, plain_text, prepare_streams, probe_stdout_full
    from sluice.cli.usage import empty_word, usage_error, usage_line
    from sluice.errors import UNFORESEEN, Exit, ExtraMissing, Ref, SluiceError, place_of

    prepare_streams()
    listener = sys.stdout
    try:
        if (empty := empty_word(words)) is not None:
            raise empty
        code = asked_for(words)(standalone_mode=False)  # the code of a typer.Exit, else None
        sys.stdout.flush()
        sys.exit(code)
    except SystemExit as done:
        sys.exit(done.code if sys.stdout is listener else LISTENER_LEFT)  # typer puts another in its place
    except SluiceError as error:
        _tell_problems(error)
        leave(str(error), error.code, error.exit)
    except typer.TyperException as error:
        err.print(plain_text(usage_line(error)), markup=False)
        leave(str(wrong := usage_error(error, words)), wrong.code, wrong.exit)
    except ModuleNotFoundError as error:
        missing = ExtraMissing(Ref("module", str(error.name)))
        leave(str(missing), missing.code, missing.exit)
    except Exception as error:
        if probe_stdout_full(error):
            leave(str(full := OutputFull()), full.code, full.exit)
        leave(f"{UNFORESEEN} {place_of(error)}", UNFORESEEN, Exit.UNDECIDED)


def _tell_problems(error: "SluiceError") -> None:
    """Say on stderr, as the linter does, what is wrong with a paper or a mapping that cannot be used."""
    from sluice.cli.output import err, plain_text

    for each in getattr(error, "problems", ()):
        err.print(plain_text(f"{each.path}:{each.line}: {each.code} {each.message}"), markup=False)


def leave(message: str, code: str, status: "Exit") -> None:
    """Say why on stderr (and as JSON on stdout where a program listens), then exit; whether or not it can be said."""
    from sluice.cli.output import err, nowhere, plain_text, show_json

    try:
        err.print(plain_text(message), style="red", markup=False)
        if "--format=json" in sys.argv or ("--format", "json") in itertools.pairwise(sys.argv):
            show_json({"error": {"code": code, "message": message}})
        sys.stdout.flush()
    except OSError:  # a full disk; what is still waiting would be tried again at the end
        sys.stdout = nowhere("w")
    sys.exit(int(status))


if __name__ == "__main__":
    main()
