"""The media layer: one decode per video and one per sound, fed to everybody who wants frames, pictures or
sound.

Times are seconds on the presentation clock (the first presented video frame is 0, the first sample for sound
alone), read from timestamps. Pictures are in display orientation with square pixels. `MEDIA_VERSION` enters
the fingerprint of every producer that reads media: raise it when the same file would give other times, pixels
or samples.
"""

MEDIA_VERSION = 2
