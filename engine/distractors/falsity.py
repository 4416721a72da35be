"""The falsity test: why a proposed wrong option might be true after all, from all evidence at hand in the window.

Every function returns a reason, or an empty string when nothing speaks for the option. A text is held against everything
said or shown in the asked span, fuzzily, since recognisers slip; a span against every place where the asked text stands;
a still against every measured picture around the asked moment. Absence of evidence is all that can be had: what no
annotator recorded is not ruled out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...schemas.readings import edit_distance, normalised
from ...schemas.span import Span, overlap_s, tiou, to_us
from .stills import Still, apart_s, hash_distance
from .texts import Told

MAX_ALIKE = 0.4
"""Two texts are alike when at most this share of the letters has to be changed."""


def alike(text: str, other: str, max_alike: float = MAX_ALIKE) -> bool:
    """Whether `text`, or something much like it, is `other` or stands in it: letters and digits count, case does not."""
    wanted, whole = normalised(text), normalised(other)
    if not wanted or not whole:
        return False
    if wanted in whole or (len(whole) >= 4 and whole in wanted):
        return True
    n, words = len(text.split()), other.split()
    runs = {
        normalised(" ".join(words[i : i + k])) for k in (n - 1, n, n + 1) if k > 0 for i in range(len(words) - k + 1)
    }
    for run in sorted({whole, *runs}):
        limit = int(max_alike * max(len(wanted), len(run)))
        if edit_distance(wanted, run, limit) <= limit:
            return True
    return False


def without(text: str, whole: str) -> list[str]:
    """What is left of `whole`, before and after, when the words of `text` are taken out once; all of it when they do not
    stand there.
    """
    words, wanted = whole.split(), [normalised(w) for w in text.split()]
    plain, n = [normalised(w) for w in words], len(wanted)
    for i in range(len(words) - n + 1):
        if plain[i : i + n] == wanted:
            return [part for part in (" ".join(words[:i]), " ".join(words[i + n :])) if part]
    return [whole]


def why_told(
    text: str, asked: Span, told: Iterable[Told], *, own: Span | None = None, max_alike: float = MAX_ALIKE
) -> str:
    """Why `text` may be told during `asked`: something alike is told then.

    `own` is where `text` itself is known to be told: of a segment that reaches there, what else it holds is compared.
    """
    for item in told:
        if overlap_s(item.span, asked) <= 0:
            continue
        held = own is not None and overlap_s(item.span, own) > 0
        if any(alike(text, part, max_alike) for part in (without(text, item.text) if held else [item.text])):
            return f"{item.text!r}, which is alike, is told from {item.span.start_s:g} to {item.span.end_s:g} s"
    return ""


def why_edit_told(edited: str, original: Told, asked: Span, told: Sequence[Told]) -> str:
    """Why a one-edit text may be told: exactly so anywhere, or much like something else told during `asked`.

    `original` is what was edited; texts that hold it are compared exactly only, since an edit is alike by design.
    """
    wanted = normalised(edited)
    for item in told:
        if wanted in normalised(item.text):
            return f"{edited!r} is told from {item.span.start_s:g} to {item.span.end_s:g} s"
    rest = [t for t in told if t != original and not _holds(t, original)]
    return why_told(edited, asked, rest)


def _holds(item: Told, original: Told) -> bool:
    """Whether `item` tells `original` too: a segment that holds the phrase, another reading of the same writing."""
    return overlap_s(item.span, original.span) > 0 and alike(original.text, item.text)


def repetitions(item: Told, told: Iterable[Told], max_alike: float = MAX_ALIKE) -> list[Told]:
    """What else tells the text of `item`, or much the same, at another place (also in the rest of its own segment)."""
    found = []
    for other in told:
        held = overlap_s(other.span, item.span) > 0
        parts = without(item.text, other.text) if held else [other.text]
        if any(alike(item.text, p, max_alike) for p in parts if not held or p != other.text):
            found.append(other)
    return found


def why_span_true(
    span: Span, truth: Span, occurrences: Iterable[Span], *, max_tiou: float = 0.4, tolerance_s: float = 0.0
) -> str:
    """Why `span` may be right too: it is much like the true span, or holds (nearly) another occurrence."""
    if tiou(span, truth) > max_tiou:
        return f"tIoU {tiou(span, truth):.2f} with the true span"
    for other in occurrences:
        if other != truth and overlap_s(span, other) > 0.5 * other.length_s - tolerance_s:
            return f"it holds another occurrence, from {other.start_s:g} to {other.end_s:g} s"
    return ""


def why_still_fits(still: Still, asked: Still, around: Iterable[Still], *, min_gap_s: float, min_bits: int) -> str:
    """Why `still` may show the asked moment: too near in time, or too much like a picture around that moment.

    `asked` is the right picture, `around` are all measured pictures within the tolerance of the asked moment.
    """
    if to_us(apart_s(still, asked)) < to_us(min_gap_s):
        return f"taken {apart_s(still, asked):g} s from the asked moment only"
    for picture in (asked, *around):
        bits = hash_distance(still, picture)
        if bits < min_bits:
            return f"differs by {bits} bits only from the picture at {picture.t_s:g} s"
    return ""
