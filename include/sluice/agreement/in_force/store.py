"""Registered documents and their activations in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime

from psycopg.rows import DictRow

from sluice.agreement.clauses.annexes import Known, KnownContract, parse_annexes, parse_process
from sluice.agreement.clauses.rules import version_key
from sluice.agreement.errors import PaperInvalid
from sluice.agreement.folder.load import parse_agreement, parse_contract
from sluice.agreement.model import Agreement, DataContract
from sluice.agreement.papers import Paper, PaperMissing, PaperReason, Registration
from sluice.agreement.timeline import Days, Held, Laid, lay
from sluice.db import Connection, transaction
from sluice.errors import NotFound, Ref, as_typed
from sluice.locks import About, lock_until_commit
from sluice.terms import Direction, Flow, Principal

_SIGNERS = """array(select s.signed_by from sluice.role_sign_off s
                 where (s.agreement_id, s.version, s.role_profile) = (d.document_id, d.version, 'SEED_OWNER')
                   and s.signed_at <= %(known_at)s order by s.signed_at, s.signed_by) as signers"""
"""Who signed off the version of an agreement, as known at an instant."""
_BY_ID = f"""
    select a.state, d.version, d.path, d.body, d.agreement_id, d.agreement_version, a.valid_from, a.valid_to,
           {_SIGNERS}
    from sluice.activation a join sluice.document d using (sha256)
    where a.kind = %(kind)s and a.document_id = %(document_id)s
      and a.known_from <= %(known_at)s and (a.known_to is null or %(known_at)s < a.known_to)
    order by a.valid_from
"""
_BY_PRINCIPAL = f"""
    select a.state, d.version, d.path, d.body, d.agreement_id, d.agreement_version, a.valid_from, a.valid_to,
           {_SIGNERS}
    from sluice.activation a join sluice.document d using (sha256)
    where a.kind = %(kind)s and d.principal = %(principal)s
      and a.known_from <= %(known_at)s and (a.known_to is null or %(known_at)s < a.known_to)
    order by a.valid_from, a.document_id
"""
_EVERY = f"""
    select a.state, d.version, d.path, d.body, d.agreement_id, d.agreement_version, a.valid_from, a.valid_to,
           {_SIGNERS}, p.body as pinned_body, p.path as pinned_path
    from sluice.activation a join sluice.document d using (sha256)
    left join sluice.document p
      on p.kind = 'agreement' and (p.document_id, p.version) = (d.agreement_id, d.agreement_version)
    where a.kind = %(kind)s
      and a.known_from <= %(known_at)s and (a.known_to is null or %(known_at)s < a.known_to)
    order by d.principal, a.document_id, a.valid_from
"""
_REGISTER = """
    insert into sluice.document
        (sha256, kind, document_id, version, principal, path, body, agreement_id, agreement_version, registered_at)
    values (%(sha256)s, %(kind)s, %(document_id)s, %(version)s, %(principal)s, %(path)s, %(body)s,
            %(agreement_id)s, %(agreement_version)s, %(at)s)
    on conflict (sha256) do nothing
"""
_KEEP = """
    insert into sluice.activation
        (kind, document_id, sha256, state, valid_from, valid_to, known_from, activated_at)
    select kind, document_id, sha256, state, %(first)s, %(last)s, %(at)s, activated_at
    from sluice.activation where activation_id = %(activation_id)s
"""
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
_OPEN = """
    insert into sluice.activation
        (kind, document_id, sha256, state, valid_from, valid_to, known_from, activated_at)
    values (%(kind)s, %(document_id)s, %(sha256)s, %(state)s, %(first)s, %(last)s, %(at)s, %(at)s)
