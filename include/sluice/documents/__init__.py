"""Pages for people: words in nl, fr and en, set as PDF."""
