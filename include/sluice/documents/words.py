"""Look up texts for people in Dutch, French and English, in the gettext catalogues of this room.

A message id names a place (``verdict.refused.word``), so that improving a sentence needs no change in code. The
catalogues are read as they are in git, once per process: there is no compile step to forget.
"""

import gettext
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from babel.core import Locale
from babel.dates import format_date, format_datetime
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.units import format_unit

from sluice.times import BRUSSELS

LANGUAGES: Final = ("nl", "fr", "en")

REMEMBERED: Final = 4_096
"""How many formatted numbers, moments and days are cached, as a page of 200 rows formats them for each reader."""

GIVE_BACK, DIAL_LIST = "give_back", "dial_list"
"""Ways beside the directions: data given back because an agreement ended, and dial lists."""
_ALSO: Final = {GIVE_BACK: ("outbound_return",), DIAL_LIST: ("internal",)}
"""The direction whose words are used if a way has none of its own."""
UNITS: Final = ("byte", "kilobyte", "megabyte", "gigabyte")
"""Each a thousand of the one before (IEC 80000-13)."""
_TERRITORY = {"nl": "BE", "fr": "BE", "en": "GB"}


def _ways(way: str) -> tuple[str, ...]:
    return (way, *_ALSO.get(way, ()))


@dataclass(frozen=True)
class Words:
    """One language: its sentences, and how it writes numbers, days and lists."""

    language: str
    locale: Locale
    catalogue: gettext.GNUTranslations

    def say(self, message: str, **parts: object) -> str:
        """The sentence of a message id, with its parts filled in."""
        return self.catalogue.gettext(message).format(**parts)

    def count(self, message: str, number: int, **parts: object) -> str:
        """The sentence in the plural form that ``number`` asks for."""
        return self.catalogue.ngettext(message, message, number).format(**parts)

    def told(self, way: str, message: str, **parts: object) -> str:
        """The sentence for exchanges of one way (``<way>.<message>``) or of its direction; else the general one."""
        return (self._own(way, message) or self.catalogue.gettext(message)).format(**parts)

    def told_count(self, way: str, message: str, number: int, **parts: object) -> str:
        """Like :meth:`told`, in the plural form that ``number`` asks for."""
        for own in (f"{each}.{message}" for each in _ways(way)):
            if (said := self.catalogue.ngettext(own, own, number)) != own:
                return said.format(**parts)
        return self.count(message, number, **parts)

    def _own(self, way: str, message: str) -> str | None:
        names = [f"{each}.{message}" for each in _ways(way)]
        return next((said for name in names if (said := self.catalogue.gettext(name)) != name), None)

    def find(self, *messages: str) -> str | None:
        """The first of ``messages`` that has a sentence in this language, or None.

        A message id may contain text that anybody wrote. Sentences with parts to fill in are skipped.
        """
        known = ((message, self.catalogue.gettext(message)) for message in messages)
        return next((said for message, said in known if said != message and "{" not in said), None)

    def number(self, number: int) -> str:
        return _number(number, self.locale)

    def size(self, count: int) -> str:
        """A number of bytes in the unit that fits it: 1 kB is 1,000 bytes."""
        return _size(count, self.locale)

    def moment(self, when: str) -> str:
        """A UTC time of a record, as the clock in Brussels showed it."""
        return _moment(when, self.locale)

    def day(self, when: str) -> str:
        """A Brussels date of a record."""
        return _day(when, "d MMMM y", self.locale)

    def short_day(self, when: str) -> str:
        """A Brussels date without its year, for near dates."""
        return _day(when, "d MMM", self.locale)

    def listed(self, items: Iterable[str]) -> str:
        """The items as a list in a sentence: ``a, b and c``."""
        return format_list(list(items), locale=self.locale)


@lru_cache(REMEMBERED)
def _number(number: int, locale: Locale) -> str:
    return format_decimal(number, locale=locale)


@lru_cache(REMEMBERED)
def _size(count: int, locale: Locale) -> str:
    power = min(max(len(str(count)) - 1, 0) // 3, len(UNITS) - 1)
    size = round(count / 1000**power, 1 if power > 1 else 0)
    return format_unit(size, f"digital-{UNITS[power]}", length="short", locale=locale)


@lru_cache(REMEMBERED)
def _moment(when: str, locale: Locale) -> str:
    local = datetime.fromisoformat(when).astimezone(BRUSSELS)
    return format_datetime(local, "d MMMM y, HH:mm:ss", tzinfo=BRUSSELS, locale=locale)


@lru_cache(REMEMBERED)
def _day(when: str, pattern: str, locale: Locale) -> str:
    return format_date(date.fromisoformat(when), pattern, locale=locale)


def in_each_language(message: str, **parts: object) -> dict[str, str]:
    """The sentence of a message id by language, for a reader of whom nobody knows which one is theirs."""
    return {language: words(language).say(message, **parts) for language in LANGUAGES}


@cache
def words(language: str) -> Words:
    """The words of one of :data:`LANGUAGES`."""
    place = Path(__file__).parent / "locale" / language / "LC_MESSAGES" / "sluice.po"
    compiled = io.BytesIO()
    with place.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return Words(language, Locale(language, _TERRITORY[language]), gettext.GNUTranslations(compiled))
