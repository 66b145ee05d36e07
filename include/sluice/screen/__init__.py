"""Free text of agents: what no note may hold (cards, health, identifiers) is found, told and masked."""
