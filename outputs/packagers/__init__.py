"""One module per package format."""
