"""Drawing text, boxes and arrows on a picture with Pillow, in the colours of Chronotope's cards.

The letters come from the font inside Pillow, so that a card looks the same on every machine. Characters that it lacks
come from a font of the system (DejaVu, Noto, Arial ...) where there is one; else accents are dropped, and what then
still is missing shows as a hollow box. The page beside the pictures has all text as text.
"""

from __future__ import annotations

import math
import re
import unicodedata
from functools import lru_cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

Rect = tuple[float, float, float, float]
"""Left, top, right, bottom in px; right and bottom are outside."""

PAPER, PANEL, LINE, INK, MUTED = "#ffffff", "#f4f6f9", "#d5dbe3", "#17202b", "#566374"
ANSWER, ANSWER_TINT = "#12805c", "#d3efe2"
EVIDENCE, EVIDENCE_TINT = "#b45f06", "#fbe6cb"
ASKED, ASKED_TINT = "#2563ab", "#dbe8f8"
SPEECH_TINT, TEXT_TINT, SHOT_TINTS = "#e7e0f6", "#d9ecf3", ("#dfe4eb", "#cbd3dd")
WRONG, WRONG_TINT = "#b3261e", "#fbe0dd"

_SYSTEM_FONTS = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf",
    "WenQuanYi Zen Hei.ttf", "wqy-zenhei.ttc", "NotoSansArabic-Regular.ttf", "NotoSansDevanagari-Regular.ttf",
    "Arial Unicode.ttf", "PingFang.ttc", "Arial.ttf", "msyh.ttc", "segoeui.ttf",
)  # fmt: skip
_PLAIN = str.maketrans({"–": "-", "—": "-", "−": "-", "•": "·", "×": "x", "→": ">", "\u00a0": " ", "‑": "-"})
_UNIT = re.compile(r"(?<=\d) s\b")
_NOTHING = "\uffff"
"""A character that no font has: it shows what a missing one looks like."""


def overlap(a: Rect, b: Rect) -> bool:
    """Whether two rectangles have pixels in common."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@lru_cache(maxsize=256)
def _font(which: int, size: int) -> Any:
    """Pillow's own font (0) or a font of the system; None when that is not installed."""
    if which == 0:
        return ImageFont.load_default(size)
    try:
        return ImageFont.truetype(_SYSTEM_FONTS[which - 1], size)
    except OSError:
        return None


@lru_cache(maxsize=8192)
def _font_of(character: str) -> int | None:
    """The first font that has the character."""
    if character.isspace() or unicodedata.combining(character):
        return 0
    for which in range(len(_SYSTEM_FONTS) + 1):
        font = _font(which, 16)
        if font is None:
            continue
        shown, missing = font.getmask(character), font.getmask(_NOTHING)
        if shown.size != missing.size or bytes(shown) != bytes(missing):
            return which
    return None


def _runs(text: str) -> list[tuple[int, str]]:
    """The text in pieces of one font each."""
    found: list[tuple[int, str]] = []
    for character in text.translate(_PLAIN):
        which = _font_of(character)
        if which is None:
            plain = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
            fits = bool(plain) and all(_font_of(c) == 0 for c in plain)
            character, which = (plain, 0) if fits else (character, 0)
        if found and (found[-1][0] == which or unicodedata.combining(character[0])):
            found[-1] = (found[-1][0], found[-1][1] + character)
        else:
            found.append((which, character))
    return found


def text_width(text: str, size: int) -> float:
    """Width of one line in px."""
    return math.fsum(_font(which, size).getlength(run) for which, run in _runs(text))


def clipped(text: str, width: float, size: int) -> str:
    """The text, cut with an ellipsis where it is wider than `width`; nothing when not even a letter fits."""
    text = text.replace("\n", " ")
    if text_width(text, size) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if text_width(text[:middle].rstrip() + "…", size) <= width else (low, middle - 1)
    return text[:low].rstrip() + "…" if low else ""


def wrapped(text: str, width: float, size: int, most: int = 6) -> list[str]:
    """Lines no wider than `width`, at most `most`; the last one says with an ellipsis that there is more. Seconds stay with their unit."""
    lines: list[str] = []
    for paragraph in text.replace("\t", " ").splitlines() or [""]:
        line = ""
        for word in _UNIT.sub("\u00a0s", paragraph).split(" "):
            if not word:
                continue
            while text_width(word, size) > width:  # a word longer than a line is broken
                room = clipped(word, width, size)[:-1] or word[0]
                if line:
                    lines.append(line)
                    line = ""
                lines.append(room)
                word = word[len(room) :]
            joined = f"{line} {word}" if line else word
            if line and text_width(joined, size) > width:
                lines.append(line)
                line = word
            else:
                line = joined
        if line:
            lines.append(line)
    lines = [line.replace("\u00a0", " ") for line in lines]
    if len(lines) > most:
        last = lines[most - 1]
        while last and text_width(f"{last} …", size) > width:
            last = last[:-1].rstrip()
        lines = [*lines[: most - 1], f"{last} …".strip()]
    return lines


