"""Contacts for agents: who may be contacted, for which purpose, over which channel."""