"""


@dataclass(frozen=True, slots=True)
class Row:
    """An activation with its document."""

    state: str
    version: str
    path: str
    body: bytes
    days: Days
    pin: tuple[str | None, str | None]
    """The agreement id and version that a contract names."""
    signers: tuple[str, ...] = ()
    """Only for an agreement: who signed off its SEED_OWNER rows."""

    @property
    def agreement(self) -> Agreement:
        """The agreement in this document, with its signers."""
        return replace(parse_agreement(self.body, self.path), seed_owner_signers=self.signers)


def activate(conn: Connection, documents: tuple[Registration, ...], at: datetime) -> tuple[str, ...]:
    """Register documents and put them in force as known from ``at``. Returns the hashes that were new.

    Repeating it changes nothing: an agreement is activated once per hash, a contract again only if another one came
    between. Agreements come first, oldest version first, whatever the order given. All happens in one transaction; an
    advisory lock per document id makes concurrent callers wait for each other.
    """
    ordered = sorted(documents, key=lambda document: (document.kind, version_key(document.version)))
    with transaction(conn):
        return tuple(document.sha256 for document in ordered if _activate(conn, document, at))


def _activate(conn: Connection, document: Registration, at: datetime) -> bool:
    lock_until_commit(conn, About.PAPER, f"{document.kind}/{document.document_id}")
    if find_state(conn, document.kind, document.document_id, document.sha256):
        return False
    conn.execute(_REGISTER, {**asdict(document), "at": at})
    _lay(conn, document, at)
    return True


def find_state(conn: Connection, kind: str, document_id: str, sha256: str) -> str | None:
    """The state of an agreement that was ever activated, or of the contract that was activated last; else None."""
    row = conn.execute(
        """select sha256, state from sluice.activation
           where kind = %(kind)s and document_id = %(document_id)s and (kind = 'contract' or sha256 = %(sha256)s)
           order by activated_at desc, activation_id desc limit 1""",
        {"kind": kind, "document_id": document_id, "sha256": sha256},
    ).fetchone()
    return str(row["state"]) if row and row["sha256"] == sha256 else None


def _lay(conn: Connection, document: Registration, at: datetime) -> None:
    rows = conn.execute(
        """select a.activation_id, a.valid_from, a.valid_to, d.version
           from sluice.activation a join sluice.document d using (sha256)
           where a.kind = %s and a.document_id = %s and a.known_to is null""",
        [document.kind, document.document_id],
    ).fetchall()
    by_version = document.kind == "agreement"
    held = [
        Held(
            row["activation_id"],
            Days(row["valid_from"], row["valid_to"]),
            version_key(row["version"]) if by_version else (),
        )
        for row in rows
    ]
    days = Days(document.valid_from, document.valid_to)
    change = lay(held, days, version_key(document.version) if by_version else ())
    conn.execute("update sluice.activation set known_to = %s where activation_id = any(%s)", [at, list(change.close)])
    for activation_id, kept in change.keep:
        conn.execute(_KEEP, {"first": kept.first, "last": kept.last, "at": at, "activation_id": activation_id})
    for opened in change.open:
        conn.execute(_OPEN, {**asdict(document), "first": opened.first, "last": opened.last, "at": at})


def in_force(
    conn: Connection, principal: Principal, direction: Direction, flow: Flow, on: date, known_at: datetime
) -> Paper | PaperMissing:
    """The paper that held on a Brussels date, as known at an instant, or why there was none.

    A contract names its agreement by id and version: that very version must be in force on that day.
    """
    with transaction(conn):
        if isinstance(agreement := _find_principal_agreement(conn, principal, on, known_at), PaperMissing):
            return agreement
        rows = _by_id(conn, "contract", f"{principal}.{direction}.{flow}", known_at)
        if (row := _find_on(rows, on)) is None:
            begins = min((each.days.first for each in rows if each.days.first > on), default=None)
            reason = PaperReason.CONTRACT_NOT_YET if begins else PaperReason.NO_CONTRACT
            return PaperMissing(reason, agreement, begins=begins)
        if row.state == "retired":
            return PaperMissing(PaperReason.CONTRACT_RETIRED, agreement=agreement)
        paper = _join(row, _by_id(conn, "agreement", row.pin[0], known_at), on)
        return paper or PaperMissing(PaperReason.CONTRACT_GAP, agreement=agreement)


def is_flow(conn: Connection, principal: Principal, flow: Flow) -> bool:
    """Whether a contract of a principal was ever registered for a flow, in any version, direction and state."""
    ids = [f"{principal}.{direction}.{flow}" for direction in Direction]
    with transaction(conn):
        row = conn.execute(
            "select exists (select from sluice.document where kind = 'contract' and document_id = any(%s)) as has",
            [ids],
        ).fetchone()
    return bool(row and row["has"])


def _join(row: Row, versions: list[Row], on: date) -> Paper | PaperMissing | None:
    """The contract under the agreement it names, or why that agreement does not hold; None for a gap."""
    pinned = next((held for held in versions if held.version == row.pin[1]), None)
    if pinned is None:
        return None
    agreement = pinned.agreement
    holding = _find_on(versions, on)
    if holding is None or holding.version != pinned.version:
        is_early = on < agreement.valid_from
        reason = PaperReason.AGREEMENT_NOT_YET if is_early else PaperReason.AGREEMENT_EXPIRED
        return PaperMissing(reason, agreement=agreement)
    contract = _contract(row, pinned)
    return Paper(agreement, contract) if contract else None


def _contract(row: Row, agreement: Row) -> DataContract | None:
    if row.state == "gap":
        return None
    try:
        return parse_contract(row.body, row.path, agreement.body, agreement.path)
    except PaperInvalid:
        return None  # what nobody can read counts as a gap


def _find_principal_agreement(
    conn: Connection, principal: Principal, on: date, known_at: datetime
) -> Agreement | PaperMissing:
    found = _by_principal(conn, "agreement", principal, known_at)
    holding = [row for row in found if on in row.days]
    if holding:
        return holding[-1].agreement
    if not found:
        return PaperMissing(PaperReason.NO_AGREEMENT)
    past = [row for row in found if row.days.first <= on]
    nearest = past[-1] if past else found[0]
    reason = PaperReason.AGREEMENT_EXPIRED if past else PaperReason.AGREEMENT_NOT_YET
    return PaperMissing(reason, agreement=nearest.agreement)


def find_principal_agreement(conn: Connection, principal: Principal, on: date, known_at: datetime) -> Agreement | None:
    """The agreement with a principal that held on a Brussels date, as known at an instant; None if none did."""
    with transaction(conn):
        found = _find_principal_agreement(conn, principal, on, known_at)
    return found if isinstance(found, Agreement) else None


def list_in_force(conn: Connection, principal: Principal, on: date, known_at: datetime) -> tuple[Agreement, ...]:
    """The agreements with a principal that held on a Brussels date, as known at an instant, the youngest last."""
    with transaction(conn):
        found = _by_principal(conn, "agreement", principal, known_at)
    return tuple(row.agreement for row in found if on in row.days)


def find_agreement(conn: Connection, agreement_id: str, on: date, known_at: datetime) -> Agreement | None:
    """The version of an agreement that held on a date, as known at an instant."""
    with transaction(conn):
        row = _find_on(_by_id(conn, "agreement", agreement_id, known_at), on)
    return row.agreement if row else None


def find_last(conn: Connection, agreement_id: str, on: date, known_at: datetime) -> tuple[Agreement, date] | None:
    """The version of an agreement that held on a date, with that date; the last one with its last day if it ended."""
    begun = [row for row in _by_id(conn, "agreement", agreement_id, known_at) if row.days.first <= on]
    return (begun[-1].agreement, min(on, begun[-1].days.last or on)) if begun else None


def get_paper(
    conn: Connection, agreement_id: str, on: date, known_at: datetime
) -> tuple[Agreement, tuple[DataContract, ...]]:
    """The version of an agreement that held on a date, and its contracts, as known at an instant. Raises NotFound."""
    agreement = find_agreement(conn, agreement_id, on, known_at)
    if agreement is None:
        raise NotFound(as_typed("agreement", agreement_id), Ref("date", on.isoformat()))
    return agreement, find_contracts(conn, agreement, on, known_at)


def find_version(
    conn: Connection, agreement_id: str, version: str, known_at: datetime = END_OF_TIME
) -> Agreement | None:
    """A registered version of an agreement, even if superseded, with those who had signed it off by ``known_at``."""
    row = conn.execute(
        f"""select body, path, {_SIGNERS} from sluice.document d
            where kind = 'agreement' and document_id = %(agreement_id)s and version = %(version)s
            order by registered_at desc limit 1""",
        {"agreement_id": agreement_id, "version": version, "known_at": known_at},
    ).fetchone()
    if row is None:
        return None
    return replace(parse_agreement(bytes(row["body"]), row["path"]), seed_owner_signers=tuple(row["signers"]))


def find_contracts(conn: Connection, agreement: Agreement, on: date, known_at: datetime) -> tuple[DataContract, ...]:
    """The contracts that name this agreement version and hold on a date, as known at an instant."""
    with transaction(conn):
        versions = _by_id(conn, "agreement", agreement.agreement_id, known_at)
        rows = _by_principal(conn, "contract", agreement.principal, known_at)
    pinned = next((row for row in versions if row.version == agreement.version), None)
    named = [row for row in rows if on in row.days and row.pin == (agreement.agreement_id, agreement.version)]
    loaded = [_contract(row, pinned) for row in named if pinned and row.state == "active"]
    return tuple(contract for contract in loaded if contract)


def list_agreements(conn: Connection, known_at: datetime) -> tuple[Known, ...]:
    """Every agreement of every principal as known at an instant, ordered by principal, id and first day."""
    rows = conn.execute(_EVERY, {"kind": "agreement", "known_at": known_at}).fetchall()
    found = (_row(row) for row in rows)
    return tuple(Known(row.agreement, parse_annexes(row.body, row.path), row.days) for row in found)


def list_contracts(conn: Connection, known_at: datetime, naming: Sequence[str] = ()) -> tuple[KnownContract, ...]:
    """Every active contract as known at an instant, under the agreement version it names.

    ``naming``: if given, only contracts whose text contains one of these words; the others are not parsed.
    """
    found = []
    for raw in conn.execute(_EVERY, {"kind": "contract", "known_at": known_at}).fetchall():
        row = _row(raw)
        if naming and not any(word.encode() in row.body for word in naming):
            continue
        contract = _contract_under(row, raw["pinned_body"], raw["pinned_path"])
        if contract is not None and row.state == "active":
            found.append(KnownContract(contract, parse_process(row.body, row.path), row.days))
    return tuple(found)


def list_laid(conn: Connection) -> tuple[Laid, ...]:
    """Every span of days ever laid down for versions of agreements, by agreement, then latest day and instant first."""
    rows = conn.execute(
        """select a.document_id, d.version, d.principal, a.sha256, a.valid_from, a.valid_to, a.known_from, a.known_to
           from sluice.activation a join sluice.document d using (sha256) where a.kind = 'agreement'
           order by a.document_id, a.valid_from desc, a.known_from desc"""
    ).fetchall()
    return tuple(
        Laid(
            row["document_id"], row["version"], row["principal"], row["sha256"],
            Days(row["valid_from"], row["valid_to"]), row["known_from"], row["known_to"],
        )
        for row in rows
    )  # fmt: skip


def find_contract_by_hash(conn: Connection, sha256: str) -> DataContract | None:
    """The registered contract with this hash, under the agreement version it names; None if unknown or a gap."""
    raw = conn.execute(
        """select d.path, d.body, p.body as pinned_body, p.path as pinned_path
           from sluice.document d left join sluice.document p
             on p.kind = 'agreement' and (p.document_id, p.version) = (d.agreement_id, d.agreement_version)
           where d.kind = 'contract' and d.sha256 = %s""",
        (sha256,),
    ).fetchone()
    if raw is None or raw["pinned_body"] is None:
        return None
    try:
        return parse_contract(bytes(raw["body"]), raw["path"], bytes(raw["pinned_body"]), raw["pinned_path"])
    except PaperInvalid:
        return None


def _contract_under(row: Row, body: bytes | None, path: str | None) -> DataContract | None:
    if body is None or path is None:
        return None
    return _contract(row, Row("active", "", path, bytes(body), row.days, (None, None)))


def find_signed_otherwise(conn: Connection, agreement_id: str, version: str, sha256: str) -> bool:
    """Whether this version of an agreement is registered with other bytes; a signed version must never change."""
    row = conn.execute(
        """select 1 from sluice.document
           where kind = 'agreement' and document_id = %s and version = %s and sha256 <> %s""",
        [agreement_id, version, sha256],
    ).fetchone()
    return row is not None


def get_body(conn: Connection, sha256: str) -> bytes:
    """A registered document exactly as its file was. Raises NotFound."""
    row = conn.execute("select body from sluice.document where sha256 = %s", (sha256,)).fetchone()
    if row is None:
        raise NotFound(Ref("document", sha256))
    return bytes(row["body"])


def find_owner(conn: Connection, agreement_id: str) -> Principal | None:
    """The principal that an agreement id is registered for."""
    row = conn.execute(
        "select principal from sluice.document where kind = 'agreement' and document_id = %s limit 1", [agreement_id]
    ).fetchone()
    return Principal(row["principal"]) if row else None


def has_contract(conn: Connection, contract_id: str) -> bool:
    """Whether a contract without a gap is known now."""
    row = conn.execute(
        """select 1 from sluice.activation
           where kind = 'contract' and document_id = %s and state <> 'gap' and known_to is null""",
        [contract_id],
    ).fetchone()
    return row is not None


def _find_on(rows: list[Row], on: date) -> Row | None:
    return next((row for row in rows if on in row.days), None)


def _by_id(conn: Connection, kind: str, document_id: str | None, known_at: datetime) -> list[Row]:
    parameters = {"kind": kind, "document_id": document_id, "known_at": known_at}
    return [_row(row) for row in conn.execute(_BY_ID, parameters).fetchall()]


def _by_principal(conn: Connection, kind: str, principal: Principal, known_at: datetime) -> list[Row]:
    parameters = {"kind": kind, "principal": principal, "known_at": known_at}
    return [_row(row) for row in conn.execute(_BY_PRINCIPAL, parameters).fetchall()]


def _row(row: DictRow) -> Row:
    days = Days(row["valid_from"], row["valid_to"])
    pin = (row["agreement_id"], row["agreement_version"])
    return Row(row["state"], row["version"], row["path"], bytes(row["body"]), days, pin, tuple(row["signers"]))
