"""Builders for papers of tests: the demo principal's own files, changed at one place."""

from dataclasses import dataclass
from pathlib import Path

PRINCIPALS = Path(__file__).resolve().parents[2] / "include" / "principals"
AGREEMENT = (PRINCIPALS / "energy01" / "agreement-3.0.0.yaml").read_text(encoding="utf-8")
OLD_AGREEMENT = (PRINCIPALS / "energy01" / "agreement-2.4.0.yaml").read_text(encoding="utf-8")
CONTRACT = (PRINCIPALS / "energy01" / "renewal_campaign.inbound.odcs.yaml").read_text(encoding="utf-8")
CONTRACT_NAME = "renewal_campaign.inbound.odcs.yaml"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One change to a paper: the code it must give, at the line of the ``nth`` time ``at`` stands there."""

    code: str
    old: str
    new: str
    at: str
    nth: int = 1

    def apply(self, text: str) -> str:
        assert self.old in text, self.old
        return text.replace(self.old, self.new, 1)

    def line(self, text: str) -> int:
        before = text.split(self.at)[: self.nth]
        return self.at.join(before).count("\n") + 1


def write_folder(root: Path, agreement: str = AGREEMENT, contract: str | None = CONTRACT) -> Path:
    """``root/energy01`` with one agreement and, unless None, one contract."""
    folder = root / "energy01"
    folder.mkdir(parents=True)
    (folder / "agreement-3.0.0.yaml").write_text(agreement, encoding="utf-8")
    if contract is not None:
        (folder / CONTRACT_NAME).write_text(contract, encoding="utf-8")
    return folder
