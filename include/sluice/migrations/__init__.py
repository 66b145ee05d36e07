"""The tables of Sluice, one version after another."""
