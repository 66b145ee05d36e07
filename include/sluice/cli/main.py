"""The ``sluice`` command: one door for people, scripts and tests.

Exit codes: 0 done, 1 refused or violated, 2 wrong usage, 3 undecided, 4 a service or an optional part is missing.
"""

import itertools
import sys
from collections.abc import Sequence
from importlib import import_module

import typer

from sluice.cli.output import err, nowhere, show_json
from sluice.cli.root import root
from sluice.cli.usage import empty_word, usage_error, usage_line
from sluice.errors import UNFORESEEN, Exit, ExtraMissing, Ref, SluiceError, place_of

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


def asked_for(words: Sequence[str]) -> typer.Typer:
    """The topic that ``words`` begin with, alone; else all: to import them takes longer than many a command."""
    if not words or words[0] not in TOPICS:
        from sluice.cli.whole import app

        return app
    alone = root()
    alone.add_typer(import_module(f"sluice.cli.{MODULES.get(words[0], words[0])}").app, name=words[0])
    return alone


def main() -> None:
    """Run the command; a coded error becomes its message and exit code, anything else a place."""
    words, listener = sys.argv[1:], sys.stdout
    try:
        if (empty := empty_word(words)) is not None:
            raise empty
        sys.exit(asked_for(words)(standalone_mode=False))  # the code of a typer.Exit, else None
    except SystemExit as done:
        sys.exit(done.code if sys.stdout is listener else LISTENER_LEFT)  # typer puts another in its place
    except SluiceError as error:
        leave(str(error), error.code, error.exit)
    except typer.TyperException as error:
        err.print(usage_line(error), markup=False)
        leave(str(wrong := usage_error(error, words)), wrong.code, wrong.exit)
    except ModuleNotFoundError as error:
        missing = ExtraMissing(Ref("module", str(error.name)))
        leave(str(missing), missing.code, missing.exit)
    except Exception as error:
        leave(f"{UNFORESEEN} {place_of(error)}", UNFORESEEN, Exit.UNDECIDED)


def leave(message: str, code: str, status: Exit) -> None:
    """Say why on stderr (and as JSON on stdout where a program listens), then exit; whether or not it can be said."""
    try:
        err.print(message, style="red", markup=False)
        if "--format=json" in sys.argv or ("--format", "json") in itertools.pairwise(sys.argv):
            show_json({"error": {"code": code, "message": message}})
    except OSError:  # a full disk; what is still waiting would be tried again at the end
        sys.stdout = nowhere("w")
    sys.exit(int(status))


if __name__ == "__main__":
    main()
