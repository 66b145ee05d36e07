"""Join the runs of rich text, because a name may be split over several tags."""

import re

RUN_TAG = re.compile(
    rb"</?(?:[A-Za-z0-9]+:)?(?:r|t|rPr|rPh|rFont|rFonts|b|bCs|i|iCs|u|s|sz|szCs|strike|color|family|charset|scheme"
    rb"|vertAlign|lang|latin|ea|cs|solidFill|srgbClr|schemeClr|phoneticPr|span|em|strong|font|a|proofErr|noProof"
    rb"|bookmarkStart|bookmarkEnd)(?:\s[^<>]*)?/?>|<!--[^<]*?-->|<!\[CDATA\[|\]\]>",
)
"""Tags inside a text of SpreadsheetML, WordprocessingML, DrawingML and HTML; all other tags separate texts."""
HAS_RUNS = re.compile(rb"<(?:[A-Za-z0-9]+:)?(?:r|span|b|i|em|strong|font|a)[\s>]|<!--|<!\[CDATA\[")


def joined_runs(content: bytes) -> bytes | None:
    """The markup without the tags of runs; None if it has no such tags."""
    return RUN_TAG.sub(b"", content) if HAS_RUNS.search(content) else None
