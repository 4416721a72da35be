"""Importers: annotators that bring rows which somebody else made."""
