"""Returns: files of call results that go back to a principal. They are prepared, released, delivered, acknowledged."""
