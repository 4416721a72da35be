"""Property tests of this floor: the same examples on every run, no time limit per example."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "chronotope", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("chronotope")
