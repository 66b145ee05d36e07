"""Golden files: what a person is shown, whole; ``SLUICE_GOLDEN=1`` writes them anew, and git shows the change."""

import os
from pathlib import Path


def same_as_golden(path: Path, text: str) -> None:
    """Fails unless the file holds just this text; a file that is not there is a failure too."""
    if os.environ.get("SLUICE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"{path} is missing; SLUICE_GOLDEN=1 writes it"
    assert text == path.read_text(encoding="utf-8")
