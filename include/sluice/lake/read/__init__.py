"""Read files of principals within limits: find format and dialect, unpack, decrypt, and give columns of text."""
