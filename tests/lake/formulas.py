"""What a spreadsheet would run in a CSV file: a scanner that shares no code with the writer.

It opens the text as spreadsheets do: at the agreed delimiter and at each one that a program in
another country would take, quotes only where a field begins with one. A field is live when, without
what an import strips or does not show, it begins with ``= + - @`` in any width, or with TAB, CR, LF.
"""

import csv
import io
import json
import re
import unicodedata
from pathlib import Path

DELIMITERS = ",;\t|"
NUMBER = r"[+-]?[0-9]+(?:[.,][0-9]+)?"
PLAIN = rf"(?:{NUMBER}|\+[0-9][0-9 ]{{5,20}})"

_CELLS = json.loads(Path(__file__).with_name("formulas.json").read_text(encoding="utf-8"))
ATTACKS, HARMLESS = tuple(_CELLS["attacks"]), tuple(_CELLS["harmless"])


def live_cells(text: str, delimiter: str, *, others: bool = True) -> list[str]:
    """Every field that is live under the agreed delimiter or, with ``others``, any usual one."""
    found = []
    for cut in dict.fromkeys([delimiter, *DELIMITERS] if others else [delimiter]):
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=cut):
            found += [field for field in record if is_live(field, delimiter, at_home=cut == delimiter)]
    return found


def is_live(field: str, delimiter: str, *, at_home: bool) -> bool:
    """A plain number is not; cut elsewhere, neither is one between agreed delimiters or line ends: no syntax."""
    ends = rf"(?:{re.escape(delimiter)}|[\r\n])"
    if re.fullmatch(PLAIN if at_home else rf"{ends}*{PLAIN}(?:{ends}.*)?", field, re.DOTALL):
        return False
    if at_home and field[:1] in ("\t", "\r", "\n"):
        return True
    seen = field.lstrip("".join(character for character in set(field) if is_unseen(character)))
    return unicodedata.normalize("NFKC", seen[:1]).replace("\u2212", "-")[:1] in ("=", "+", "-", "@")


def is_unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp")
