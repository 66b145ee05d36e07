"""Mail about notices and the clock: which mails are owed, their text, and sending each at least once."""
