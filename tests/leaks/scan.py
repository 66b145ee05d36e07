"""The leak scanner (security S-01): whose values are seen through which channel of an installation.

It shares no code with the product: the searcher is that of the tests of erasure.
"""

import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from leaks.sources import Source
from rights.residue import Opener, Searcher


@dataclass
class Report:
    """What was looked through, and who was seen: by channel, and in the places where values may be."""

    leaks: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    at_home: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    sources: int = 0
    size_bytes: int = 0
    channels: set[str] = field(default_factory=set)

    def kept_in(self, *uses: str) -> set[int]:
        """The persons in the objects of the buckets with these uses."""
        kept = {f"object {use}" for use in uses}
        found = (who for channel, who in self.at_home.items() if " ".join(channel.split()[:2]) in kept)
        return set().union(*found)


def scan(sources: Iterable[Source], searcher: Searcher, openers: Sequence[Opener] = ()) -> Report:
    """Look through everything, inflated. openers: what reads sealed objects, for the places where values may be."""
    report = Report()
    for source in sources:
        report.sources += 1
        report.size_bytes += len(source.content)
        report.channels.add(source.channel)
        found = _seen(source, searcher, openers if source.is_home else ())
        if source.is_home:
            report.at_home[source.channel] |= found
        elif found:
            report.leaks[source.channel] |= found
    return report


def _seen(source: Source, searcher: Searcher, openers: Sequence[Opener]) -> set[int]:
    """Who is in some bytes; in those that only look like an archive, who is in them as they are."""
    try:
        return searcher.search(source.content, *openers)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error):
        return searcher.owners_in(source.content)
