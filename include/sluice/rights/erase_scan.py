"""The second scan: every byte of every version in every store, by a reader that believes nothing of the eraser."""

from sluice.exchange.house import House
from sluice.lake.quarantine import unseal
from sluice.rights.erase_model import Target
from sluice.rights.erase_stores import STORES, Bench, open_bench
from sluice.rights.tell import find_open_notices
from sluice.scan.model import Reason, Status
from sluice.scan.needles import needles_of
from sluice.scan.walk import scan_bytes

READ = frozenset({Reason.FONT_ENCODED_TEXT, Reason.PICTURE})
"""Doubts about our own receipts: their text is made from counts and codes."""


def scan_stores(house: House, target: Target, values: frozenset[str]) -> tuple[int, int, int]:
    """Hits, doubts and objects read in everything this principal has, whoever decides of it."""
    needles = needles_of(sorted(values))
    hits = doubts = scanned = 0
    with open_bench(house, target) as bench:
        seen: set[tuple[str, str, str]] = set()
        told = find_open_notices(house, target.principal)
        for each in STORES:
            for item in each.objects(house, target):
                name = (item.bucket, item.key, item.version_id)
                if name in seen or (item.bucket, item.key) in told:
                    continue
                seen.add(name)
                path = bench.fresh("scanned")
                house.objects.fetch(*name, path)
                scan = scan_bytes(path, needles, decrypt=lambda sealed: _decrypted(bench, sealed))
                scanned += 1
                hits += scan.status is Status.HIT
                doubts += scan.status is not Status.HIT and any(one.reason not in READ for one in scan.doubts)
    return hits, doubts, scanned


def _decrypted(bench: Bench, sealed: bytes) -> bytes | None:
    import pyrage

    source, opened = bench.fresh("sealed-part"), bench.fresh("opened-part")
    source.write_bytes(sealed)
    try:
        return unseal(source, opened, bench.house.keyring, bench.target.principal).read_bytes()
    except pyrage.DecryptError:
        return None
