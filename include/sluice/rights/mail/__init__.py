"""Mail about notices and the clock: what is owed, written and sent at least once."""
