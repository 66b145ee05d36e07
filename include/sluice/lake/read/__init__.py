"""Files of principals read in bounds: which format and dialect, packed and sealed ones, into columns of text."""
