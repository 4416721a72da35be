"""Composed worlds: pictures, voices and films that are drawn from a seed, so that their truth is exact."""
