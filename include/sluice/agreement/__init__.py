"""Agreements, contracts, suites and mappings: papers in git, checked, and activated by hash with two times."""
