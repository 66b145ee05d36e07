"""What a spreadsheet would run in a CSV file: a scanner that shares no code with the writer.

It opens the text as spreadsheets do: at the agreed delimiter and at each one that a program in
another country would take, quotes only where a field begins with one. A field is live when, without
what an import strips or does not show, it begins with ``= + - @`` in any width, or with TAB, CR, LF.
"""

import csv
import io
import re
import unicodedata

DELIMITERS = ",;\t|"
NUMBER = r"[+-]?[0-9]+(?:[.,][0-9]+)?"
PLAIN = rf"(?:{NUMBER}|\+[0-9][0-9 ]{{5,20}})"

ATTACKS = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+cmd|' /C calc'!A0",
    "-cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    '=HYPERLINK("http://127.0.0.1/?x="&A1,"click")',
    '=IMPORTXML(CONCAT("http://127.0.0.1/",A1),"//a")',
    '=WEBSERVICE("http://127.0.0.1/"&A1)',
    '=DDE("cmd";"/C calc";"!A0")',
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\u00a0=1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "\u00ad=1+1",
    "\x01=1+1",
    "\uff1d1+1",
    "\uff0b1+1",
    "\uff0d1+1",
    "\uff20SUM(A1)",
    "\u22121+A1",
    "+32475123456+A1",
    "+1 (555) 123",
    "-",
    "--1",
    "1;=1+1;2",
    "1,=1+1,2",
    "1\t=cmd|' /C calc'!A0\t2",
    "1|=1+1|2",
    "first line\n=1+1",
    "first line\r\n@SUM(A1)",
    'quoted,"=1+1",b',
    'x;"=1+1";y',
    "'=1+1",
    "''=1+1",
    "\t",
    "=",
    "+",
)
HARMLESS = (
    "-12,5", "+7", "-0.5", "12", "0032475123456", "+32475123456", "+32 475 12 34 56", "a=b", "1-2", "x@example.org",
    "it's", "'quoted'", "", " ", "'", "2026-11-24", "'t is goed", "C++", "\"said\"",
)  # fmt: skip


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
