"""Erasing a person: the plan and its release, execution in batches, the second scan, the certificate."""
