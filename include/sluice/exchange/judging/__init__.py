"""One file judged in a limited process: what goes down to it, what it decides and leaves, what is believed of it."""
