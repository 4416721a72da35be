"""Clips and other spans of time."""
