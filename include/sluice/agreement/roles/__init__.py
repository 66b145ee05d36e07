"""Roles of the parties for every field: profiles, the role matrix, what could be contested, and its sign-off."""
