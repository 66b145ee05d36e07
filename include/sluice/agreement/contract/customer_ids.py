"""What customer numbers of a principal are compared without; all its contracts must say the same. Pure."""

from collections.abc import Iterator, Sequence

from sluice.agreement.contract.columns import custom, drafts
from sluice.agreement.contract.shape import CUSTOMER_ID_IGNORES
from sluice.agreement.document import Document, Found, Spot
from sluice.terms import CustomerIdIgnores, SubjectKind

DIFFERS, CHANGED = "076", "077"
Ignored = frozenset[CustomerIdIgnores]


def ignored_in(contract: Document) -> Ignored | None:
    """Return what a contract says; None if it says nothing and has no customer number either."""
    words = {each.text for each in place_of(contract)}
    kinds = {draft.word("subjectKey") for draft in drafts(contract, None)}
    if CUSTOMER_ID_IGNORES not in custom(contract.root) and SubjectKind.PRINCIPAL_CUSTOMER_ID not in kinds:
        return None
    return frozenset(each for each in CustomerIdIgnores if each in words)


def place_of(contract: Document) -> Spot:
    """Return the place where a contract says it, or would."""
    return custom(contract.root).get(CUSTOMER_ID_IGNORES, contract.root["customProperties"])


def told(ignored: Ignored) -> str:
    """Say it in the words of a contract."""
    return f"{CUSTOMER_ID_IGNORES} [{', '.join(sorted(ignored))}]"


def check_customer_ids(contracts: Sequence[Document]) -> Iterator[tuple[Document, Found]]:
    """Yield findings when the contracts of one principal do not all compare its customer numbers in the same way."""
    said = [(contract, ignored) for contract in contracts if (ignored := ignored_in(contract)) is not None]
    if len({ignored for _, ignored in said}) > 1:
        yield from ((contract, Found(place_of(contract), DIFFERS, told(ignored))) for contract, ignored in said)
