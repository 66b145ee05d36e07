"""Signatures under role profiles in PostgreSQL: the only SQL about them."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from sluice.db import Connection
from sluice.locks import About, lock_until_commit


@dataclass(frozen=True, slots=True)
class SignOff:
    """One signature under a role profile of one version. ``signed_at``: UTC; ``reason``: a code."""

    agreement_id: str
    version: str
    profile: str
    signed_by: str
    signed_at: datetime
    reason: str


def lock_sign_offs(conn: Connection, agreement_id: str, version: str) -> None:
    """Hold off others who sign the same version, until the transaction ends."""
    lock_until_commit(conn, About.SIGN_OFF, f"{agreement_id}/{version}")


def insert_sign_off(conn: Connection, signed: SignOff) -> None:
    """Note one signature. The same person a second time is a violation of ``role_sign_off_four_eyes``."""
    conn.execute(
        """insert into sluice.role_sign_off (agreement_id, version, role_profile, signed_by, signed_at, reason)
           values (%s, %s, %s, %s, %s, %s)""",
        (signed.agreement_id, signed.version, signed.profile, signed.signed_by, signed.signed_at, signed.reason),
    )


def list_sign_offs(conn: Connection, agreement_id: str, known_at: datetime) -> tuple[SignOff, ...]:
    """Who signed any version of an agreement off, as it was known at an instant; by moment."""
    with conn.cursor(row_factory=class_row(SignOff)) as cursor:
        cursor.execute(
            """select agreement_id, version, role_profile as profile, signed_by, signed_at, reason
               from sluice.role_sign_off where agreement_id = %s and signed_at <= %s order by signed_at, signed_by""",
            (agreement_id, known_at),
        )
        return tuple(cursor)
