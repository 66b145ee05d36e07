"""The hash chain of what happened: appended by the database, verified without it."""
