"""Our own people: imported rosters and trainings, who was ready when, who handled a contact."""
