"""Annotators that listen."""
