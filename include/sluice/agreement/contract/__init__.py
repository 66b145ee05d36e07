"""What a contract says of columns and of the files that have them, and what the columns of a file would have it say."""
