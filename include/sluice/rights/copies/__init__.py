"""Where copies of a person are: stores that find, erase and list, and whose rows in them an erasure takes."""
