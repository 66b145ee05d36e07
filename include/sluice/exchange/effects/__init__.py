"""What follows from a committed entry, at least once: receipts, deliveries, answers and dial lists put in place."""
