"""What principals and recipients are told (GDPR Art. 19), by file and by hand, and what they answer."""
