"""Where and when a file says that it was taken: container tags, QuickTime's and EXIF."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TIME_TAGS = ("com.apple.quicktime.creationdate", "creation_time", "date", "date_recorded", "icrd")
_PLACE_TAGS = ("com.apple.quicktime.location.iso6709", "location", "location-eng")
_NO_TIMES = ("1904-01-01", "1970-01-01", "0000")
"""Epochs that writers leave when they do not know the time."""
_ISO6709 = re.compile(r"^([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)")


def captured_at(tags: Mapping[str, str]) -> str | None:
    """Capture time as written in the container's tags; None when there is none, or an epoch's zero."""
    lower = {k.lower(): v.strip() for k, v in tags.items()}
    found = (lower[k] for k in _TIME_TAGS if lower.get(k))
    return next((value for value in found if not value.startswith(_NO_TIMES)), None)


def place(tags: Mapping[str, str]) -> tuple[float | None, float | None]:
    """(latitude, longitude) in degrees from an ISO 6709 tag, or (None, None)."""
    lower = {k.lower(): v.strip() for k, v in tags.items()}
    for tag in _PLACE_TAGS:
        match = _ISO6709.match(lower.get(tag, ""))
        if match:
            return _degrees(match[1], 2), _degrees(match[2], 3)
    return None, None


def still_tags(path: Path | str) -> tuple[str | None, float | None, float | None]:
    """(capture time, latitude, longitude) of a still picture from its EXIF data."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            exif = picture.getexif()
            taken = exif.get_ifd(0x8769).get(0x9003) or exif.get(0x0132)
            gps: Mapping[int, Any] = exif.get_ifd(0x8825)
    except OSError:
        return None, None, None
    return (str(taken) if taken else None), _sexagesimal(gps.get(2), gps.get(1)), _sexagesimal(gps.get(4), gps.get(3))


def _degrees(text: str, digits: int) -> float:
    """ISO 6709: +DD.D, +DDMM.M or +DDMMSS.S (three digits of degrees for longitudes)."""
    sign = -1.0 if text[0] == "-" else 1.0
    whole, _, fraction = text[1:].partition(".")
    parts = [whole[:digits], whole[digits : digits + 2], whole[digits + 2 :]]
    used = [p for p in parts if p]
    values = [float(p) for p in used]
    if fraction:
        values[-1] += float(f"0.{fraction}")
    return sign * sum(v / 60**i for i, v in enumerate(values))


def _sexagesimal(parts: Any, side: Any) -> float | None:
    if not parts:
        return None
    value = sum(float(p) / 60**i for i, p in enumerate(parts))
    return -value if str(side).upper() in ("S", "W") else value
