"""Errors for a suite, a contract's quality entry or a pass that cannot be used: SLU-43x.

Those about suites and contracts are raised while papers are loaded. Judging a file never ends in one of these errors:
a judgement is a value (``judge.py``).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sluice.errors import DocumentInvalid, Ref, SluiceError

_BOUND = 'a number, or a date as "2024-12-31", by the kind; the lower bound not above the upper'
TAKES = {
    **dict.fromkeys(("min_value", "max_value"), _BOUND),
    **dict.fromkeys(("strict_min", "strict_max", "or_equal", "exact_match"), "true or false"),
    **dict.fromkeys(("column_set", "column_list"), "a list of names, each once"),
    **dict.fromkeys(("column", "column_A", "column_B"), "the name of a column of the contract, in quotes"),
    **dict.fromkeys(("value", "column_index"), "a whole number"),
    "severity": "critical, warning or info",
    "mostly": "a number from 0 to 1",
    "meta.rule": "a name that no other expectation of the suite has: letters, digits, . _ -",
    "regex": "a pattern that Python reads, at most 1,000 characters",
    "regex_list": "a list of patterns that Python reads",
    "match_on": "any or all",
    "value_set": "a list of texts, or of numbers",
    "strftime_format": "a format with directives such as %d/%m/%Y",
    "row_condition": "a mapping by the grammar of docs/reference/expectations.md",
}
"""What an option of an expectation takes, for people."""


class SuiteUnreadable(DocumentInvalid):
    code = "SLU-431"
    summary = "a suite file is not a Great Expectations suite in JSON"
    cure = "write one JSON object in UTF-8 with `name` and `expectations`, each with `type` and `kwargs`; no key twice"


class KindRefused(DocumentInvalid):
    code = "SLU-432"
    summary = "an expectation is not on the closed list"
    cure = "use a kind listed in expectations/README.md; others could run code, SQL or show values"


class OptionRefused(DocumentInvalid):
    code = "SLU-433"
    summary = "an expectation has an option that is not allowed"
    cure = (
        "remove it: no row_condition as text, condition_parser, result_format, include_unexpected_rows or suite "
        "parameters"
    )


class OptionInvalid(DocumentInvalid):
    code = "SLU-434"
    summary = "an option of an expectation is missing or has a value that cannot be used"
    cure = "compare it with expectations/README.md"

    @property
    def own_cure(self) -> str:
        takes = next((TAKES.get(str(ref.value)) for ref in self.refs if ref.kind == "option"), None)
        return f"it takes {takes}; see expectations/README.md" if takes else self.cure


class TypeMismatch(DocumentInvalid):
    code = "SLU-435"
    summary = "an expectation compares text with a number or a date"
    cure = "declare the column's logicalType in the contract (number, integer, date, timestamp), or quote the values"


class QualityRefused(DocumentInvalid):
    code = "SLU-436"
    summary = "a quality entry of a contract cannot be judged"
    cure = (
        "use nullValues, missingValues, invalidValues, duplicateValues, rowCount or a custom greatExpectations "
        "entry with an upper limit (mustBe 0, mustBeLessThan, ...); `sql` is not judged yet"
    )


class ColumnUnknown(DocumentInvalid):
    code = "SLU-437"
    summary = "an expectation names a column that the contract does not have"
    cure = "add the column with its roles to the contract, or correct the name"


class PassUnreadable(SluiceError):
    code = "SLU-438"
    summary = "the counts of the judging process cannot be read"
    cure = "the exchange is UNDECIDED; run `sluice gate run FILE --dry-run` on the file to see why"


class CheckUnsupported(SluiceError):
    code = "SLU-439"
    summary = "a rule cannot be computed on a column of this type"
    cure = "use a text kind on text and a range on numbers or dates"


class RulesInvalid(DocumentInvalid):
    """Several faults of the rules and suites of a contract; each is told on a line of its own, in their order."""

    code = "SLU-440"
    summary = "several rules or expectations cannot be judged"
    cure = "do what each says, on a line of its own"

    def __init__(self, *faults: DocumentInvalid) -> None:
        super().__init__(Ref("faults", len(faults)))
        self.faults = faults
        self.args = ("\n".join((self.args[0], *map(str, faults))),)


def faults_of(error: DocumentInvalid) -> tuple[DocumentInvalid, ...]:
    """The faults that an error is about, one by one."""
    return error.faults if isinstance(error, RulesInvalid) else (error,)


class Faults:
    """What is wrong so far, so that one mistake does not hide the next."""

    def __init__(self) -> None:
        self._found: list[DocumentInvalid] = []

    def add(self, *faults: DocumentInvalid) -> None:
        """Note faults that nobody raised."""
        self._found += faults

    @contextmanager
    def noted(self, *where: Ref) -> Iterator[None]:
        """Note the faults that the block raises, with where it looked, and go on after it."""
        try:
            yield
        except DocumentInvalid as error:
            self._found += [type(each)(*where, *each.refs) for each in faults_of(error)]

    def check(self) -> None:
        """Raises the one fault, or RulesInvalid for several."""
        if self._found:
            raise self._found[0] if len(self._found) == 1 else RulesInvalid(*self._found)
