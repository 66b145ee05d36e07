"""Letters to the person: what they say, how they look, and when the person has received them."""
