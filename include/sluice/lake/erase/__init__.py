"""Records taken out of a file of any format, all others left as they are."""
