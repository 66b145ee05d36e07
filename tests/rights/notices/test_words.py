"""What a notice says of the file that answers it is how that file is read."""

import pytest

from sluice.documents.words import words
from sluice.rights.instruction_rules import NAME


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_a_forwarded_request_says_how_its_answer_is_named_and_what_it_holds(language: str) -> None:
    said = words(language).say("controller.FORWARDED")
    name = next(word for word in said.split() if word.startswith("instruction-"))

    assert NAME.fullmatch(name), "a file of this name is read as an instruction"
    assert [word for word in ("requests/", "`case`", "`decision`", "`decisions`") if word not in said] == []
    assert "instruction-" not in words(language).say("controller.WITHDRAWN"), "control: nothing is asked there"
