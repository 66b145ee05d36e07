"""Notices: what principals and recipients are told (GDPR Art. 19), by file or by hand, and what they answer."""
