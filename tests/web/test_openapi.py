"""The OpenAPI document is whole: every answer typed, every error a problem, an example for every body."""

from typing import Any

from jsonschema import Draft202012Validator

from sluice.web.problem import MEDIA_TYPE
from web.house import Web

PROBLEM = {"$ref": "#/components/schemas/Problem"}


def incomplete(document: dict[str, Any]) -> list[str]:
    """What a client would miss."""
    missing = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            if not operation.get("security") or not operation.get("description"):
                missing.append(f"{where}: security or description")
            if not {"401", "403", "422", "500", "503"} <= set(operation["responses"]):
                missing.append(f"{where}: an error")
            for status, answer in operation["responses"].items():
                content = answer["content"]
                if int(status) < 400 and not _is_typed(content):
                    missing.append(f"{where} {status}: schema")
                if int(status) >= 400 and content != {MEDIA_TYPE: {"schema": PROBLEM}}:
                    missing.append(f"{where} {status}: problem")
            if body := operation.get("requestBody"):
                name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                if not document["components"]["schemas"][name].get("examples"):
                    missing.append(f"{where}: example")
    return missing


def _is_typed(content: dict[str, Any]) -> bool:
    """One media type: JSON of a named shape, or a file."""
    [(kind, said)] = content.items()
    return "$ref" in said["schema"] if kind == "application/json" else bool(said["schema"].get("type"))


def test_the_document_is_complete_and_its_examples_hold(web: Web) -> None:
    document = web.get("/openapi.json").json()
    schemas = document["components"]["schemas"]

    assert incomplete(document) == []
    assert document["openapi"].startswith("3.1") and document["servers"] == [{"url": "/sluice/api/v1"}]
    for name, schema in schemas.items():
        checked = Draft202012Validator({**schema, "components": document["components"]})
        for example in schema.get("examples", []):
            assert [error.json_path for error in checked.iter_errors(example)] == [], name
    assert web.post("/cases", schemas["CaseRequest"]["examples"][0]).status_code == 201
    assert web.post("/opendsr/requests", schemas["DsrRequest"]["examples"][0]).status_code == 201
    for path, name in (("/breach/objects", "ObjectBreach"), ("/breach/agents", "AgentBreach")):
        sliced = web.post(path, schemas[name]["examples"][0])
        assert (sliced.status_code, sliced.json()["code"]) == (409, "SLU-641"), "nothing of that is here"


def test_answers_are_what_the_document_says(town_api: Web) -> None:
    web = town_api
    document = web.get("/openapi.json").json()

    def holds(name: str, answer: Any) -> None:
        schema = {**document["components"]["schemas"][name], "components": document["components"]}
        assert [error.json_path for error in Draft202012Validator(schema).iter_errors(answer.json())] == [], name

    opened = web.open()
    holds("CaseShort", opened)
    holds("CaseShown", web.get(f"/cases/{opened.json()['case']}"))
    holds("CasePage", web.get("/cases"))
    exchanges = web.get("/exchanges")
    holds("ExchangePage", exchanges)
    for line in exchanges.json()["exchanges"]:
        holds("ExchangeShown", web.get(f"/exchanges/{line['id']}"))
        if line["decision"] != "open":
            holds("TraceShown", web.get(f"/exchanges/{line['id']}/lineage"))
        if line["rows_accepted"]:
            holds("SliceShown", web.get(f"/breach/exchanges/{line['id']}"))
    holds("AgreementList", web.get("/agreements"))
    holds("VersionList", web.get("/agreements/DPA-ENERGY01/versions"))
    holds("Comparison", web.get("/agreements/DPA-ENERGY01/comparison?left=2.4.0&right=3.0.0"))
    holds("CaseTrace", web.get(f"/cases/{opened.json()['case']}/lineage"))
    holds("StaffPage", web.get("/staff"))
    holds("WaitingExchanges", web.get("/waiting/exchanges"))
    holds("WaitingCases", web.get("/waiting/cases"))
    holds("RoleMatrix", web.get("/agreements/DPA-GAS01/roles?direction=outbound_return"))
    holds("RegisterShown", web.get("/registers/30.1"))
    holds("DueShown", web.get("/clock/due?received=2026-03-05"))
    holds("Problem", web.open(right="x"))
    holds("Problem", web.as_(None).open())


def test_a_document_that_lacks_something_is_found(web: Web) -> None:
    document = web.get("/openapi.json").json()
    document["paths"]["/cases"]["post"]["responses"]["422"]["content"] = {"application/json": {"schema": PROBLEM}}
    del document["components"]["schemas"]["DsrRequest"]["examples"]
    assert incomplete(document) == ["post /cases 422: problem", "post /opendsr/requests: example"]
