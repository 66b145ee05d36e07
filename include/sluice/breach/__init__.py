"""Who is affected by a breach, who must be told, and by when (GDPR Art. 33, 34)."""
