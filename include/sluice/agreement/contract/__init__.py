"""What a contract says about columns and their files, and what it would say about the columns of a given file."""
