"""A new principal with YAML alone: names, paths, rights, skeletons."""

import re
from collections.abc import Callable
from datetime import date
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from sluice.agreement.codes import GAP_CODES
from sluice.agreement.errors import PrincipalNameInvalid
from sluice.agreement.folder.lint import lint_path
from sluice.agreement.folder.onboard import onboard, policy_for, write_files
from sluice.terms import Flow, Principal, Severity

TODAY = date(2026, 11, 25)


OPERATORS: dict[str, Callable[[str | None, Any], bool]] = {
    "Null": lambda said, wanted: (said is None) == (wanted == "true"),
    "StringEquals": lambda said, wanted: said in wanted,
    "StringNotEquals": lambda said, wanted: said != wanted,
}


def allows(policy: dict, action: str, key: str, **headers: str) -> bool:
    """What IAM says of one object, by its own rules: an action and a resource pattern that both fit, and no denial.

    headers: of the request, by the name of their condition key without ``s3:x-amz-``.
    """
    fitting = [
        statement
        for statement in policy["Statement"]
        if action in statement["Action"]
        and any(fnmatchcase(f"arn:aws:s3:::exchange/{key}", r) for r in statement["Resource"])
        and fits(statement.get("Condition", {}), {name.replace("_", "-"): said for name, said in headers.items()})
    ]
    return {each["Effect"] for each in fitting} == {"Allow"}


def fits(condition: dict, headers: dict) -> bool:
    """Every operator and every key of it; a negated one fits a request that lacks the key."""
    for operator, asked in condition.items():
        for name, wanted in asked.items():
            said = headers.get(name.removeprefix("s3:x-amz-"))
            if not OPERATORS[operator](said, wanted):
                return False
    return True


def may_list(policy: dict, prefix: str) -> bool:
    patterns = policy["Statement"][0]["Condition"]["StringLike"]["s3:prefix"]
    return any(fnmatchcase(prefix, pattern) for pattern in patterns)


def test_a_principal_writes_where_it_drops_and_reads_where_it_fetches() -> None:
    policy = policy_for(Principal("client-a"), "exchange")
    for word, is_dropped in (
        dict.fromkeys(("inbound", "requests", "acks"), True).items()
        | dict.fromkeys(("outbound", "receipts", "notices"), False).items()
    ):
        key = f"client-a/{word}/flow/file.csv"
        assert allows(policy, "s3:PutObject", key) is is_dropped
        assert allows(policy, "s3:GetObjectVersion", key) is allows(policy, "s3:GetObject", key) is not is_dropped


@pytest.mark.parametrize("word", ["inbound", "requests", "acks"])
@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({"server_side_encryption_customer_algorithm": "AES256"}, False),
        ({"server_side_encryption": "aws:kms", "server_side_encryption_aws_kms_key_id": "arn:aws:kms:::key/1"}, False),
        ({"server_side_encryption": "aws:kms"}, False),
        ({"server_side_encryption": "aws:kms:dsse"}, False),
        ({"storage_class": "DEEP_ARCHIVE"}, False),
        ({"storage_class": "INTELLIGENT_TIERING"}, False),
        ({"storage_class": "STANDARD"}, True),
        ({"server_side_encryption": "AES256"}, True),
    ],
)
def test_nothing_is_taken_that_nobody_at_the_center_could_read(word: str, headers: dict, is_taken: bool) -> None:
    policy = policy_for(Principal("client-a"), "exchange")
    assert allows(policy, "s3:PutObject", f"client-a/{word}/x", **headers) is is_taken


def test_a_prefix_that_begins_like_anothers_name_opens_nothing_as_a_policy_without_the_slash_would():
    policy = policy_for(Principal("client-a"), "exchange")
    for key in ("client-ab/inbound/x", "client-ab/outbound/x", "client-b/inbound/x"):
        assert not any(
            allows(policy, action, key) for action in ("s3:PutObject", "s3:GetObject", "s3:GetObjectVersion")
        )
    assert may_list(policy, "client-a/") and may_list(policy, "client-a/receipts/")
    assert not may_list(policy, "client-a") and not may_list(policy, "client-ab/") and not may_list(policy, "")
    policy = policy_for(Principal("client-a"), "exchange")
    policy["Statement"][0]["Condition"]["StringLike"]["s3:prefix"] = ["client-a*"]
    assert may_list(policy, "client-ab/")


@pytest.mark.parametrize("name", ["", "Energy", "-a", "a_b", "a/b", "..", "a" * 64, "é", "a b", "a\n"])
def test_a_name_that_is_no_prefix_is_refused(name: str) -> None:
    with pytest.raises(PrincipalNameInvalid):
        onboard(name, "exchange", TODAY)


def test_skeletons_lint_with_open_decisions_only_and_are_never_overwritten(tmp_path: Path) -> None:
    made = onboard("energy02", "exchange", TODAY)
    written = write_files(made, tmp_path)
    errors = {problem.code for problem in lint_path(tmp_path) if problem.severity is Severity.ERROR}
    assert len(written) == 2
    assert errors <= {"AGR-015", "CON-015", "CON-040", "CON-041", "CON-042", "CON-043", "CON-045", "CON-046", "CON-044"}
    Path(written[0]).write_text("mine", encoding="utf-8")
    assert write_files(made, tmp_path) == ()
    assert Path(written[0]).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["energy02", "client-a"])
def test_the_id_of_a_new_agreement_can_stand_in_a_lineage_event(name: str) -> None:
    facet = files("sluice.lineage").joinpath("facets/1-0-0/SluiceRolesDatasetFacet.json").read_text(encoding="utf-8")
    known = re.search(r'"agreementId": {\s*"type": "string",\s*"pattern": "([^"]+)"', facet)
    said = re.search("^agreementId: (.+)$", onboard(name, "exchange", TODAY).files[0].text, re.MULTILINE)
    assert known and said and re.fullmatch(known[1], said[1])
    assert not re.fullmatch(known[1], f"DPA-{name}"), "control: the id that it had before"


@pytest.mark.parametrize("name", ["123", "no", "on", "null", "2024-01-15", "1e5"])
def test_a_name_that_yaml_would_take_for_something_else_is_a_name_in_its_papers(tmp_path: Path, name: str) -> None:
    write_files(onboard(name, "exchange", TODAY, Flow(name)), tmp_path)
    errors = {problem.code for problem in lint_path(tmp_path) if problem.severity is Severity.ERROR}
    assert errors <= GAP_CODES | {"AGR-015"}


def test_paths_lie_under_the_principals_own_prefix() -> None:
    made = onboard("energy02", "exchange", TODAY)
    assert made.paths[0] == "s3://exchange/energy02/inbound/some_flow/"
    assert all(path.startswith("s3://exchange/energy02/") and path.endswith("/") for path in made.paths)
