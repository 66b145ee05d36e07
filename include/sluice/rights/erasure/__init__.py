"""Erasing a person: the plan and its release, the work in batches, the second scan, the certificate."""
