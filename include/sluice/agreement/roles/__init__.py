"""Who is what for every field: the role profiles, their matrix, what could be contested, and who signed it off."""
