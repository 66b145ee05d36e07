"""The center's own staff: imported rosters and trainings, who was ready when, and who handled a contact."""
