"""Tell the desk about alarms of the clock and other news, by log, mail and webhook."""
