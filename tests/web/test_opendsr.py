"""OpenDSR 2.0 over the same cases: the official example, used where it lies, and what is refused."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, NAMESPACE_OID, NAMESPACE_URL, NAMESPACE_X500, UUID, uuid4, uuid5

import pytest

from sluice.rights.due_steps import take_due
from sluice.web.dsr_model import EXAMPLE
from web.house import Web

PLANTED = "+32470123456"


def request(**changes: Any) -> dict[str, Any]:
    """Our own example with another number, and with changes."""
    return {**copy.deepcopy(dict(EXAMPLE)), "subject_request_id": str(uuid4()), **changes}


def ours(**changes: Any) -> dict[str, Any]:
    return {"extensions": {"sluice.example": {"channel": "form", "language": "nl", **changes}}}


def keys(value: object) -> object:
    """The shape of a document."""
    return {name: keys(each) for name, each in value.items()} if isinstance(value, dict) else None


def test_the_example_of_the_standards_page_opens_one_case_and_its_status_has_the_shape_of_the_example(
    module_web: Web, schemas: Path
) -> None:
    example = json.loads((schemas / "examples" / "dsr-request.json").read_text())
    status = json.loads((schemas / "examples" / "dsr-status.json").read_text())
    answer, again = module_web.post("/opendsr/requests", example), module_web.post("/opendsr/requests", example)
    number = example["subject_request_id"]

    assert (answer.status_code, again.status_code) == (201, 200)
    assert answer.json() == again.json()
    assert answer.headers["location"] == f"/sluice/api/v1/opendsr/requests/{number}"
    assert answer.json()["extensions"]["sluice.example"]["identitiesNotSearched"] == 1
    take_due(module_web.desk.house, datetime.now(UTC))
    told = module_web.get(f"/opendsr/requests/{number}").json()
    assert keys(told) == keys(status)
    for same in ("api_version", "controller_id", "subject_request_id", "request_status", "expected_completion_time"):
        assert told[same] == status[same], same
    said, meant = told["extensions"]["sluice.example"], status["extensions"]["sluice.example"]
    assert (said["clock"], said["justificationIris"]) == (meant["clock"], meant["justificationIris"])
    assert said["state"] == "AWAITING_INSTRUCTION" and said["suppressedAt"]
    shown = module_web.get(f"/cases/{said['caseId']}").json()
    assert (shown["right"], shown["received"]) == ("direct_marketing", "2026-03-05")


def test_our_example_goes_from_pending_to_cancelled(module_web: Web) -> None:
    body = request()
    opened = module_web.post("/opendsr/requests", body).json()
    path = f"/opendsr/requests/{body['subject_request_id']}"

    assert "encoded_request" not in opened
    assert module_web.get(path).json()["request_status"] == "pending"
    assert opened["expected_completion_time"] == "2026-12-24T23:59:59+01:00"
    module_web.post(f"/cases/{opened['extensions']['sluice.example']['caseId']}/withdraw", {})
    assert module_web.get(path).json()["request_status"] == "cancelled"


def test_nobody_outside_can_compute_a_case_number(module_web: Web) -> None:
    number = uuid4()
    opened = module_web.post("/opendsr/requests", request(subject_request_id=str(number))).json()
    case = opened["extensions"]["sluice.example"]["caseId"]
    open_spaces = (NAMESPACE_DNS, NAMESPACE_OID, NAMESPACE_URL, NAMESPACE_X500, UUID(int=0), number)
    assert case not in {str(uuid5(space, str(number))) for space in open_spaces}


HASHED = (("md5", "SLU-607"), ("sha1", "SLU-607"), ("sha256", "SLU-607"), ("hmac-sha256", "SLU-522"))
REFUSED: tuple[tuple[dict[str, Any], str, str | None], ...] = (
    ({"api_version": PLANTED}, "SLU-607", "/api_version"),
    ({"regulation": "ccpa"}, "SLU-607", "/regulation"),
    ({"subject_request_id": PLANTED}, "SLU-607", "/subject_request_id"),
    ({"subject_request_id": "{1b4e28ba-2fa1-4d2e-883f-0016d3cca427}"}, "SLU-607", "/subject_request_id"),
    ({"subject_request_id": "1b4e28ba2fa14d2e883f0016d3cca427"}, "SLU-607", "/subject_request_id"),
    ({"submitted_time": "2026-11-24T10:00Z"}, "SLU-607", "/submitted_time"),
    ({"subject_request_type": PLANTED}, "SLU-607", "/subject_request_type"),
    ({"submitted_time": "2026-11-24"}, "SLU-607", "/submitted_time"),
    ({"subject_identities": []}, "SLU-607", "/subject_identities"),
    *(
        (
            {"subject_identities": [{"identity_type": "phone", "identity_value": PLANTED, "identity_format": form}]},
            code,
            "/subject_identities/0/identity_format" if code == "SLU-607" else None,
        )
        for form, code in HASHED
    ),
    (ours(agreementId=PLANTED), "SLU-524", None),
    (ours(rightIri="https://w3id.org/dpv/legal/eu/gdpr#A15"), "SLU-607", ""),
    (ours(scope={"directMarketing": True}), "SLU-607", ""),
    (ours(scope={"fieldGroups": [PLANTED]}), "SLU-607", "/extensions/sluice.example/scope/fieldGroups"),
    (ours(instruction=PLANTED), "SLU-607", "/extensions/sluice.example/instruction"),
    (ours(note=PLANTED), "SLU-607", "/extensions/sluice.example/*"),
    ({PLANTED: 1}, "SLU-607", "/*"),
)


def test_what_cannot_be_followed_opens_nothing(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    for changes, code, fault in REFUSED:
        answer = web.post("/opendsr/requests", request(**changes))
        assert (answer.status_code, answer.json()["code"]) == (422, code), changes
        assert fault is None or fault in [error["pointer"] for error in answer.json()["errors"]], changes
        assert PLANTED not in answer.text + caplog.text
    assert web.get("/cases").json()["cases"] == []
    body = request()
    body["extensions"]["other.example"] = {"anything": [PLANTED]}
    assert web.post("/opendsr/requests", body).status_code == 201, "extensions of others are not looked at"


def test_the_two_doors_share_their_numbers(module_web: Web) -> None:
    number = str(uuid4())
    module_web.open(number)
    assert module_web.get(f"/opendsr/requests/{number}").status_code == 200
    assert module_web.post("/opendsr/requests", request(subject_request_id=number)).json()["code"] == "SLU-525"
