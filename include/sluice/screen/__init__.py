"""Screen the free text of agents: find, report and mask what no note may hold (cards, health, identifiers)."""
