"""Take records out of a file of any format and leave all others as they are."""
