"""Objects: listed, got and put on conditions, version by version; what a server can do, and how it fails."""
