"""Chronotope: verified spatio-temporal instruction data from footage.

The public face; importing it loads nothing heavy.
"""

__version__ = "0.1.0"
