"""Every code that making canonical rows can give, with one plain sentence."""

REASONS: dict[str, str] = {
    "HEADER_MISSING_COLUMN": "The export lacks a column that the mapping of its platform needs.",
    "VALUE_CONTACT_ID": "The platform's own id of the contact is missing.",
    "VALUE_RECORD_ID": "The principal's record id is missing, so the contact belongs to no record.",
    "VALUE_TIMESTAMP": "A timestamp cannot be read in the format that the mapping states.",
    "VALUE_TIMESTAMP_MISSING": "A timestamp that every contact needs is empty.",
    "VALUE_TIME_GAP": "A local time does not exist: clocks went forward over it.",
    "VALUE_TIME_TWICE": "A local time happened twice when clocks went back, and no offset tells which is meant.",
    "VALUE_DURATION": "A duration cannot be read in the unit that the mapping states.",
    "VALUE_JOINED_CELL": "A cell with several fields does not have as many as the mapping lists.",
    "VALUE_NO_CONTACT": "No attempt was made yet, so the row is no contact.",
}
