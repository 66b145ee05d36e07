"""Papers in a folder: starting, skimming, reading and cross-checking them, and building the frozen types."""
