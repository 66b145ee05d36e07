"""Whom a request is about: identifiers, sealed as given; which principals know them; what is right of them."""
