"""Tasks: annotators that write samples, each with its verifier."""
