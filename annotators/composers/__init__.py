"""Composers: media made from material or from a seed, with their truth; one file each."""
