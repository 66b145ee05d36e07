"""Every command of a how-to is run, in its order, on an installation that holds what the page speaks of.

Some pages at a time, other ones with each commit; `make evidence` follows all of them.
"""

from pathlib import Path

import pytest

from handbook.commands import commands_of, pages
from handbook.ground import followed, standing
from handbook.grounds import PAGES
from handbook.left_out import LEFT_OUT
from support.copies import Copies
from support.effort import chosen

pytestmark = [pytest.mark.slow, pytest.mark.evidence, pytest.mark.timeout(900)]


@pytest.mark.parametrize("address", chosen(list(PAGES), 5), ids=lambda address: Path(address).stem)
def test_the_commands_of_a_page_do_what_it_says(address: str, copies: Copies, command: Path, tmp_path: Path) -> None:
    commands = commands_of(pages()[address].read_text(encoding="utf-8"))
    with standing(copies, tmp_path, command) as ground:
        wrong = followed(ground, PAGES[address], commands, tuple(LEFT_OUT.get(address, ())))

    assert commands and not wrong, "\n\n".join(wrong)
