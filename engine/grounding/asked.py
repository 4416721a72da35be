"""What a description speaks about, and so who can look for it: quoted words, the camera, a moving thing, sound, or a picture.

A localiser that cannot tell anything about a description must not be asked: its best place would be noise. `the camera pans
to the left` is for the motion of the picture alone, `a sign reads “OPEN”` for writing alone; `a red ball rolls down a hill`
is for pictures, motion, descriptions and, since people talk about what they show, for speech. English only, by patterns;
what they do not understand is looked for by everybody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from ...schemas.matching import content_words, quoted_parts
from ...schemas.motion_phrases import typed_motion

Way = Literal["left", "right", "up", "down"]
Voice = Literal["speech", "no_speech"]
Transition = Literal["dissolve", "cut", "fade"]

_SIDE = r"(?P<side>left|right|up|down)(?:wards?)?\b"
_CAMERA_WAY = re.compile(
    rf"\b(?:camera|view|shot)\b[^.]*?\b(?P<verb>pans?|panning|whips?|whipping|tilts?|tilting|moves?|moving|turns?|turning|"
    rf"swings?|slides?|tracks?|trucks?|travels?|cranes?|pedestals?)\b[^.]*?\b{_SIDE}",
    re.IGNORECASE,
)
_BARE_WAY = re.compile(
    rf"^(?:a\s+)?(?:slow\s+|fast\s+|quick\s+)?(?P<verb>pans?|tilts?|whip(?:\s+pan)?s?)\s+(?:to\s+(?:the\s+)?)?{_SIDE}",
    re.IGNORECASE,
)
_ZOOM_IN = re.compile(
    r"\bzoom(?:s|ing)?\s+in\b|\b(?:camera|view)\b[^.]*\b(?:pushes|dollies|moves)\s+(?:in|closer|forwards?)\b", re.I
)
_ZOOM_OUT = re.compile(
    r"\bzoom(?:s|ing)?\s+out\b|\b(?:camera|view)\b[^.]*\b(?:pulls|dollies|moves)\s+(?:out|back|away|backwards?)\b", re.I
)
_TOWARDS = re.compile(r"\bcamera\b[^.]*\bmoves\s+(?:\w+ly\s+)?(?:towards?|closer\s+to|into)\b", re.IGNORECASE)
_ROLL = re.compile(
    r"\b(?:camera|view|picture)\b[^.]*\b(?:rolls?|rolling|rotates?|rotating|spins?)\b[^.]*?\b(?P<counter>counter|anti)?-?\s?clockwise\b",
    re.I,
)
_STATIC = re.compile(
    r"\b(?:camera|view|shot)\b[^.]*\b(?:static|(?:stays|is|remains|keeps|holds)\s+(?:completely\s+)?(?:still|steady|fixed))\b",
    re.I,
)
_FOLLOWS = re.compile(
    rf"\bcamera\s+(?:follows|tracks)\s+(?P<thing>.+?)(?:\s+(?:to\s+(?:the\s+)?)?{_SIDE})?$", re.IGNORECASE
)
_MOVER = re.compile(
    r"^(?P<thing>.+?)\s+(?P<motion>(?:is\s+|keeps\s+)?(?:moves?|moving|goes|going|slides?|sliding|drifts?|drifting|travels?|"
    r"travelling|glides?|gliding|floats?|floating|flies|flying|rises|rising|falls|falling|sinks|sinking|ascends|descends|"
    r"rolls|runs|drives|walks)\b.*)$",
    re.IGNORECASE,
)
_MOVER_WAY = re.compile(rf"\b(?:to(?:wards?)?\s+(?:the\s+)?)?{_SIDE}|\b(?P<rise>ris(?:es|ing)|ascends)|\b(?P<fall>falls|falling|sinks|sinking|descends)", re.I)  # fmt: skip
_READS = re.compile(
    r"\b(?:sign|caption|title|text|writing|lettering|words?|label|poster|banner|screen|subtitle)s?\b|\breads?\b|\bwritten\b",
    re.I,
)
_SAYS = re.compile(
    r"\b(?:says?|said|saying|tells?|asks?|answers?|shouts?|whispers?|voice|speaks?|narrator|speaker|words\s+are\s+spoken|hear[sd]?)\b",
    re.I,
)
_NO_VOICE = re.compile(r"\b(?:nobody|no\s+one|no-one|nothing)\s+(?:speaks|is\s+speaking|talks|is\s+talking|says|is\s+said)|\bno\s+(?:speech|voice)|\bspeech\s+pauses?|\bpause\s+in\s+(?:the\s+)?speech", re.I)  # fmt: skip
_VOICE = re.compile(r"^(?:some(?:one|body)|a\s+(?:man|woman|person|voice|narrator|speaker)|the\s+(?:narrator|speaker|voice))\s+(?:is\s+)?(?:speaks?|speaking|talks?|talking|narrat\w+)\W*$|^(?:speech|talking|narration|a\s+voice(?:\s+is\s+heard)?)\W*$", re.I)  # fmt: skip
_SOUNDS: tuple[tuple[str, str], ...] = (
    ("silence", r"\b(?:silence|silent|quiet|no\s+sound|muted?)\b"),
    ("tone", r"\b(?:beeps?|tones?|hum(?:s|ming)?|whistles?|ring(?:s|ing)|note)\b"),
    ("onset", r"\b(?:clicks?|knock(?:s|ing)?|bang(?:s|ing)?|clap(?:s|ping)?|thuds?|hits?|snap|pops?|crash(?:es)?)\b"),
    ("loud", r"\b(?:loud(?:er|ly)?|roar(?:s|ing)?|explosion|noise|applause|cheer(?:s|ing)?)\b"),
    ("music", r"\b(?:music|song|melody|plays?\s+the\s+\w+|instrument)\b"),
)
_TRANSITIONS: tuple[tuple[Transition, str], ...] = (
    ("dissolve", r"\bdissolv\w+|\bcross-?fad\w+|\bfades?\s+into\s+another"),
    ("fade", r"\bfad(?:es?|ing)\s+(?:to|from)\s+black|\bblack\s+(?:screen|picture|frame)|\bpicture\s+(?:is|goes)\s+black"),
    ("cut", r"\b(?:hard\s+)?cuts?\s+to\b"),
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A description, read. `plain` is what remains for pictures, descriptions and speech: the whole text where nothing special
    was understood, the moving thing of a movement, nothing of a mere quotation.
    """

    text: str
    quoted: tuple[str, ...] = ()
    in_writing: bool = False
    in_speech: bool = False
    camera: str | None = None
    """Camera motion as in `CAMERA_LABELS`."""
    whip: bool = False
    follows: bool = False
    way: Way | None = None
    """Direction in which a thing moves over the ground."""
    sounds: tuple[str, ...] = ()
    voice: Voice | None = None
    transition: Transition | None = None
    plain: str = ""
    words: tuple[str, ...] = field(default=())
    """Content words of `plain`."""


