"""Localisers of sound and of transitions: spans of `sounds` rows and of speech whose kind a description names, black and cuts.

`silence`, `a beep`, `someone speaks`, `nobody speaks` become labels or the presence of speech; a label that a tagger wrote is
matched by its words. Limits: a sound of another name than the table's is not found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ...schemas.matching import content_words
from ...schemas.span import Span, from_us, merge, span_or_none, to_us
from .asked import Asked
from .proposals import Proposal, best_apart

JOIN_S = 1.0
"""Pauses up to this long do not end speaking."""


def in_sounds(query: Asked, sounds: Sequence[Mapping[str, Any]], most: int = 5) -> list[Proposal]:
    """Spans of `sounds` rows that the description names, by kind or by the words of their label; repeated short ones joined."""
    words = set(content_words(query.text))
    by_label: dict[str, list[Proposal]] = {}
    for row in sounds:
        label = str(row["label"])
        own = set(content_words(label.replace("_", " ")))
        named = label in query.sounds or (bool(own) and own <= words)
        span = span_or_none(row["start_s"], row["end_s"])
        if not named or span is None:
            continue
        sure = 1.0 if row["confidence"] is None else float(row["confidence"])
        by_label.setdefault(label, []).append(Proposal(span, sure, (str(row["row_id"]),)))
    return best_apart([p for found in by_label.values() for p in (*found, *_trains(found))], most)


def in_voice(query: Asked, speech: Sequence[Mapping[str, Any]], duration_s: float, most: int = 5) -> list[Proposal]:
    """Where somebody speaks, or nobody does; the longer the stretch, the surer."""
    if query.voice is None:
        return []
    spans = [s for row in speech if (s := span_or_none(row["start_s"], row["end_s"])) is not None]
    joined: list[Span] = []
    for span in merge(spans):
        if joined and span.start_s - joined[-1].end_s <= JOIN_S:
            joined[-1] = Span(joined[-1].start_s, span.end_s)
        else:
            joined.append(span)
    if query.voice == "no_speech":
        ends = [0.0, *(t for s in joined for t in (s.start_s, s.end_s)), duration_s]
        joined = [s for a, b in zip(ends[::2], ends[1::2], strict=True) if (s := span_or_none(a, b)) is not None]
    longest = max((s.length_s for s in joined), default=1.0)
    rows = sorted((row["start_s"], row["end_s"], str(row["row_id"])) for row in speech)
    return best_apart(
        [
            Proposal(
                Span(from_us(to_us(s.start_s)), from_us(to_us(s.end_s))),
                0.5 + 0.5 * s.length_s / longest,
                tuple(r for a, b, r in rows if a < s.end_s and b > s.start_s),
            )
            for s in joined
            if s.length_s >= 0.1
        ],
        most,
    )


def in_transitions(
    query: Asked,
    shots: Sequence[Mapping[str, Any]],
    signals: Sequence[Mapping[str, Any]],
    most: int = 5,
    around_s: float = 0.35,
) -> list[Proposal]:
    """Dissolves and cuts around the edges of shots, and stretches of black. The table does not say how long a dissolve lasts:
    `around_s` on both sides is the usual length.
    """
    if query.transition is None:
        return []
    if query.transition == "fade":
        return best_apart(_fades(signals), most, 0.4)
    wanted = "gradual" if query.transition == "dissolve" else "cut"
    found = []
    for shot in shots:
        if shot["transition"] != wanted or shot["start_s"] <= 0:
            continue
        around = around_s if wanted == "gradual" else 0.2
        start, end = max(0.0, shot["start_s"] - around), shot["start_s"] + around
        found.append(Proposal(Span(start, end), 0.7, (str(shot["row_id"]),)))
    return best_apart([*found, *(_mixtures(shots, signals) if wanted == "gradual" else ())], most, 0.3)


def _fades(signals: Sequence[Mapping[str, Any]], least_s: float = 0.3) -> list[Proposal]:
    """Stretches of black with the fall of light before them, and these falls alone; the longer the fall, the surer."""
    found = []
    rows = list(signals)
    for i, row in enumerate(rows):
        if not row["black"] or (i and rows[i - 1]["black"]):
            continue
        last = next((j for j in range(i, len(rows)) if not rows[j]["black"]), len(rows)) - 1
        first, fallen = i, 0
        while first > 0 and fallen < 2:
            fallen = 0 if rows[first - 1]["luma"] > rows[first]["luma"] else fallen + 1
            first -= 1
        first = min(first + fallen, i)
        fall_s = row["t_s"] - rows[first]["t_s"]
        darkest = next(j for j in range(i, last + 1) if rows[j]["luma"] <= rows[last]["luma"] + 1)
        for start, end, weight in ((first, darkest, 1.0), (first, last, 0.95), (i, last, 0.8)):
            span = span_or_none(rows[start]["t_s"], rows[end]["t_s"])
            if span is not None and span.length_s >= least_s:
                score = weight * (0.5 + 0.45 * min(1.0, fall_s))
                found.append(Proposal(span, score, tuple(str(r["row_id"]) for r in rows[start : end + 1])))
    return found


def _mixtures(shots: Sequence[Mapping[str, Any]], signals: Sequence[Mapping[str, Any]]) -> list[Proposal]:
    """Where two to eight samples in a row follow no one motion, away from cuts: two pictures seen through each other."""
    cuts = [s["start_s"] for s in shots if s["transition"] == "cut"]
    found, run = [], list[tuple[Mapping[str, Any], Mapping[str, Any]]]()
    for a, b in (*pairwise(signals), (None, None)):
        if a is not None and b is not None and (b["inlier_share"] is None or b["inlier_share"] < 0.8):
            run.append((a, b))
            continue
        if run and run[-1][1]["t_s"] - run[0][0]["t_s"] > 0.4 and 2 <= len(run) <= 8:
            start, end = run[0][0]["t_s"], run[-1][1]["t_s"]
            lost = sum(b["inlier_share"] is None or b["inlier_share"] < 0.5 for _, b in run) / len(run)
            if not any(start <= t <= end for t in cuts):
                found.append(Proposal(Span(start, end), 0.2 + 0.3 * lost, tuple(str(b["row_id"]) for _, b in run)))
        run = []
    return found


def _trains(found: Sequence[Proposal], gap_s: float = 1.5) -> list[Proposal]:
    """Sounds of one kind that follow each other closely, as one."""
    trains: list[list[Proposal]] = []
    for one in sorted(found, key=lambda p: p.span):
        if trains and one.span.start_s - trains[-1][-1].span.end_s <= gap_s:
            trains[-1].append(one)
        else:
            trains.append([one])
    return [
        Proposal(
            Span(train[0].span.start_s, max(p.span.end_s for p in train)),
            0.9 * max(p.score for p in train),
            tuple(r for p in train for r in p.rows),
        )
        for train in trains
        if len(train) > 1
    ]
