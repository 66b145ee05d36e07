"""Who is in files and who must stay out: index runs, suppression, consent, corrections, keys of other datasets."""