@lru_cache(maxsize=4096)
def asked(text: str) -> Asked:
    """Read a description."""
    quoted = tuple(quoted_parts(text))
    bare = re.sub(r"“[^”]*”|\"[^\"]*\"", " ", text)
    reads, says = bool(_READS.search(bare)), bool(_SAYS.search(bare))
    camera, whip, follows, thing, way = _camera(bare)
    transition = next((name for name, pattern in _TRANSITIONS if re.search(pattern, bare, re.I)), None)
    voice: Voice | None = "no_speech" if _NO_VOICE.search(bare) else "speech" if _VOICE.search(bare.strip()) else None
    sounds = tuple(name for name, pattern in _SOUNDS if re.search(pattern, bare, re.I))
    if camera is None and thing is None and (moved := _MOVER.match(bare.strip())):
        way = _way(moved["motion"])
        thing = moved["thing"] if way else None
    plain = "" if quoted or transition or voice or (camera and thing is None) else thing or text
    if quoted and not (reads or says):
        reads = says = True
    return Asked(
        text, quoted, reads and bool(quoted), says and bool(quoted), camera, whip, follows, way,
        sounds, voice, transition, plain, content_words(plain) if plain else (),
    )  # fmt: skip


def _camera(text: str) -> tuple[str | None, bool, bool, str | None, Way | None]:
    """(camera motion, whip, follows, thing that is followed, its way)."""
    if match := _FOLLOWS.search(text.strip()):
        way = _side(match)
        pan = {"left": "pan_left", "right": "pan_right", "up": "tilt_up", "down": "tilt_down"}.get(way or "")
        return pan, False, True, match["thing"], way
    if match := _ROLL.search(text):
        return ("roll_ccw" if match["counter"] else "roll_cw"), False, False, None, None
    if _ZOOM_IN.search(text):
        return "zoom_in", False, False, None, None
    if _ZOOM_OUT.search(text):
        return "zoom_out", False, False, None, None
    match = _CAMERA_WAY.search(text) or _BARE_WAY.match(text.strip())
    if match is None and _TOWARDS.search(text):
        return "zoom_in", False, False, None, None
    if match:
        side = _side(match)
        label = {"left": "pan_left", "right": "pan_right", "up": "tilt_up", "down": "tilt_down"}[str(side)]
        return label, match["verb"].lower().startswith("whip"), False, None, None
    return ("static" if _STATIC.search(text) else None), False, False, None, None


def _side(match: re.Match[str]) -> Way | None:
    side = match["side"]
    return side.lower() if side else None  # type: ignore[return-value]


def _way(motion: str) -> Way | None:
    typed = typed_motion(motion)
    if typed and typed.startswith("moves "):
        return typed.split()[1]  # type: ignore[return-value]
    match = _MOVER_WAY.search(motion)
    if match is None:
        return None
    return "up" if match["rise"] else "down" if match["fall"] else _side(match)
