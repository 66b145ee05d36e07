"""Papers in a folder: begun, skimmed, read, held against each other, and built into the frozen types."""
