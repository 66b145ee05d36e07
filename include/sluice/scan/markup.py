"""Joins the runs of rich text, because a name may be split over several tags."""

import re

RUN_TAG = re.compile(
    rb"</?(?:[A-Za-z0-9]+:)?(?:r|t|rPr|rPh|rFont|rFonts|b|bCs|i|iCs|u|s|sz|szCs|strike|color|family|charset|scheme"
    rb"|vertAlign|lang|latin|ea|cs|solidFill|srgbClr|schemeClr|phoneticPr|span|em|strong|font|a|proofErr|noProof"
    rb"|bookmarkStart|bookmarkEnd)(?:\s[^<>]*)?/?>|<!--[^<]*?-->|<!\[CDATA\[|\]\]>",
)
"""Tags inside one text of SpreadsheetML, WordprocessingML, DrawingML and HTML; all others part two texts."""
HAS_RUNS = re.compile(rb"<(?:[A-Za-z0-9]+:)?(?:r|span|b|i|em|strong|font|a)[\s>]|<!--|<!\[CDATA\[")


def joined_runs(content: bytes) -> bytes | None:
    """The markup without the tags of runs; None where it has none."""
    return RUN_TAG.sub(b"", content) if HAS_RUNS.search(content) else None
