"""Migrations: the tables of Sluice, their owners and rights."""
