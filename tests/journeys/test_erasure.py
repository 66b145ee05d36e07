"""One person of two principals is erased by the DAG: planned, released by a second person, mapped, proven."""

import csv
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from journeys.door import Api
from sluice.db import connect
from sluice.demo.story import as_principal
from sluice.keys import Keyring
from sluice.lake.s3.objects import ObjectStore
from sluice.rights.erasure.certificate_check import verify_certificate
from sluice.sample.files import write_subscribers
from support.installation import Record, Stack

pytestmark = [pytest.mark.journey, pytest.mark.evidence, pytest.mark.timeout(900)]

TELECOM = ("telecom01", "subscriber_base")
PRINCIPALS = ("energy01", "telecom01")


def test_one_person_of_two_principals_leaves_by_the_dag_once_a_second_person_let_it_go(
    stack: Stack, record_property: Record
) -> None:
    api, phone = Api(stack), arrived(stack)
    case = asked(stack, phone)

    first = run(api)

    assert states(first) == {("released", "success"), *SKIPPED}
    [standing] = said(stack, "erase", "status")["cases"]
    assert [(plan["principal"], plan["made_by"], plan["state"]) for plan in standing["plans"]] == [
        (name, "airflow", "waits for release") for name in PRINCIPALS
    ]
    assert stack.sluice("erase", "release", case, "--by", "anna").returncode == 1, "she decided"
    said(stack, "erase", "release", case, "--by", "bert")
    started = time.monotonic()

    second = erasing(api)

    seconds = time.monotonic() - started
    assert states(second) == {(name, "success") for name, _ in SKIPPED} | {("released", "success")}
    batches = [each for each in second if each["task_id"] == "erase"]
    assert len(batches) >= 4, "the file and the accepted rows of two principals"
    assert said(stack, "subject", "where", f"phone:{phone}")["places"] == []
    assert certified(stack, case) == dict.fromkeys(PRINCIPALS, 0)
    assert phone[-8:] not in xcoms(api, second), "ids and kinds only"
    record_property("DAG erasure: one person, two principals, released to certificate", f"{seconds:.0f} s")
    record_property("DAG erasure: batches of copies, mapped", len(batches))


SKIPPED = {(name, "skipped") for name in ("begin", "batches", "begun", "erase", "end.finish", "end.prove", "told")}
"""What does not run where nobody is to be erased."""


def arrived(stack: Stack) -> str:
    """Both principals' files are accepted; the phone of somebody who is in both."""
    campaign, subscribers = stack.campaigns(1)[0], stack.folder / "erasure-subscribers.csv"
    write_subscribers(subscribers, 100, 77)
    with campaign.open(newline="", encoding="utf-8-sig") as file:
        phone = next(csv.DictReader(file, delimiter=";"))["phone"]
    put_phone(subscribers, phone)
    stack.wait([stack.put(campaign), stack.put(subscribers, TELECOM)])
    return phone


def put_phone(path: Path, phone: str) -> None:
    """Give the first contact in a file of telecom01 this phone number."""
    with path.open(newline="", encoding="utf-8") as file:
        head, first, *rest = csv.reader(file)
    first[head.index("phone")] = phone
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, first, *rest])


def asked(stack: Stack, phone: str) -> str:
    """A letter comes, both principals instruct, and anna decides for the center."""
    opened = said(stack, "case", "open", "--right", "erasure", "--identifier", f"phone:{phone}", "--by", "anna")
    case = str(opened["case"])
    said(stack, "case", "identity", case, "--by", "anna")
    said(stack, "case", "follow")
    parts = said(stack, "case", "show", case)["sub_cases"]
    assert {part["principal"] for part in parts} == set(PRINCIPALS)
    for part in parts:
        if part["track"] == "processor":
            own = ObjectStore(as_principal(stack.settings, part["principal"]))
            key = f"{part['principal']}/requests/instruction-{part['sub_case'][:8]}.json"
            told = json.dumps({"case": part["sub_case"], "decision": "erase"}).encode()
            own.put(stack.settings.bucket_exchange, key, told, "application/json")
    said(stack, "case", "follow")
    if any(part["track"] == "controller" for part in parts):
        said(stack, "case", "decide", case, "--accept", "erase", "--by", "anna")
    return case


def said(stack: Stack, *words: str) -> dict[str, Any]:
    """Run a command and return its answer."""
    done = stack.sluice(*words, "--format", "json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def run(api: Api) -> list[dict[str, Any]]:
    """Run the DAG once and return its task instances, once it ended well."""
    return tasks(api, api.run("erasure"))


def erasing(api: Api) -> list[dict[str, Any]]:
    """The run that took the case: the one asked for here, or one of the schedule that was at it already."""
    asked_for = run(api)
    if ("begin", "success") in states(asked_for):
        return asked_for
    others = api.call("GET", "/dags/erasure/dagRuns?order_by=-run_after&limit=10")["dag_runs"]
    runs = (tasks(api, each["dag_run_id"]) for each in others)
    return next(found for found in runs if ("begin", "success") in states(found))


def tasks(api: Api, number: str) -> list[dict[str, Any]]:
    api.ended("erasure", number)
    return list(api.call("GET", f"/dags/erasure/dagRuns/{number}/taskInstances?limit=100")["task_instances"])


def states(found: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(each["task_id"], each["state"]) for each in found}


def xcoms(api: Api, found: list[dict[str, Any]]) -> str:
    """Everything the tasks of a run handed on."""
    number = found[0]["dag_run_id"]
    answers = []
    for name in {each["task_id"] for each in found}:
        base = f"/dags/erasure/dagRuns/{number}/taskInstances/{name}/xcomEntries"
        for entry in api.call("GET", f"{base}?limit=100")["xcom_entries"]:
            where = f"{base}/{entry['key']}?map_index={entry['map_index']}"
            answers.append(api.call("GET", where)["value"])
    assert any("exchange" in str(each) or "lake" in str(each) for each in answers), "there are some"
    return json.dumps(answers)


def certified(stack: Stack, case: str) -> Mapping[str, object]:
    """What is left, as the certificate in each principal's own prefix says it."""
    objects, public, found = stack.objects, Keyring.open(stack.settings).public_pem, {}
    with connect(stack.settings) as conn:
        ended = conn.execute("select outcome from erasure_run where case_id = %s", (case,)).fetchone()
    assert ended == {"outcome": "clean"}
    for name in PRINCIPALS:
        [item] = objects.list_versions(stack.settings.bucket_exchange, f"{name}/notices/erasure-certificate.")
        told = verify_certificate(objects.read(item.bucket, item.key), public)
        found[str(told["principal"])] = told["residual"]
    return found
