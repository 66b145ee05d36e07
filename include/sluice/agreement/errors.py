"""Errors for a paper, a name or a file of a principal that cannot be used. No message quotes a cell."""

from sluice.agreement.model import Problem
from sluice.errors import DocumentInvalid, Exit, Ref, SluiceError


class PaperInvalid(DocumentInvalid):
    """An agreement or contract that does not load; ``problems`` holds every finding."""

    code = "SLU-441"
    summary = "an agreement or contract cannot be used"

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        first = problems[0]
        super().__init__(
            Ref("file", first.path), Ref("line", first.line), Ref("rule", first.code), Ref("problems", len(problems))
        )


class PrincipalNameInvalid(SluiceError):
    code = "SLU-442"
    summary = "that is no name for a principal"
    cure = "use lower-case letters, digits and hyphens, starting with a letter or digit, at most 63"
    exit = Exit.USAGE


class FileRefused(SluiceError):
    """A file that cannot be read as a table; its reason is a code of the refusal contract."""

    code = "SLU-443"
    summary = "the file cannot be read as a table"
    cure = "see the reason in docs/errors.md; with a contract, `sluice gate run --dry-run` says more"
    exit = Exit.REFUSED


class FileUndecided(SluiceError):
    """A file that reads as a table in more than one way."""

    code = "SLU-444"
    summary = "the file reads in more than one way"
    cure = (
        "see the reason in docs/errors.md. A delimiter or encoding in a contract written by hand is not guessed; of a "
        "workbook with several sheets, infer from a copy with the one sheet, and name it in the contract (`sheet`)"
    )
    exit = Exit.UNDECIDED


class ColumnNameUnfit(FileRefused):
    """A column name with a line break or a tab: a workbook may have one, but a contract names columns in one line."""

    code = "SLU-446"
    summary = "a column name has a line break or a tab"
    cure = "write it in one line in the file (in a workbook the break is Alt+Enter), and try again"
