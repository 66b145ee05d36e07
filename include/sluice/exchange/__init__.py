"""The life of one file: opened before it is read, judged, kept, closed in one transaction; then its effects."""