def both_ends(text: str, width: float, size: int, most: int) -> list[str]:
    """Lines no wider than `width`; of long text, whose question may stand at the end, the first and the last ones."""
    if len(text) > 400 * most:
        text = f"{text[: 200 * most]}\n{text[-200 * most :]}"
    lines = wrapped(text, width, size, len(text) + 1)
    if len(lines) <= most:
        return lines
    first = most // 2
    return [*lines[:first], "…", *lines[first + 1 - most :]]


class Pen:
    """Draws on one RGB picture."""

    def __init__(self, picture: Image.Image) -> None:
        self.picture = picture
        self.draw = ImageDraw.Draw(picture)

    def text(self, x: float, y: float, text: str, size: int, colour: str = INK, *, bold: bool = False) -> float:
        """One line whose letters stand on the line `y + size`; where it ends."""
        for which, run in _runs(text):
            font = _font(which, size)
            for shift in (0.0, size / 32) if bold else (0.0,):
                self.draw.text((x + shift, y + size), run, fill=colour, font=font, anchor="ls")
            x += font.getlength(run)
        return x

    def lines(self, x: float, y: float, lines: list[str], size: int, colour: str = INK, *, bold: bool = False) -> float:
        """Lines below each other; where the next thing may begin."""
        for line in lines:
            self.text(x, y, line, size, colour, bold=bold)
            y += line_height(size)
        return y

    def pill(self, x: float, y: float, text: str, size: int, ink: str, tint: str) -> float:
        """Text on a rounded ground, `size + 12` px high; where it ends."""
        end = x + text_width(text, size) + 20
        self.draw.rounded_rectangle((x, y, end, y + size + 12), (size + 12) / 2, fill=tint)
        self.text(x + 10, y + 4, text, size, ink, bold=True)
        return end

    def fill(self, rect: Rect, colour: str, radius: float = 0) -> None:
        """A filled rectangle; nothing narrower than a pixel."""
        x1, y1, x2, y2 = rect
        if radius and x2 - x1 > 2 * radius:
            self.draw.rounded_rectangle((x1, y1, x2 - 1, y2 - 1), radius, fill=colour)
        else:
            self.draw.rectangle((round(x1), y1, max(round(x2) - 1, round(x1)), y2 - 1), fill=colour)

    def frame(self, rect: Rect, colour: str, width: int = 3, halo: str | None = None) -> None:
        """The outline of a rectangle around `rect`; a `halo` sets it off from any picture."""
        left, right = sorted((rect[0], rect[2]))
        top, bottom = sorted((rect[1], rect[3]))
        for grow, ink in ((width + 2, halo), (width, colour)):
            if ink is not None:
                x1, y1, x2, y2 = (
                    round(v) + s * grow for v, s in zip((left, top, right, bottom), (-1, -1, 1, 1), strict=True)
                )
                self.draw.rectangle((x1, y1, x2 - 1, y2 - 1), outline=ink, width=grow)

    def arrow(self, start: tuple[float, float], end: tuple[float, float], colour: str, width: int = 10) -> None:
        """An arrow with a white halo."""
        (x1, y1), (x2, y2) = start, end
        length = math.hypot(x2 - x1, y2 - y1)
        if length == 0:
            return
        ux, uy = (x2 - x1) / length, (y2 - y1) / length
        for grow, ink in ((4, PAPER), (0, colour)):
            head, half = width * 2.4, width * 1.5
            tip = (x2 + ux * grow * 1.6, y2 + uy * grow * 1.6)
            back = (x2 - ux * (head + grow), y2 - uy * (head + grow))
            side = (-uy * (half + grow * 1.6), ux * (half + grow * 1.6))
            begin = (x1 - ux * grow, y1 - uy * grow)
            self.draw.line((begin, back), fill=ink, width=width + 2 * grow)
            wings = [(back[0] + side[0], back[1] + side[1]), (back[0] - side[0], back[1] - side[1])]
            self.draw.polygon([tip, *wings], fill=ink)


def line_height(size: int) -> float:
    """Distance of two lines of text in px."""
    return round(size * 1.42)
