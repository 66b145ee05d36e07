"""What a case, its letters and its persons can be refused for."""

from typing import ClassVar

from sluice.errors import Exit, NotFound, SluiceError


class TransitionRefused(SluiceError):
    """A step the table does not have, or a guard that does not hold; each guard is named."""

    code: ClassVar[str] = "SLU-521"
    summary: ClassVar[str] = "the case cannot take this step"
    cure: ClassVar[str] = "`sluice case show` says where it stands; docs/explanation/cases.md has every step and guard"
    exit: ClassVar[Exit] = Exit.REFUSED


class CaseTidied(SluiceError):
    """What was sealed of a closed case is gone, so nobody can say any more who it was about."""

    code: ClassVar[str] = "SLU-563"
    summary: ClassVar[str] = "what was sealed of this case was removed"
    cure: ClassVar[str] = "its steps, hashes and certificate are there: `sluice case show`; a new request is a new case"
    exit: ClassVar[Exit] = Exit.REFUSED


class CaseNotTidied(SluiceError):
    """A case whose sealed material has to stay. Words of ``Ref("because", ...)``: :class:`Keeps`."""

    code: ClassVar[str] = "SLU-564"
    summary: ClassVar[str] = "what is sealed of this case has to stay"
    cure: ClassVar[str] = "`sluice case show`: it goes some time after the case is closed and nothing of it stands open"
    exit: ClassVar[Exit] = Exit.REFUSED


class LetterNotDue(SluiceError):
    """A letter that has nothing to say yet, or no person to say it to."""

    code: ClassVar[str] = "SLU-571"
    summary: ClassVar[str] = "there is nothing to write such a letter about"
    cure: ClassVar[str] = "`sluice case show` says what was decided and done; a withdrawn request gets no letters"
    exit: ClassVar[Exit] = Exit.REFUSED


class PrincipalUnknown(NotFound):
    """A principal that no agreement ever named. Its word is not repeated: it may be a value in the wrong place."""

    code: ClassVar[str] = "SLU-524"
    summary: ClassVar[str] = "no agreement names this principal"
    cure: ClassVar[str] = "check its code; `sluice agreement list` shows the agreements"


class RequestIdReused(SluiceError):
    """A client's own number of a request came again and says something else."""

    code: ClassVar[str] = "SLU-525"
    summary: ClassVar[str] = "the number of a request came again with another content"
    cure: ClassVar[str] = "give every request a number of its own; repeat one only with the same content"
    exit: ClassVar[Exit] = Exit.REFUSED


class IdentifierInvalid(SluiceError):
    """An identifier that names nobody. Which one, by its place; never what it was."""

    code: ClassVar[str] = "SLU-522"
    summary: ClassVar[str] = "an identifier names nobody"
    cure: ClassVar[str] = "give KIND:VALUE with kind phone, email, customer, national_number or iban"
    exit: ClassVar[Exit] = Exit.USAGE


class NumberOfSeveral(SluiceError):
    """A customer number that several principals know: it may be of as many persons. Which one, by its place."""

    code: ClassVar[str] = "SLU-527"
    summary: ClassVar[str] = "several principals know this customer number, so it may be of several persons"
    cure: ClassVar[str] = (
        "say whose it is: `--identifier customer@PRINCIPAL:NUMBER` (over HTTP `principal` of the identifier), or "
        "address one principal with `--principal`"
    )
    exit: ClassVar[Exit] = Exit.USAGE


class SubjectUnreadable(SluiceError):
    """The sealed identifiers of a case cannot be opened, or are not what was sealed."""

    code: ClassVar[str] = "SLU-523"
    summary: ClassVar[str] = "the identifiers of a case cannot be opened"
    cure: ClassVar[str] = "restore the key `_cases` of SLUICE_KEYS_DIR, or the object in the vault"


class InstructionKeyMissing(SluiceError):
    """The file of a key that was there; until it is again, no instruction of its principal is judged."""

    code: ClassVar[str] = "SLU-573"
    summary: ClassVar[str] = "the key of a principal's instructions is gone"
    cure: ClassVar[str] = "put `instruction-key.pem` back beside its agreement; its instructions wait and are read then"
