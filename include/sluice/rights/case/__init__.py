"""Cases: requests of persons, with their states and guards, clock, parts and letters. Every step is one transaction."""
