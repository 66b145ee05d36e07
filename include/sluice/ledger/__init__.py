"""The hash chain that records what happened: the database appends to it; verifying does not rely on the database."""
