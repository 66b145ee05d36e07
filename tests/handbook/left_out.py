"""Which commands no test runs, and why. Every other command of README and docs is run."""

from collections.abc import Mapping

SETS_UP = "it makes the installation that every test has"
IS_THE_TEST = "it is what runs this test"
TURNED = "tests/journeys/test_turned_to_celery.py does it, with SLUICE_LONG"
ELSEWHERE = "it needs a server of somebody else"

LEFT_OUT: Mapping[str, Mapping[str, str]] = {
    "README.md": {
        "make cluster": TURNED,
        "make demo": "the whole demo, minutes long; its own evidence says whether it holds (docs/evidence.md)",
        "make down": "tests/journeys/test_up_and_down.py does it",
        "make test": IS_THE_TEST,
    },
    "docs/how-to/more-than-one-machine.md": {
        "make cluster": TURNED,
        "sluice status": TURNED,
        "sluice up --workers": TURNED,
        "SLUICE_DATABASE_ADMIN_URL=": ELSEWHERE,
        "sluice doctor": ELSEWHERE,
    },
    "docs/how-to/send-a-file.md": {"gpg": "it needs a keyring of the principal; tests/lake/test_pgp_gnupg.py has one"},
    "docs/how-to/staff.md": {"SLUICE_ELEARNING_TOKEN=": f"{ELSEWHERE}; tests/staff/test_fetch.py has one of its own"},
    "docs/tutorial/first-exchange.md": {"git clone": SETS_UP, "make demo": "as in README.md"},
}
"""Page -> the beginning of a command -> why it is not run."""

ELSEWHERE_RUN: Mapping[str, str] = {
    "README.md": "tests/handbook/test_tutorial.py",
    "docs/tutorial/first-exchange.md": "tests/handbook/test_tutorial.py",
    "docs/how-to/open-a-case-over-http.md": "tests/journeys/test_http.py",
    "docs/how-to/read-over-http.md": "tests/journeys/test_http.py",
}
"""Pages that need more than a copy of an installation -> the test that runs each of their commands."""
