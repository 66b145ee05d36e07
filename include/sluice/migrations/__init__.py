"""Migrations: the tables of Sluice, one version after another."""
