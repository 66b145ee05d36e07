"""Contacts for agents: who may be called, for what, by which channel."""
