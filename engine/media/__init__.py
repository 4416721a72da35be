"""Decoding, cutting and probing of media: every pixel and every sample of sound passes through here, once."""
