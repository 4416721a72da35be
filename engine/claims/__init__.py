"""Atomic claims of captions, and the rules that say what recorded speech, writing, objects and times have to say to them."""
