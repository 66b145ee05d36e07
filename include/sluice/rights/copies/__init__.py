"""Where copies of a person are: stores that find, erase and list them, and whose rows in them an erasure removes."""
