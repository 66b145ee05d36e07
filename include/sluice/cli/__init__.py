"""The command `sluice`: parse, call one use case of a room, show."""
