"""Make the answer to a person: collect, decide per column, write the files, seal them. Access and portability.

None of this changes what is stored about the person. Anything that cannot be read stops it; an empty package is never
made.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sluice.answers import store
from sluice.answers.access import write_access
from sluice.answers.authority import Authority, assumed, authority_for_principal, authority_of
from sluice.answers.collect import collect, find_kept_out, search_everywhere
from sluice.answers.consents import with_consents
from sluice.answers.facts import Facts, Forwarded
from sluice.answers.files import Drafting
from sluice.answers.info import information_of
from sluice.answers.keep import keep, note_taken
from sluice.answers.model import (
    AnotherRight,
    AnswerKind,
    FolderTaken,
    Found,
    Made,
    NothingPortable,
    NothingToGive,
    OnePersonOnly,
)
from sluice.answers.portable import accepted_only, check_forms, only_portable, write_portability
from sluice.answers.select import select
from sluice.errors import Ref
from sluice.exchange.house import House
from sluice.exchange.workroom import private_folder
from sluice.rights.case import store as cases
from sluice.rights.case.clock import received_on
from sluice.rights.case.model import Actor, Case, CaseId, SubCaseId
from sluice.rights.copies.find import open_request
from sluice.rights.letters.facts import sender_of
from sluice.rights.person.envelope import Envelope
from sluice.rights.rescope import rescope

FORMS = ("csv", "json", "xlsx", "pdf")


@dataclass(frozen=True, slots=True)
class PackageWish:
    """How somebody wants a package.

    ``folder``: put it there in clear, too. ``language``: None for that of the case. ``only``: of one principal.
    """

    folder: Path | None = None
    language: str | None = None
    only: str | None = None
    forms: tuple[str, ...] = FORMS
    is_assumed: bool = False
    """Whether parts that the center has not decided yet count as to be given, to see what that would give."""
    to_principal: bool = False
    """Whether it is for a principal itself, with what that principal decides on."""


def make(
    house: House, case_id: CaseId, kind: AnswerKind, now: datetime, actor: Actor, wish: PackageWish | None = None
) -> Made:
    """Make the package of a case, sealed in the vault and, if a folder is named, also in clear there.

    Raises AnotherRight, OnePersonOnly, NothingToGive, NothingPortable (with every field's reason), FolderTaken,
    ErasedMeanwhile, and what collecting raises.
    """
    wish = wish or PackageWish()
    check_forms(wish.forms)
    case, envelope = open_request(house, case_id)
    check_case(case, kind)
    if not is_known(case):
        raise NothingToGive(Ref("case", case_id), Ref("identity", "not settled"))
    if wish.folder is not None and wish.folder.exists():
        raise FolderTaken(Ref("option", "--folder"))
    since = store.find_moment(house.conn)
    case = rescope(house, case, envelope, now)
    facts = gather(house, case, envelope, kind, now, wish)
    parts = answered(facts)
    was_refused = any(authority.reasons for authority in facts.authorities.values())
    if kind is AnswerKind.PORTABILITY and not facts.selected.tables and (parts or was_refused):
        raise nothing_of(facts)
    if not parts:
        raise NothingToGive(Ref("case", case_id))
    with private_folder(house) as room:
        draft = Drafting(room / "package", facts.language)
        draft.folder.mkdir(mode=0o700)
        if kind is AnswerKind.ACCESS:
            write_access(draft, facts)
        else:
            write_portability(draft, facts, wish.forms)
        files = draft.finish()
        answer = keep(house, facts, draft.folder, files, parts, actor, since=since, only=wish.only)
        if wish.folder is not None:
            note_taken(house, answer, actor.name, now)
            _hand_out(draft.folder, wish.folder)
    return Made(answer, files, facts.selected.fields, facts.stores)


def foresee(house: House, case_id: CaseId, kind: AnswerKind, now: datetime) -> Facts:
    """Return what an answer would say if the center gave all it may. Changes nothing. Raises as :func:`make`."""
    case, envelope = open_request(house, case_id)
    check_case(case, kind)
    return gather(house, case, envelope, kind, now, PackageWish(is_assumed=True))


def gather(house: House, case: Case, envelope: Envelope, kind: AnswerKind, now: datetime, wish: PackageWish) -> Facts:
    """Gather everything that an answer says, read and decided; nothing is written yet."""
    found = tuple(collect(house, case, envelope, wish.only))
    if wish.is_assumed:
        found = tuple(replace(each, parts=tuple(assumed(part, kind) for part in each.parts)) for each in found)
    if kind is AnswerKind.PORTABILITY:
        found = tuple(accepted_only(each) for each in found)
    steps = cases.list_steps(house.conn, case.case_id)
    authorities = {
        each.principal: authority_for_principal(case, each.principal, kind.action)
        if wish.to_principal
        else authority_of(each.parts, steps, kind.action)
        for each in found
    }
    selected = select(found, authorities)
    selected = (
        only_portable(selected) if kind is AnswerKind.PORTABILITY else with_consents(selected, found, authorities)
    )
    settings = house.settings
    return Facts(
        case=case,
        kind=kind,
        language=wish.language or case.language,
        made_at=now,
        sender=sender_of(house, now),
        found=found,
        authorities=authorities,
        information=tuple(
            information_of(each, authorities[each.principal], settings.center)
            for each in found
            if authorities[each.principal].given
        ),
        selected=selected,
        forwarded=tuple(_forwarded(house, found, authorities)),
        stores=tuple(count for each in found for count in each.stores) or search_everywhere(house, case, envelope),
        kept_out=() if wish.only or wish.to_principal else find_kept_out(house, case, envelope),
    )


def _forwarded(house: House, found: Iterable[Found], authorities: Mapping[str, Authority]) -> Iterator[Forwarded]:
    """Yield what went to the principals that answer it themselves."""
    for each in found:
        for part in authorities[each.principal].forwarded:
            if part.forwarded_at is not None:
                entry = store.find_forwarded(house.conn, part.sub_case_id, part.chain)
                yield Forwarded(each.company, received_on(part.forwarded_at), entry)


def answered(facts: Facts) -> Sequence[SubCaseId]:
    """Return the parts that this package answers; if nobody knew the person, also the one that was decided then."""
    nobody = [part for part in facts.case.sub_cases if part.agreement_id is None]
    given = [part for each in facts.found for part in facts.authorities[each.principal].given]
    return [part.sub_case_id for part in [*given, *authority_of(nobody, (), facts.kind.action).given]]


def nothing_of(facts: Facts) -> NothingPortable:
    """Say why nothing of a case may be taken along, by column, and which parts were to be given all the same."""
    fields = facts.selected.fields
    given = (part for each in facts.found for part in facts.authorities[each.principal].given)
    refs = (Ref("case", facts.case.case_id), Ref("fields", len(fields)))
    return NothingPortable(*refs, fields=fields, parts=tuple(given))


def is_known(case: Case) -> bool:
    """Whether it is settled who asks: nothing about a person is prepared for anybody else."""
    return case.is_scoped and not case.has_failed_identity


def check_case(case: Case, kind: AnswerKind) -> None:
    """Check that a case asks for this kind of answer, for one person. Raises AnotherRight, OnePersonOnly."""
    if case.right is not kind.right:
        raise AnotherRight(Ref("case", case.case_id), Ref("right", case.right.value))
    if case.persons != 1:
        raise OnePersonOnly(Ref("case", case.case_id), Ref("persons", case.persons))


def _hand_out(source: Path, target: Path) -> None:
    """Copy the finished folder for its owner's eyes only: all of it is there, or nothing. Raises FolderTaken."""
    beside = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        beside.mkdir(parents=True, mode=0o700)
        for path in sorted(each for each in source.rglob("*") if each.is_file()):
            copy = beside / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            copy.touch(mode=0o600)
            shutil.copyfile(path, copy)
        if target.exists():
            raise FolderTaken(Ref("option", "--folder"))
        beside.rename(target)
    except OSError:
        raise FolderTaken(Ref("option", "--folder")) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
