"""The ``sluice`` command, as people, scripts and tests run it.

Exit codes: 0 done, 1 refused or violated, 2 wrong usage, 3 undecided, 4 a service or an optional part is missing.

Imports only the standard library; anything slower is imported inside ``main``, where Ctrl-C is caught.
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
"""Topics of the command; each is a module of ``sluice.cli`` with the same name, except those in :data:`MODULES`."""
MODULES = {"clock": "alarms"}
"""The module of a topic, where its name is not that of the topic."""
LISTENER_LEFT = 141
"""Exit code when the reader of stdout, such as ``head``, went away: 128 + SIGPIPE."""
INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT."""


def asked_for(words: Sequence[str]) -> "typer.Typer":
    """Return an app of only the topic that ``words`` begin with, else of all topics: importing all takes longer."""
    if not words or words[0] not in TOPICS:
        from sluice.cli.whole import app

        return app
    from sluice.cli.root import root

    alone = root()
    alone.add_typer(import_module(f"sluice.cli.{MODULES.get(words[0], words[0])}").app, name=words[0])
    return alone


def main() -> None:
    """Run the command. An interrupt (Ctrl-C) leaves no traceback, also while modules are imported."""
    try:
        _run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _run(words: Sequence[str]) -> None:
    """Run the command; a coded error becomes its message and exit code, any other the place where it was raised."""
    import typer

    from sluice.cli.output import OutputFull, err, escape_controls, prepare_streams, probe_stdout_full
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
        err.print(escape_controls(usage_line(error)), markup=False)
        leave(str(wrong := usage_error(error, words)), wrong.code, wrong.exit)
    except ModuleNotFoundError as error:
        missing = ExtraMissing(Ref("module", str(error.name)))
        leave(str(missing), missing.code, missing.exit)
    except Exception as error:
        if probe_stdout_full(error):
            leave(str(full := OutputFull()), full.code, full.exit)
        leave(f"{UNFORESEEN} {place_of(error)}", UNFORESEEN, Exit.UNDECIDED)


def _tell_problems(error: "SluiceError") -> None:
    """Print on stderr, as the linter does, the faults of a paper or mapping that cannot be used."""
    from sluice.cli.output import err, escape_controls

    for each in getattr(error, "problems", ()):
        err.print(escape_controls(f"{each.path}:{each.line}: {each.code} {each.message}"), markup=False)


def leave(message: str, code: str, status: "Exit") -> None:
    """Print the error on stderr (and with ``--format json`` as JSON on stdout) and exit, even if printing fails."""
    from sluice.cli.output import err, escape_controls, nowhere, show_json

    try:
        err.print(escape_controls(message), style="red", markup=False)
        if "--format=json" in sys.argv or ("--format", "json") in itertools.pairwise(sys.argv):
            show_json({"error": {"code": code, "message": message}})
        sys.stdout.flush()
    except OSError:  # a full disk; what is still waiting would be tried again at the end
        sys.stdout = nowhere("w")
    sys.exit(int(status))


if __name__ == "__main__":
    main()
