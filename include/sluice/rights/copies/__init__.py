"""Where copies of a person are: stores that find, erase, read and list them, and whose rows an erasure removes."""
