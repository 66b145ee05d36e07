"""The reasons for which requests about a case, its letters and its persons are refused."""

from typing import ClassVar

from sluice.errors import Exit, NotFound, SluiceError


class TransitionRefused(SluiceError):
    """A step that the table does not have, or one whose guards do not all hold. Every guard that fails is named."""

    code: ClassVar[str] = "SLU-521"
    summary: ClassVar[str] = "the case cannot take this step"
    cure: ClassVar[str] = "`sluice case show` says where it stands; docs/explanation/cases.md has every step and guard"
    exit: ClassVar[Exit] = Exit.REFUSED


class MaterialGone(SluiceError):
    """The sealed material of a closed case was removed, so nobody can tell any more who the case was about."""

    code: ClassVar[str] = "SLU-563"
    summary: ClassVar[str] = "what was sealed of this case was removed"
    cure: ClassVar[str] = "its steps, hashes and certificate are there: `sluice case show`; a new request is a new case"
    exit: ClassVar[Exit] = Exit.REFUSED


class CaseNotTidied(SluiceError):
    """A case whose sealed material has to stay. The words of ``Ref("because", ...)`` are those of :class:`Keeps`."""

    code: ClassVar[str] = "SLU-564"
    summary: ClassVar[str] = "what is sealed of this case has to stay"
    cure: ClassVar[str] = "`sluice case show`: it goes some time after the case is closed and nothing of it stands open"
    exit: ClassVar[Exit] = Exit.REFUSED


class LetterNotDue(SluiceError):
    """A letter that has nothing to say yet, or nobody to say it to."""

    code: ClassVar[str] = "SLU-571"
    summary: ClassVar[str] = "there is nothing to write such a letter about"
    cure: ClassVar[str] = "`sluice case show` says what was decided and done; a withdrawn request gets no letters"
    exit: ClassVar[Exit] = Exit.REFUSED


class PrincipalUnknown(NotFound):
    """A principal that no agreement ever named. Its name is not repeated: it may be a value in the wrong place."""

    code: ClassVar[str] = "SLU-524"
    summary: ClassVar[str] = "no agreement names this principal"
    cure: ClassVar[str] = "check its code; `sluice agreement list` shows the agreements"


class RequestIdReused(SluiceError):
    """A client sent its own number of a request again, with other content."""

    code: ClassVar[str] = "SLU-525"
    summary: ClassVar[str] = "the number of a request came again with another content"
    cure: ClassVar[str] = "give every request a number of its own; repeat one only with the same content"
    exit: ClassVar[Exit] = Exit.REFUSED


class IdentifierInvalid(SluiceError):
    """An identifier that names nobody. The error says at which place it stood, never what it was."""

    code: ClassVar[str] = "SLU-522"
    summary: ClassVar[str] = "an identifier names nobody"
    cure: ClassVar[str] = "give KIND:VALUE with kind phone, email, customer, national_number or iban"
    exit: ClassVar[Exit] = Exit.USAGE


class NumberOfSeveral(SluiceError):
    """A customer number that several principals know, so it may belong to several persons. Names its place only."""

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
    """The file of a key was there before and is gone. No instruction of its principal is judged until it is back."""

    code: ClassVar[str] = "SLU-573"
    summary: ClassVar[str] = "the key of a principal's instructions is gone"
    cure: ClassVar[str] = "put `instruction-key.pem` back beside its agreement; its instructions wait and are read then"
