"""Pages for people: texts in nl, fr and en, typeset as PDF."""
