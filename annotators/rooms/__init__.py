"""Rooms drawn from a seed: what stands in them, how the camera walks, first hits of rays, and the exact truth of all of it."""
