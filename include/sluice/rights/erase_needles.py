"""What the second scan looks for: the person's identifiers in every spelling that their rows had.

Gathered before anything is erased and sealed beside the case, because afterwards no row is left to
read them from.
"""

import json
from collections.abc import Iterable

import polars as pl

from sluice.exchange.house import House
from sluice.rights.erase_model import Copy
from sluice.rights.erase_stores import REF, Bench, ref_columns
from sluice.rights.identifiers import decrypt, encrypt
from sluice.rights.model import CaseId
from sluice.terms import Principal

CANONICAL = ("phone", "record_id")
"""Identifying columns of canonical results, whatever the platform calls them."""
LAKE = "lake"


def spellings(bench: Bench, copies: Iterable[Copy]) -> frozenset[str]:
    """How the person's identifiers are written in accepted rows."""
    found: set[str] = set()
    for copy in copies:
        path = bench.fetch(copy) if copy.kind == LAKE else None
        if path is None:
            continue
        rows = pl.scan_parquet(path)
        mine = pl.any_horizontal(pl.col(name).is_in(sorted(bench.target.refs)) for name in ref_columns(path))
        names = [name for name in rows.collect_schema().names() if name in identifying(copy)]
        for column in rows.filter(mine).select(names).collect().get_columns() if names else ():
            found.update(column.drop_nulls().to_list())
    return frozenset(found)


def identifying(copy: Copy) -> frozenset[str]:
    """Columns of a lake object that hold identifiers as they were written."""
    return frozenset({column.name for column in copy.columns} | set(CANONICAL)) - {REF}


def remember(house: House, case_id: CaseId, principal: Principal, values: frozenset[str]) -> frozenset[str]:
    """Add to what is sealed for this case and principal; all of it."""
    every = recall(house, case_id, principal) | values
    content = encrypt(house.keyring, json.dumps(sorted(every)).encode())
    house.objects.put_converging(
        house.settings.bucket_vault, _key(case_id, principal), content, "application/octet-stream"
    )
    house.objects.delete_others(
        house.settings.bucket_vault,
        _key(case_id, principal),
        frozenset({_current(house, case_id, principal)}),
    )
    return every


def recall(house: House, case_id: CaseId, principal: Principal) -> frozenset[str]:
    """What was remembered before."""
    if house.objects.head(house.settings.bucket_vault, _key(case_id, principal)) is None:
        return frozenset()
    sealed = house.objects.read(house.settings.bucket_vault, _key(case_id, principal))
    return frozenset(json.loads(decrypt(house.keyring, sealed)))


def _current(house: House, case_id: CaseId, principal: Principal) -> str:
    head = house.objects.head(house.settings.bucket_vault, _key(case_id, principal))
    return head.version_id if head else ""


def _key(case_id: CaseId, principal: Principal) -> str:
    return f"_cases/{case_id}/needles-{principal}.age"
