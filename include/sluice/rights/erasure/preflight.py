"""Find out, without touching any data, what would make an erasure fail half-way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from sluice.errors import EvidenceInvalid, Exit, Ref, SluiceError, StoreError
from sluice.exchange.house import House
from sluice.key_files import KeyLost, KeyOutOfReach
from sluice.keys import QUARANTINE, SUBJECT
from sluice.lake.s3.probe import Promise
from sluice.rights.case import store
from sluice.rights.case.model import Case, CaseId
from sluice.rights.copies import copy_store, in_flight_store
from sluice.rights.copies.stores import BY_KIND
from sluice.rights.erasure import control_store
from sluice.rights.erasure.census import find_unknown
from sluice.rights.person.sealed import KEY_OWNER
from sluice.terms import Principal


class PreflightFailed(SluiceError):
    code: ClassVar[str] = "SLU-562"
    summary: ClassVar[str] = "an erasure would fail half-way"
    cure: ClassVar[str] = "`sluice erase preflight` names each cause and its cure"
    exit: ClassVar[Exit] = Exit.REFUSED


class Risk(StrEnum):
    """What can be wrong before the first object is touched."""

    BUCKET_WITHOUT_VERSIONS = "BUCKET_WITHOUT_VERSIONS"
    VERSION_NOT_DELETABLE = "VERSION_NOT_DELETABLE"
    CONDITION_NOT_KEPT = "CONDITION_NOT_KEPT"
    BUCKET_NOT_WRITABLE = "BUCKET_NOT_WRITABLE"
    KEY_MISSING = "KEY_MISSING"
    KEY_WRONG = "KEY_WRONG"
    COPY_OF_NO_STORE = "COPY_OF_NO_STORE"
    RUN_UNDER_WAY = "RUN_UNDER_WAY"
    EXCHANGE_STUCK = "EXCHANGE_STUCK"
    PLACE_UNKNOWN = "PLACE_UNKNOWN"

    @property
    def stops(self) -> bool:
        """Whether a run is refused. Otherwise it runs, but does not reach its end."""
        return self not in (Risk.EXCHANGE_STUCK, Risk.PLACE_UNKNOWN)


SAYS: Mapping[Risk, tuple[str, str]] = {
    Risk.BUCKET_WITHOUT_VERSIONS: (
        "an edited copy would replace the old bytes before they were compared",
        "turn versions on: `sluice up`, or put-bucket-versioning on your own S3",
    ),
    Risk.VERSION_NOT_DELETABLE: (
        "old versions would stay, with the person in them",
        "grant s3:DeleteObjectVersion on this bucket; look for a Deny in its policy and for object lock",
    ),
    Risk.CONDITION_NOT_KEPT: (
        "a writer that comes between would be overwritten: If-Match is not answered with 412",
        "use an S3 endpoint with conditional writes; `sluice doctor` checks it",
    ),
    Risk.BUCKET_NOT_WRITABLE: (
        "no edited copy could be put",
        "grant s3:PutObject, s3:GetObjectVersion and s3:ListBucketVersions on this bucket",
    ),
    Risk.KEY_MISSING: (
        "nobody could be found: references of persons cannot be made again, sealed copies cannot be opened",
        "restore this key of SLUICE_KEYS_DIR from its backup; never let a new one be made",
    ),
    Risk.KEY_WRONG: ("the key cannot be unwrapped", "set SLUICE_MASTER_KEY as it was when the key was made"),
    Risk.COPY_OF_NO_STORE: (
        "a kind of copy nobody can search would stay",
        "add its store to rights/copies/stores.py, with find, erase, read and objects",
    ),
    Risk.RUN_UNDER_WAY: ("another process works on this erasure", "wait for it; a dead one holds nothing"),
    Risk.EXCHANGE_STUCK: (
        "the run could not end: this exchange may still bring or deliver rows",
        "`sluice exchange show` has its error; once it is closed, run again",
    ),
    Risk.PLACE_UNKNOWN: (
        "nothing can be certified: a bucket, prefix or table stands in no list, and nobody searches it",
        "remove it; or give it a store in rights/copies/stores.py and a line in rights/facts/; a bucket that is "
        "not Sluice's goes into SLUICE_OTHER_BUCKETS",
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where: a bucket, a key, a kind of copy, an exchange."""

    risk: Risk
    where: str

    @property
    def says(self) -> str:
        return SAYS[self.risk][0]

    @property
    def cure(self) -> str:
        return SAYS[self.risk][1]


