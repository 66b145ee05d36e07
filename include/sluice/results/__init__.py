"""Read the exports of contact-center platforms into one canonical form."""
