"""Table of tags: what kind of footage a medium is, under a named scheme, with the 18 video categories as the first one.

The names of the categories are those of VCGBench-Diverse (VideoGPT+, arXiv 2406.09418); what each takes in is said here in
the house's own words, and is what a model is told.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from .table import Column, Table

VIDEO_CATEGORIES: Mapping[str, str] = {
    "lifestyle": "daily life at home, fashion, health, hobbies and personal diaries",
    "how-to": "instructions for making, mending or doing something oneself, other than cooking",
    "science and technology": "experiments, nature explained, devices, engineering and computing",
    "news": "reports and commentary on current events, studio or on location",
    "travel": "places, landscapes, sights and journeys",
    "entertainment": "shows, games with an audience, celebrities, magic and variety",
    "film": "scenes, trailers and animations that tell an invented story",
    "sports": "training, matches and competitions",
    "comedy": "sketches, pranks and stand-up meant to make people laugh",
    "activism": "protests, campaigns, charity and public causes",
    "gaming": "recordings of video games and of people playing them",
    "education": "lessons, lectures and learning material",
    "surveillance": "fixed cameras that watch a place",
    "pets": "animals that live with people",
    "cooking": "preparing food and drink",
    "music": "performances, music videos and playing instruments",
    "automobile": "vehicles as the subject: reviews, repairs, races and rides",
    "traffic": "roads, junctions and what moves on them, dashboard cameras included",
}
"""The 18 categories and what each takes in."""
CATEGORY_SCHEME = "vcgbench_diverse"
"""Name of that scheme in `tags.scheme`."""

TAGS = Table(
    "tags",
    "A label of a medium under a scheme, such as its video category. The first label fits best.",
    (
        Column("scheme", pa.string(), "which set of labels: vcgbench_diverse (18 video categories)"),
        Column("label", pa.string(), "the label"),
        Column("position", pa.int64(), "0: fits best; 1: a second label that fits too"),
        Column("model", pa.string(), "model and revision"),
        Column("reason", pa.string(), "why, in words; what it names is listed in `named`"),
        Column("named", pa.list_(pa.string()), "rows that the reason names"),
        Column("request_hash", pa.string(), "the call that it came from"),
    ),
    ("media_id", "scheme", "position"),
)

TAG_TABLES = (TAGS,)
