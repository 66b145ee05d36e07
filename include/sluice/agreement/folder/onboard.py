"""A new principal: the skeletons of its papers, its drop paths, and the rights its credential needs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from sluice.agreement.contract.infer import SOME_FLOW, FileProfile, infer_contract
from sluice.agreement.errors import PrincipalNameInvalid
from sluice.agreement.shape import OPEN
from sluice.errors import Ref, UsageError
from sluice.terms import PRINCIPAL_PATTERN, PRINCIPAL_READS, PRINCIPAL_WRITES, Direction, Flow, Principal


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A file to write; ``path`` is relative to ``principals_dir``."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Onboarding:
    """What a new principal gets."""

    principal: Principal
    paths: tuple[str, ...]
    """Where the principal drops and fetches files, as ``s3://`` prefixes."""
    policy: dict[str, Any]
    """The IAM policy of its one credential, which allows nothing outside its own prefix."""
    files: tuple[Skeleton, ...]


def onboard(name: str, bucket: str, today: date, flow: Flow = SOME_FLOW) -> Onboarding:
    """Everything that a new principal needs; nothing is written yet. Raises PrincipalNameInvalid."""
    if not re.fullmatch(PRINCIPAL_PATTERN, name):
        raise PrincipalNameInvalid(Ref("argument", "NAME"))
    principal = Principal(name)
    prefixes = (f"inbound/{flow}", *(word for word in (*PRINCIPAL_WRITES, *PRINCIPAL_READS) if word != "inbound"))
    return Onboarding(
        principal=principal,
        paths=tuple(f"s3://{bucket}/{principal}/{prefix}/" for prefix in prefixes),
        policy=policy_for(principal, bucket),
        files=(
            Skeleton(f"{principal}/agreement-1.0.0.yaml", agreement_skeleton(principal, today)),
            Skeleton(f"{principal}/{flow}.inbound.odcs.yaml", _contract_skeleton(principal, flow)),
        ),
    )


def write_files(onboarding: Onboarding, principals_dir: Path) -> tuple[str, ...]:
    """Write the skeletons that do not exist yet, and return their paths. Nothing is ever overwritten.

    Raises UsageError for a principal that has another agreement: an older version beside it would never be meant.
    """
    agreement = principals_dir / onboarding.files[0].path
    if not agreement.exists() and any(agreement.parent.glob("agreement-*.y*ml")):
        instead = "sluice contract infer FILE --principal NAME --flow FLOW, for a contract under that agreement"
        raise UsageError(
            Ref("option", "--write"), Ref("rule", "THE_PRINCIPAL_HAS_AN_AGREEMENT"), Ref("instead", instead)
        )
    written = []
    for skeleton in onboarding.files:
        path = principals_dir / skeleton.path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(skeleton.text)
        except FileExistsError:
            continue
        written.append(str(path))
    return tuple(written)


def policy_for(principal: Principal, bucket: str) -> dict[str, Any]:
    """The least privilege a principal needs, on whole path segments: ``client-a/`` never opens ``client-ab/``."""
    objects = f"arn:aws:s3:::{bucket}/{principal}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ListOwnPrefix",
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": [f"arn:aws:s3:::{bucket}"],
                "Condition": {"StringLike": {"s3:prefix": [f"{principal}/", f"{principal}/*"]}},
            },
            {
                "Sid": "DropFiles",
                "Effect": "Allow",
                "Action": ["s3:PutObject"],
                "Resource": [f"{objects}/{word}/*" for word in PRINCIPAL_WRITES],
            },
            {
                "Sid": "FetchFiles",
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:GetObjectVersion"],
                "Resource": [f"{objects}/{word}/*" for word in PRINCIPAL_READS],
            },
            *_unreadable([f"{objects}/{word}/*" for word in PRINCIPAL_WRITES]),
        ],
    }


def _unreadable(resources: list[str]) -> Iterator[dict[str, Any]]:
    """Statements that deny uploads which the center could not read: under the sender's own key, or in a cold class.

    A request that names no encryption and no storage class is not denied; it gets the bucket's own.
    """
    conditions: dict[str, dict[str, dict[str, Any]]] = {
        "NoKeyOfOnesOwn": {"Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}},
        "NoKmsOfOnesOwn": {"StringEquals": {"s3:x-amz-server-side-encryption": ["aws:kms", "aws:kms:dsse"]}},
        "NoColdClass": {
            "Null": {"s3:x-amz-storage-class": "false"},
            "StringNotEquals": {"s3:x-amz-storage-class": "STANDARD"},
        },
    }
    for name, condition in conditions.items():
        denied = {"Sid": name, "Effect": "Deny", "Action": ["s3:PutObject"], "Resource": resources}
        yield {**denied, "Condition": condition}


def _contract_skeleton(principal: Principal, flow: Flow) -> str:
    file = FileProfile(".csv", "csv", None, None, False)
    text = infer_contract((), file, principal, flow, Direction.INBOUND)
    example = f"""      - name: {OPEN}
        logicalType: string
        required: true
        customProperties:
          - {{property: fieldGroup, value: {OPEN}}}
          - {{property: dataCategory, value: {OPEN}}}
"""
    hint = f"# Or infer the columns from a file: sluice contract infer FILE --principal {principal} --flow {flow}\n"
    return hint + text + example


def agreement_skeleton(principal: Principal, today: date) -> str:
    """A processing agreement with every key of SCC 2021/915; values that must be agreed are left OPEN."""
    text = files("sluice.agreement.folder").joinpath("agreement.skeleton.yaml").read_text(encoding="utf-8")
    return Template(text).substitute(principal=principal, capitals=principal.upper(), today=today.isoformat())
