"""What a request of a person is: states and guards, the clock, parts and letters, every step in one transaction."""
