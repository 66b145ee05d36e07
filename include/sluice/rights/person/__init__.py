"""The person of a request: sealed identifiers, the principals that know them, and what is right about them."""
