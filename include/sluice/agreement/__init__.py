"""Agreements, contracts, suites and mappings: papers in git that are checked, and activated by hash with two times."""
