"""Read call results, as contact-center platforms export them, into one canonical form."""
