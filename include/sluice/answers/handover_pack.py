"""The package of a handover: its files, sealed to the principal or encrypted to its receiver, and who is in it."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from sluice.answers.access import write_access
from sluice.answers.facts import Facts
from sluice.answers.files import Drafting, pack
from sluice.answers.handover_model import Receiver
from sluice.answers.handover_record import Package
from sluice.answers.model import AnswerKind, Found
from sluice.answers.portable import write_portability
from sluice.exchange.effects.hand_over import SEALED_END
from sluice.exchange.house import House
from sluice.exchange.keep import copy_line
from sluice.exchange.model import Opened
from sluice.exchange.naming import handed_key, index_key
from sluice.exchange.workroom import private_folder
from sluice.lake.quarantine import seal
from sluice.lake.read.pgp import encrypt_to
from sluice.lake.s3.objects import hash_of
from sluice.ledger.copy_kinds import ANSWER_KEPT, INDEX
from sluice.media_types import OCTETS, PARQUET
from sluice.rights.case.clock import received_on
from sluice.rights.copies.read import refs_in
from sluice.rights.person.envelope import Envelope
from sluice.rights.person.identifiers import refs_of
from sluice.subject.index import build_run, write_run
from sluice.terms import SubjectKind

FORMS = ("csv", "json", "xlsx")
RULE = "HANDED_OVER"


def keep_package(house: House, opened: Opened, facts: Facts, receiver: Receiver, envelope: Envelope) -> Package:
    """Write, encrypt and keep the package where nobody sees it yet, with the index that says who is in it.

    Raises CertificateRefused, EncryptionFailed.
    """
    last_day = received_on(facts.made_at) + timedelta(days=house.settings.keep_arrived_days)
    with private_folder(house) as room:
        draft = Drafting(room / "package", facts.language)
        draft.folder.mkdir(mode=0o700)
        if facts.kind is AnswerKind.ACCESS:
            write_access(draft, facts, with_letter=False)
        else:
            write_portability(draft, facts, FORMS, with_letter=False)
        files, packed = draft.finish(), room / "package.zip"
        pack(draft.folder, packed, facts.made_at)
        sha256, size = hash_of(packed)
        sealed = _sealed(house, opened, packed, receiver, facts.made_at)
        key = handed_key(opened, sealed.name)
        kept = house.objects.put_converging(house.settings.bucket_vault, key, sealed, OCTETS)
    run = write_run(build_run([(kind, refs) for kind, refs in _refs(facts.found, envelope).items()]))
    index = house.objects.put_converging(house.settings.bucket_lake, index_key(opened), run, PARQUET)
    rows = sum(table.height for table in facts.selected.tables.values())
    copies = (copy_line(ANSWER_KEPT, kept, rows, RULE, last_day), copy_line(INDEX, index, None, RULE, last_day))
    return Package(facts, sha256, size, len(files), copies)


def _sealed(house: House, opened: Opened, packed: Path, receiver: Receiver, now: datetime) -> Path:
    """Encrypt a package as it waits.

    Under PGP it is kept as it will go, because its bytes differ each time; otherwise it is sealed to the principal's
    key.
    """
    if receiver.certificate is None:
        target = packed.with_name(packed.name + SEALED_END)
        return seal(packed, target, house.keyring, opened.principal)
    target = packed.with_name(f"{packed.name}.pgp")
    encrypt_to(packed, target, receiver.certificate, receiver.fingerprint, at=now)
    return target


def _refs(found: tuple[Found, ...], envelope: Envelope) -> Mapping[SubjectKind, pl.Series]:
    """Return references of the person by kind: those they gave, and those of their own rows."""
    by_kind: dict[SubjectKind, set[str]] = defaultdict(set)
    for each in found:
        for place, ref in refs_of(envelope.identifiers, each.target.key, each.target.principal).items():
            by_kind[envelope.identifiers[place].kind].add(ref)
        for held in each.held:
            for column in held.copy.columns:
                if column.name in held.frame.columns:
                    cells = held.frame[column.name]
                    refs = refs_in(cells, column.kind, each.target.key, held.copy.contract)
                    by_kind[column.kind].update(refs.drop_nulls())
    return {kind: pl.Series(sorted(refs), dtype=pl.String) for kind, refs in by_kind.items()}
