"""Which commands no test runs, and why. Every other command of README and docs is run."""

from collections.abc import Mapping

STRANGER = "tests/journeys/test_demo.py does it, with SLUICE_LONG"
IS_THE_TEST = "it is what runs this test"
CLEANED = "it needs Airflow's own database and logs; tests/services/test_tidy.py does the same"
GIVEN = "the store is given there; tests/services/test_principal_keys.py does it"
TURNED = "tests/journeys/test_up_and_down.py does it"

LEFT_OUT: Mapping[str, Mapping[str, str]] = {
    "README.md": {
        "make cluster": TURNED,
        "make demo": STRANGER,
        "make down": "tests/journeys/test_up_and_down.py does it",
        "make test": IS_THE_TEST,
    },
    "docs/how-to/add-a-principal.md": {"sluice principal credential": GIVEN},
    "docs/how-to/keys.md": {"sluice principal credential": GIVEN},
    "docs/how-to/more-than-one-machine.md": {
        "airflow db": CLEANED,
        "find": CLEANED,
        "make cluster": TURNED,
        "sluice status": TURNED,
        "sluice up --workers": TURNED,
    },
    "docs/how-to/send-a-file.md": {"gpg": "it needs a keyring of the principal; tests/lake/test_pgp_gnupg.py has one"},
    "docs/tutorial/first-exchange.md": {"git clone": STRANGER, "make demo": STRANGER},
}
"""Page -> the beginning of a command -> why it is not run."""

ELSEWHERE_RUN: Mapping[str, str] = {
    "README.md": "tests/handbook/test_tutorial.py",
    "docs/operations.md": "tests/handbook/test_tutorial.py",
    "docs/tutorial/first-exchange.md": "tests/handbook/test_tutorial.py",
    "docs/how-to/open-a-case-over-http.md": "tests/journeys/test_http.py",
    "docs/how-to/read-over-http.md": "tests/journeys/test_http.py",
}
"""Pages that need more than a copy of an installation -> the test that runs each of their commands."""
