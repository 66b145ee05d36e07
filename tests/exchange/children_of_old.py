"""Children that were taken over, where the kernel has no Landlock: what the worker itself then still refuses.

Run by tests/exchange/test_left.py in a real nursery, which imports this module first.
"""

import os
from pathlib import Path
from typing import Any

from sluice.exchange.judging.nursery import FIRST_CODE, ChildEnd
from sluice.kernel import deny

assert deny("landlock_create_ruleset")


def judge_and_link(job: dict[str, Any]) -> None:
    """Judge as ever; then a file of the worker stands where one of the report is, as ``job``'s folder says it."""
    from sluice.exchange.judging.child import judge_file

    judge_file(job)
    folder = Path(job["folder"])
    name, how = (folder.parents[1] / "evil").read_text().split()
    place = folder / name
    place.unlink(missing_ok=True)
    secret = folder.parents[1] / "secret"
    if how == "link":
        place.symlink_to(secret)
    elif how == "name":
        place.hardlink_to(secret)
    else:
        os.mkfifo(place)


def judge_and_talk(job: dict[str, Any]) -> None:
    """Fail, as a parser that was taken over does: the text of ``evil`` stands where type and place would."""
    folder = Path(job["folder"])
    (folder / "failure.txt").write_bytes((folder.parents[1] / "evil").read_bytes())
    os._exit(FIRST_CODE + list(ChildEnd).index(ChildEnd.FAILED))
