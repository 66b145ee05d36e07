"""One file judged in a limited process: what goes into it, what it decides and leaves, and how far that is believed."""
