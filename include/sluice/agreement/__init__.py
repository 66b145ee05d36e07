"""Agreements and contracts: papers in git that are checked, and activated by hash on a bi-temporal timeline."""
