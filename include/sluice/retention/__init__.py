"""Copies whose day has come go, with proof: by their rule, or because the agreement ended. A legal hold stops it."""
