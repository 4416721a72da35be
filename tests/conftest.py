"""Property tests draw the same cases on every machine, and a busy machine fails none of them."""

from hypothesis import settings

settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
