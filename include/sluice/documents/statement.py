"""The signed role statement beside a returned file: for each column its owner and roles, basis and retention.

It is a pure function of the exchange record and its ledger entry, so making it again gives the same bytes. It holds
names, codes and counts, never a value of a person. A Parquet file carries the same roles inside
(:func:`parquet_metadata`), without what is only known once the file is written.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import rfc8785
from pydantic import ValidationError

from sluice.errors import Exit, Ref, SluiceError
from sluice.keys import Keyring
from sluice.ledger.copy_kinds import RETURN
from sluice.ledger.model import SignatureInvalid
from sluice.ledger.record import ColumnLine, CopyLine, ExchangeRecord, Part
from sluice.ledger.sign import open_signed, read_public, sign, split_flattened
from sluice.terms import Decision

TYPE = "sluice-role-statement+jws"
FORMAT: Literal["sluice-role-statement-1"] = "sluice-role-statement-1"
METADATA_KEY = b"sluice.role_statement"

_SUPPLIED_BY: Mapping[str, Literal["principal", "center"]] = {"contacts": "principal", "results": "center"}
_DUE = ("field_group", "category", "origin", "role_profile", "retention_rule", "controller", "owner_label",
        "legal_basis", "basis_holder", "source")  # fmt: skip
"""Parts of its role that a column must state before it may leave. Not the processor: INDEPENDENT has none."""


class StatementTooEarly(SluiceError):
    code: ClassVar[str] = "SLU-463"
    summary: ClassVar[str] = "a role statement was asked for before there was a file to state it of"
    cure: ClassVar[str] = "close the exchange first, with the copy that is the return"


class RoleUnstated(SluiceError):
    code: ClassVar[str] = "SLU-464"
    summary: ClassVar[str] = "columns without a complete role cannot leave"
    cure: ClassVar[str] = "complete the contract and the role rows of the agreement; nobody's column passes by default"
    exit: ClassVar[Exit] = Exit.REFUSED


class Paper(Part):
    """An agreement or contract by its registered hash."""

    id: str | None
    version: str | None
    sha256: str | None


class StatedFile(Part):
    """A file that the statement belongs to; ``sha256`` is of the bytes as delivered."""

    name: str
    sha256: str
    size_bytes: int
    rows: int | None


class StatedColumn(Part):
    """One column. ``supplied_by``: ``principal`` (echoed) or ``center`` (added by our staff)."""

    name: str
    field_group: str
    category: str
    origin: str
    source: str
    supplied_by: Literal["principal", "center"]
    controller: str
    processor: str | None
    owner_label: str
    legal_basis: str
    basis_holder: str
    retention_rule: str
    role_profile: str
    neutralised_cells: int
    """Cells with apostrophes that are not in the value (live formulas in CSV)."""


class Statement(Part):
    """What is signed. Its keys are a promise to principals: add some, never change one.

    ``files`` and ``entry_hash`` are empty in the copy inside a Parquet file."""

    format: Literal["sluice-role-statement-1"]
    exchange: str
    principal: str
    direction: str
    flow: str
    agreement: Paper
    contract: Paper
    files: tuple[StatedFile, ...]
    columns: tuple[StatedColumn, ...]
    warnings: tuple[str, ...]
    """Codes, one per contestable profile."""
    screened_for: tuple[str, ...]
    """Classes that free text was screened for: found nothing is not proven clean."""
    entry_hash: str | None


def make_statement(
    record: ExchangeRecord,
    entry_hash: str,
    keyring: Keyring,
    *,
    profile_warnings: tuple[str, ...] = (),
    screened_for: tuple[str, ...] = (),
    neutralised: Mapping[str, int] | None = None,
) -> bytes:
    """The signed statement (flattened JWS, RFC 7515) of a closed return.

    ``entry_hash``: 64 hexadecimal digits. ``neutralised``: number of neutralised cells by column. Raises
    StatementTooEarly, RoleUnstated.
    """
    files = tuple(_file(copy) for copy in record.how_long.copies if copy.kind == RETURN)
    if record.decision is Decision.OPEN or not files:
        raise StatementTooEarly(Ref("exchange", record.exchange_id))
    draft = state_roles(
        record, profile_warnings=profile_warnings, screened_for=screened_for, neutralised=neutralised or {}
    )
    whole = draft.model_copy(update={"files": files, "entry_hash": entry_hash})
    return sign(_canonical(whole), keyring.signing, TYPE).flattened


def state_roles(
    record: ExchangeRecord,
    *,
    profile_warnings: tuple[str, ...] = (),
    screened_for: tuple[str, ...] = (),
    neutralised: Mapping[str, int] | None = None,
) -> Statement:
    """The statement as it is before there is a file: unsigned, without files and ledger entry.

    Raises RoleUnstated, naming every column that lacks a part of its role.
    """
    gaps = [line.name for line in record.what.columns if _lacks(line)]
    if gaps or not record.what.columns:
        raise RoleUnstated(Ref("exchange", record.exchange_id), *(Ref("column", name) for name in gaps))
    why, how, counts = record.why, record.how, neutralised or {}
    return Statement(
        format=FORMAT,
        exchange=record.exchange_id,
        principal=record.who.principal,
        direction=record.direction.value,
        flow=record.flow,
        agreement=Paper(id=why.agreement_id, version=why.agreement_version, sha256=why.agreement_sha256),
        contract=Paper(id=how.contract_id, version=how.contract_version, sha256=how.contract_sha256),
        files=(),
        columns=tuple(_column(line, counts.get(line.name, 0)) for line in record.what.columns),
        warnings=profile_warnings,
        screened_for=screened_for,
        entry_hash=None,
    )


def verify_statement(jws: bytes, public_pem: bytes) -> Statement:
    """The statement in ``jws``, if it is byte for byte what this key signed. Needs nothing but the two arguments.

    Raises PublicKeyInvalid for an unusable key, SignatureInvalid for everything else.
    """
    said = open_signed(split_flattened(jws), read_public(public_pem), TYPE)
    statement = _shaped(said)
    if statement is None:
        raise SignatureInvalid(Ref("payload", "is no role statement of this version"))
    return statement


def parquet_metadata(statement: Statement) -> dict[bytes, bytes]:
    """Key-value metadata for the schema of a Parquet return: the roles as canonical JSON.

    Files and ledger entry are left out, because their hashes depend on the file; the signed statement has them.
    Nothing is neutralised in Parquet.
    """
    columns = tuple(column.model_copy(update={"neutralised_cells": 0}) for column in statement.columns)
    inside = statement.model_copy(update={"files": (), "entry_hash": None, "columns": columns})
    return {METADATA_KEY: _canonical(inside)}


def _canonical(statement: Statement) -> bytes:
    canonical: bytes = rfc8785.dumps(statement.model_dump(mode="json"))
    return canonical


def _shaped(said: dict[str, Any]) -> Statement | None:
    """The payload as a Statement; None unless it has files and a ledger entry and is in canonical form."""
    payload = rfc8785.dumps(said)
    try:
        statement = Statement.model_validate_json(payload, strict=True)
    except ValidationError:
        return None
    is_whole = bool(statement.files) and statement.entry_hash is not None
    return statement if is_whole and _canonical(statement) == payload else None


def _file(copy: CopyLine) -> StatedFile:
    return StatedFile(name=copy.key.rpartition("/")[2], sha256=copy.sha256, size_bytes=copy.size_bytes, rows=copy.rows)


def _lacks(line: ColumnLine) -> bool:
    side, _, column = (line.source or "").partition(".")
    return side not in _SUPPLIED_BY or not column or any(not getattr(line, part) for part in _DUE)


def _column(line: ColumnLine, neutralised_cells: int) -> StatedColumn:
    stated = {part: getattr(line, part) for part in _DUE}
    side = _SUPPLIED_BY[stated["source"].partition(".")[0]]
    return StatedColumn(
        name=line.name, supplied_by=side, processor=line.processor, neutralised_cells=neutralised_cells, **stated
    )
