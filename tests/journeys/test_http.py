"""Cases over HTTP on a whole Airflow: its login, its tokens, its roles, its logs (issue 4, point 1)."""

import json
import statistics
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from handbook.commands import commands_of
from journeys.door import Api, Server
from leaks.scan import scan
from leaks.sources import files, tables
from rights.residue import Searcher
from sluice.exchange.house import open_house
from sluice.rights.case.model import CaseId
from sluice.rights.person.sealed import find_sealed, subject_key
from sluice.services import airflow
from sluice.services.places import write_private
from sluice.services.postgres import find as find_postgres
from support.effort import effort
from support.installation import CHECKOUT, Record, Stack, environment
from support.stores import free_port

pytestmark = [pytest.mark.journey, pytest.mark.evidence, pytest.mark.timeout(900)]
CASES = "/sluice/api/v1/cases"
PAGES = "/sluice/pages/exchanges"
PHONE, MAIL, CUSTOMER = "+32470987123", "geplant.persoon@voorbeeld-7f3a.be", "KLANT-7f3a99q"
PLANTED = (PHONE, MAIL, CUSTOMER)
BODY: dict[str, Any] = {
    "right": "access",
    "identifiers": [
        {"kind": "phone", "value": PHONE},
        {"kind": "email", "value": MAIL},
        {"kind": "customer", "value": CUSTOMER},
    ],
    "principal": "energy01",
    "channel": "form",
    "language": "nl",
}
OBJECT_STORE = frozenset({"weed"})
"""Where principals are told who asked: the notice of a forwarded case names the person, by right."""
USERS = {"vera": "viewer", "ugo": "user", "otto": "op", "ada": "admin"}


@contextmanager
def other_users(stack: Stack) -> Iterator[tuple[Server, dict[str, str]]]:
    """A second API server on the same Airflow, whose environment names users of every role."""
    passwords = {name: f"password-of-{name}" for name in USERS}
    login, path = stack.var / "secrets" / "roles.json", stack.var / "logs" / "airflow-api-server-roles.log"
    write_private(login, json.dumps(passwords))
    port = str(free_port())
    base = f"http://127.0.0.1:{port}"
    postgres = find_postgres(stack.var)
    assert postgres is not None
    dsn = postgres.airflow_url.replace("postgresql://", "postgresql+psycopg://", 1)
    env = airflow.environment(CHECKOUT, stack.var, dsn, environment(stack.var)) | {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(login),
        "AIRFLOW__API__PORT": port,
        "AIRFLOW__API__BASE_URL": base,
    }
    with (
        path.open("ab") as log,
        subprocess.Popen(airflow.command("api-server"), env=env, stdout=log, stderr=log) as process,
    ):
        try:
            deadline = time.monotonic() + 120
            while airflow.unhealthy(base) == set(airflow.COMPONENTS):
                assert process.poll() is None and time.monotonic() < deadline, path.read_text(errors="replace")[-2000:]
                time.sleep(0.5)
            yield Server(base), passwords
        finally:
            process.terminate()
            process.wait(30)


SEARCHER = Searcher([[value] for value in PLANTED])


def seen(stack: Stack) -> tuple[dict[str, set[int]], int]:
    """Channels of an installation that tell a planted value, but for its objects; how many sources were read."""
    server = find_postgres(stack.var)
    assert server is not None
    report = scan([*files(stack.var, "file", OBJECT_STORE), *tables(server.admin_url)], SEARCHER)
    return report.leaks, report.sources


def test_a_case_from_login_to_withdrawal_with_no_value_of_the_person_anywhere(
    stack: Stack, record_property: Record
) -> None:
    api = Api(stack)
    server, token = api.server, api.token
    key = str(uuid4())
    opened = server.ask("POST", CASES, BODY, token, Idempotency_Key=key)
    again = server.ask("POST", CASES, BODY, token, Idempotency_Key=key)

    assert (opened.status, again.status) == (201, 200), opened.text
    case, where = opened.json["case"], opened.headers["location"]
    assert where == again.headers["location"] == f"{CASES}/{case}"
    shown = server.ask("GET", where, token=token)
    assert {step["by"] for step in shown.json["steps"]} == {"admin"}
    printed = json.loads(stack.sluice("case", "show", case, "--format", "json").stdout)
    assert (list(shown.json), shown.json["state"]) == (list(printed), printed["state"])
    assert case in [each["case"] for each in server.ask("GET", CASES, token=token).json["cases"]]
    with open_house(stack.settings) as house:
        sealed = find_sealed(house, subject_key(CaseId(case)))
    assert sealed is not None and {each.value for each in sealed.envelope.identifiers} == set(PLANTED)

    asked = 2 + _everything_wrong(server, token)
    assert server.ask("POST", f"{where}/withdraw", {}, token).json["state"] == "WITHDRAWN_BY_SUBJECT"
    assert "POST" in (stack.var / "logs" / "airflow-api-server.log").read_text(errors="replace"), "there is a log"
    time.sleep(2)  # what is still being written
    leaks, sources = seen(stack)
    assert leaks == {}
    leak = stack.var / "logs" / "leak.log"
    leak.write_bytes(b64encode(MAIL.encode()))
    assert seen(stack)[0] == {"file logs": {1}}, "the control"
    leak.unlink()
    record_property(
        "values of persons after HTTP requests, in every log, file and table beside the object store",
        f"0 in {sources} files and tables, {asked} requests with 3 planted values each",
    )


