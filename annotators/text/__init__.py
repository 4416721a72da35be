"""Annotators of written text: subtitles and captions."""
