"""S3 objects: listing, reading and conditional writing, version by version; what a server supports and how it fails."""
