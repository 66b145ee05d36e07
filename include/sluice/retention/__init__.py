"""Delete copies on their day, with proof: by their rule, or as the agreement ended. A legal hold stops it."""
