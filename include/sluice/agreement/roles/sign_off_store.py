"""Sign-offs of role profiles in PostgreSQL."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from sluice.db import Connection
from sluice.locks import About, lock_until_commit


@dataclass(frozen=True, slots=True)
class SignOff:
    """One signature on a role profile of one version. ``signed_at`` is UTC; ``reason`` is a code."""

    agreement_id: str
    version: str
    profile: str
    signed_by: str
    signed_at: datetime
    reason: str


def lock_sign_offs(conn: Connection, agreement_id: str, version: str) -> None:
    """Make others who sign the same version wait until this transaction ends."""
    lock_until_commit(conn, About.SIGN_OFF, f"{agreement_id}/{version}")


def insert_sign_off(conn: Connection, signed: SignOff) -> None:
    """Store one signature. The same person signing twice violates the constraint ``role_sign_off_four_eyes``."""
    conn.execute(
        """insert into sluice.role_sign_off (agreement_id, version, role_profile, signed_by, signed_at, reason)
           values (%s, %s, %s, %s, %s, %s)""",
        (signed.agreement_id, signed.version, signed.profile, signed.signed_by, signed.signed_at, signed.reason),
    )


def list_sign_offs(conn: Connection, agreement_id: str, known_at: datetime) -> tuple[SignOff, ...]:
    """Sign-offs of any version of an agreement, as known at an instant, ordered by time."""
    with conn.cursor(row_factory=class_row(SignOff)) as cursor:
        cursor.execute(
            """select agreement_id, version, role_profile as profile, signed_by, signed_at, reason
               from sluice.role_sign_off where agreement_id = %s and signed_at <= %s order by signed_at, signed_by""",
            (agreement_id, known_at),
        )
        return tuple(cursor)
