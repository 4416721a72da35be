"""Annotators that look at frames."""
