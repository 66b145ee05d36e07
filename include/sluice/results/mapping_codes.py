"""Every code for problems in a mapping file: the numbers shared by all papers, and those of this room."""

from sluice.agreement.codes import CODES, Code

_OWN = (
    ("020", "a column needs exactly one source", "give one of column, first_of, joined, cell, family"),
    ("021", "the time zone does not exist", "use UTC, an IANA name such as Europe/Brussels, or offset"),
    (
        "022",
        "the timestamp format is not complete",
        "give %Y, month, %d, hour and %M in their order; no other directives than docs/how-to/add-a-platform.md lists",
    ),
    ("023", "format and zone contradict", "zone: offset goes with %z in the format, and only with it"),
    ("024", "a family needs latest_by", "name the family of last-attempt times under latest_by"),
    ("025", "the reading does not fit the column", "times have format and zone, durations have unit, texts neither"),
    ("026", "the field is not in the joined cell", "name one of the fields listed, each of them once"),
    ("027", "an extra column has a canonical name", "put it under columns, or give it another name"),
)

MAPPING_CODES: dict[str, Code] = {
    **{
        f"MAP-{code[4:]}": Code(f"MAP-{code[4:]}", one.rule, one.cure)
        for code, one in CODES.items()
        if "CON-000" < code < "CON-020"
    },
    "MAP-007": Code("MAP-007", "the file is no result mapping", "it begins with `platform:`"),
    **{f"MAP-{number}": Code(f"MAP-{number}", rule, cure) for number, rule, cure in _OWN},
}
