"""Kinds of the copies that an exchange leaves, as records, catalogue and stores of an erasure name them."""

ARRIVED = "arrived"
"""The file as it came."""
LAKE = "lake"
INDEX = "index"
"""References of who is in its accepted rows."""
REST = "index.rest"
"""References of who is in the file and not in the lake."""
FINDINGS = "findings"

REFUSED_FILE = "quarantine.file"
REFUSED_ROWS = "quarantine.rows"
REFUSED_RECORDS = "quarantine.records"
"""What is no row: nobody can tell from a column whose it is."""
HELD_ROWS = "quarantine.held"
"""Rows that wait for a person, or stay out for one."""

RETURN = "return"
HELD_BACK = "held"
"""Rows that a return does not give, with why."""
RETURN_FINDINGS = "return.findings"
DELIVERED = "delivered"
"""The file that its principal reads, with the bytes of the return that was kept."""

DIAL_KEPT = "dial.kept"
DIALLED = "dial"
"""The list that agents get, of the one that waited for its receipt."""

ANSWER_KEPT = "handed.kept"
"""The package for a controller, before its receipt."""
HANDED = "handed"

FOR_A_TIME = frozenset({ARRIVED, REST, REFUSED_FILE, REFUSED_ROWS, REFUSED_RECORDS, HELD_ROWS, DELIVERED})
"""What stays for days of the house at most: no law that requires storage keeps it, the data itself lies elsewhere."""