def followed(stack: Stack, folder: Path, page: str) -> str:
    """What the commands of a how-to print, run one after the other as somebody would who follows it."""
    text = (CHECKOUT / "docs" / "how-to" / page).read_text()
    commands = "\n".join(each.text for each in commands_of(text))
    (folder / "var").symlink_to(stack.var)
    (folder / ".venv").symlink_to(CHECKOUT / ".venv")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=environment(stack.var),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_of_the_how_to_do_what_it_says(stack: Stack, tmp_path: Path) -> None:
    said = followed(stack, tmp_path, "open-a-case-over-http.md")
    assert "201 Created" in said and "location: /sluice/api/v1/cases/" in said
    assert '"next_cursor"' in said and '"/cases/{case_id}/withdraw"' in said


def test_the_commands_of_reading_over_http_do_what_they_say(stack: Stack, tmp_path: Path) -> None:
    stack.wait([stack.put(path) for path in stack.campaigns(1)])
    said = followed(stack, tmp_path, "read-over-http.md")
    words = ("right_treatment", "was judged in", "The receipt holds", "valid_to", "contact_point", "30.2", "notify")
    assert [word for word in words if word not in said] == []
    assert '"legal_due":"2026-04-07"' in said
    [receipt] = tmp_path.glob("*-*.pdf")
    assert receipt.read_bytes().startswith(b"%PDF")


def _everything_wrong(server: Server, token: str) -> int:
    """Bad requests full of planted values; how many. No answer repeats one."""
    good = json.dumps(BODY).encode()
    wrong: list[tuple[int, object, dict[str, str]]] = [
        (401, BODY, {"Authorization": ""}),
        (403, BODY, {"Authorization": "Bearer x.y.z"}),
        (403, BODY, {"Authorization": f"Bearer {token[:-6]}AAAAAA"}),
        (422, {**BODY, "right": PHONE, "principal": MAIL, "channel": CUSTOMER}, {}),
        (422, {**BODY, **{each: each for each in PLANTED}}, {}),
        (422, {**BODY, "identifiers": [{"kind": "phone", "value": MAIL}]}, {}),
        (422, {**BODY, "principal": "nobody-7f3a"}, {}),
        (422, good[:-5], {}),
        (400, b'"\xff' + good, {}),
        (413, good + b" " * 70_000, {}),
        (415, good, {"Content-Type": "text/plain"}),
        (415, good, {"Content-Type": "application/x-www-form-urlencoded"}),
    ]
    for status, body, headers in wrong:
        answer = server.ask("POST", CASES, body, token, **{n.replace("-", "_"): v for n, v in headers.items()})
        assert answer.status == status, (status, answer.status, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert not SEARCHER.owners_in((answer.text + str(answer.headers)).encode())
    return len(wrong)


def test_every_role_may_what_the_table_says_and_the_cookie_of_the_login_reads(
    stack: Stack, record_property: Record
) -> None:
    with other_users(stack) as (server, passwords):
        opened: dict[str, int] = {}
        for name, role in USERS.items():
            token = server.login(name, passwords[name])
            answer = server.ask("POST", CASES, {**BODY, "channel": "phone"}, token)
            opened[role] = answer.status
            assert server.ask("GET", CASES, token=token).status == 200
            assert server.ask("GET", CASES, Cookie=f"_token={token}").status == 200
            page = server.ask("GET", f"{PAGES}?lang=fr", Cookie=f"_token={token}")
            assert page.status == 200 and '<html lang="fr">' in page.text
            if answer.status == 201:
                shown = server.ask("GET", answer.headers["location"], token=token)
                steps = shown.json["steps"]
                assert {step["by"] for step in steps if step["from"] is None} == {name}, "who opened it"
                assert {step["by"] for step in steps} <= {name, "sluice"}, "the house may have gone on meanwhile"
            else:
                assert answer.json["code"] == "SLU-602"
        assert opened == {"viewer": 403, "user": 201, "op": 201, "admin": 201}
        clerk = server.login("ugo", passwords["ugo"])
        form = server.ask("POST", CASES, b"right=erasure", Cookie=f"_token={clerk}", Content_Type="text/plain")
        assert (form.status, form.json["code"]) == (415, "SLU-606"), "a form of another site"
        server.ask("GET", "/api/v2/auth/logout", token=clerk)
        assert server.ask("GET", CASES, token=clerk).status == 403, "a token that was revoked"
        assert {server.ask("GET", PAGES).status, server.ask("GET", PAGES, token=clerk).status} <= {401, 403}
        views = server.ask("GET", "/api/v2/plugins", token=server.login("ada", passwords["ada"])).text
        assert f'"{PAGES.lstrip("/")}"' in views, "Airflow shows a way to it, below whatever path it has"
        took = _seconds(server, server.login("ada", passwords["ada"]))
    assert seen(stack)[0] == {}
    record_property("roles that may open a case over HTTP", f"{opened} of Airflow's simple auth manager")
    record_property("a case opened and shown over HTTP, the median, ms", took)


def _seconds(server: Server, token: str) -> str:
    """Milliseconds to open and to show one case, in the middle of many."""
    opening, showing = [], []
    for _ in range(effort(3, 20)):
        started = time.perf_counter()
        where = server.ask("POST", CASES, BODY, token).headers["location"]
        middle = time.perf_counter()
        assert server.ask("GET", where, token=token).status == 200
        opening.append(middle - started)
        showing.append(time.perf_counter() - middle)
    return f"open {statistics.median(opening) * 1000:.0f}, show {statistics.median(showing) * 1000:.0f}"
