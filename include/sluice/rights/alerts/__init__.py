"""What the desk has to hear of: alarms of the clock and what is new, by log, mail and webhook."""