def preflight(house: House, case_id: CaseId | None = None) -> tuple[Problem, ...]:
    """Return everything that is wrong for one case, or for all principals with copies; what stops a run comes first."""
    if case_id is None:
        names = copy_store.find_principals(house.conn)
    else:
        names = principals_of(store.get_case(house.conn, case_id))
    found = [*_buckets(house), *_keys(house, names), *_copies(house, names), *_stuck(house, names), *_unknown(house)]
    if case_id is not None and control_store.find_held(house.conn, [case_id]):
        found.append(Problem(Risk.RUN_UNDER_WAY, f"case {case_id}"))
    return tuple(sorted(found, key=lambda problem: not problem.risk.stops))


def check_preflight(house: House, case_id: CaseId) -> None:
    """Check a case before anything is touched. Raises PreflightFailed, naming the first problem that stops a run."""
    stopping = [problem for problem in preflight(house, case_id) if problem.risk.stops]
    if stopping:
        first = stopping[0]
        raise PreflightFailed(Ref("check", first.risk), Ref("at", first.where), Ref("problems", len(stopping)))


def principals_of(case: Case) -> list[Principal]:
    """Return the principals whose copies an erasure of this case may touch."""
    return sorted({Principal(part.principal) for part in case.sub_cases if part.agreement_id is not None})


def _buckets(house: House) -> Iterator[Problem]:
    settings = house.settings
    risks = {
        Promise.IF_NONE_MATCH: Risk.CONDITION_NOT_KEPT,
        Promise.IF_MATCH: Risk.CONDITION_NOT_KEPT,
        Promise.VERSIONS: Risk.BUCKET_WITHOUT_VERSIONS,
        Promise.DELETE: Risk.VERSION_NOT_DELETABLE,
    }
    for bucket in (
        settings.bucket_exchange, settings.bucket_internal, settings.bucket_lake, settings.bucket_vault,
    ):  # fmt: skip
        try:
            broken = house.objects.broken_promises(bucket)
        except StoreError:
            yield Problem(Risk.BUCKET_NOT_WRITABLE, f"bucket {bucket}")
            continue
        yield from (Problem(risk, f"bucket {bucket}") for risk in dict.fromkeys(risks[each] for each in broken))


def _keys(house: House, names: Sequence[Principal]) -> Iterator[Problem]:
    """Yield the keys that are missing or wrong. Copies and suppressed persons show that a key was used."""
    wanted = [(KEY_OWNER, QUARANTINE)]
    wanted += [(name, SUBJECT) for name in names]
    wanted += [(name, QUARANTINE) for name in names if copy_store.has_sealed(house.conn, name)]
    for name, purpose in wanted:
        try:
            if not house.keyring.has(name, purpose):
                yield Problem(Risk.KEY_MISSING, f"key {name}/{purpose}")
        except (KeyLost, KeyOutOfReach):
            yield Problem(Risk.KEY_MISSING, f"key {name}/{purpose}")
        except EvidenceInvalid:
            yield Problem(Risk.KEY_WRONG, f"key {name}/{purpose}")


def _copies(house: House, names: Sequence[Principal]) -> Iterator[Problem]:
    for name in names:
        for kind in copy_store.find_kinds(house.conn, name):
            if kind not in BY_KIND:
                yield Problem(Risk.COPY_OF_NO_STORE, f"copies {name}/{kind}")


def _stuck(house: House, names: Sequence[Principal]) -> Iterator[Problem]:
    for name in names:
        for exchange_id, code in in_flight_store.find_stuck(house.conn, name):
            yield Problem(Risk.EXCHANGE_STUCK, f"exchange {exchange_id} ({code})")


def _unknown(house: House) -> Iterator[Problem]:
    for place in find_unknown(house.settings, house.conn, house.objects):
        yield Problem(Risk.PLACE_UNKNOWN, str(place))
