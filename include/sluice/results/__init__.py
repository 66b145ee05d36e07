"""Exports of contact-center platforms, read into one form."""
