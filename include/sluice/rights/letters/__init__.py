"""Letters to the person: what they say, how they look, when they are had."""
