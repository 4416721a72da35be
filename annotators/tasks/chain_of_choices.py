"""How choices about what is told, and orders of what is told or shown, are decided, as typed steps over cited rows.

The right option is found from rows (a text at the asked time, a span of the asked text); of each wrong one the chain says
why: told at another time, told nowhere in what is shown, or the span of something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...engine.distractors.texts import Told
from ...schemas.chain_building import RowDict, Trail
from ...schemas.span import Span
from .chain_of_grounding import appearance, window_of
from .told import touching
from .told_choice import Ground

VERB = {"said": "is said", "shown": "is on screen"}
ALIKE = 0.75
"""Likeness from which a text counts as the asked one, said or written again."""


def told_chain(trail: Trail, ground: Ground, item: Told, least_sure: float, note: str = "") -> tuple[str, str]:
    """Results that are the text and the span of something told."""
    rows = [ground.rows[r] for r in item.rows]
    if ground.kind == "shown":
        text, span, _ = appearance(trail, rows, least_sure, note=note)
        return text, span
    read = trail.read(ground.table, rows, "word" if ground.table == "words" else "text")
    text = trail.compute("tidy", read, note=note)
    if len(rows) == 1:
        return text, trail.locate(ground.table, rows)
    ends = [trail.locate(ground.table, [row]) for row in (rows[0], rows[-1])]
    return text, trail.compute("reach", *ends)


def moment_chain(
    trail: Trail, ground: Ground, window: Span, options: Sequence[str], wrong: Sequence[str], least_sure: float
) -> None:
    """What is told at the asked time; other options at their own time; the rest nowhere in the window."""
    verb = VERB[ground.kind]
    text, span = told_chain(trail, ground, ground.asked, least_sure, note=f"What {verb} then is {{@.text}}.")
    trail.require(
        span, "same_span", window_of(ground.asked.span), note=f"It {verb} in {{{span}}}, which is asked about."
    )
    by_text = {x.text: x for x in ground.others}
    nowhere = []
    for option in wrong:
        item = by_text.get(option)
        if item is None or not window.contains_span(item.span):
            nowhere.append(option)
            continue
        told, when = told_chain(trail, ground, item, least_sure)
        trail.require(told, "equal", option)
        trail.require(when, "within", window_of(window))
        trail.require(
            when, "apart", right=span, note=f"Another option, {{{told}.text}}, {verb} in {{{when}}}, not then."
        )
    witnesses = _witness_rows(ground, window)
    if nowhere and witnesses:
        told = trail.read("text_regions" if ground.kind == "shown" else "speech", witnesses, "text")
        for i, option in enumerate(nowhere):
            tellers = trail.compute("tellers", told, query=option)
            note = f"Nothing that {verb} in the footage shown has the words of the options left." if i == 0 else ""
            trail.require(tellers, "equal", 0, note=note)
    right = trail.compute("index_of", text, options=list(options))
    trail.conclude("choice", right, note=f"So the answer is {{{text}.text}}.")


def span_chain(
    trail: Trail, ground: Ground, window: Span, options: Sequence[Span], other: Span, least_sure: float
) -> None:
    """Where the asked text is told, which of the options that is, and what another option holds instead."""
    verb = VERB[ground.kind]
    text, span = told_chain(trail, ground, ground.asked, least_sure, note="The text {@.text} is looked for.")
    trail.require(text, "equal", ground.asked.text, note=f"It {verb} in {{{span}}}.")
    like = "writing" if ground.kind == "shown" else "words"
    rows = [ground.rows[r] for r in ground.others[0].rows]
    column = "word" if ground.table == "words" else "text"
    held = trail.compute("joined", trail.read(ground.table, rows, column, pooled=True))
    alike = trail.compute("least_alike", held, query=ground.asked.text, like=like)
    trail.require(alike, "at_most", ALIKE)
    ends = [trail.locate(ground.table, [row]) for row in {r["row_id"]: r for r in (rows[0], rows[-1])}.values()]
    when = trail.compute("reach", *ends)
    trail.require(when, "same_span", window_of(other), note=f"In {{{when}}} it is something else, {{{held}.text}}.")
    witnesses = _witness_rows(ground, window)
    if witnesses:
        told = trail.read("text_regions" if ground.kind == "shown" else "speech", witnesses, "text")
        found = trail.compute("times_told", told, query=ground.asked.text, like=like, least=ALIKE)
        trail.require(
            found, "equal", int(ground.table == "words"), note="Nowhere else in the footage shown is it told."
        )
    right = trail.compute("index_of", span, options=[window_of(o) for o in options])
    trail.conclude("choice", right, note=f"So the answer is {{{span}}}.")


def sorting_chain(trail: Trail, pieces: Sequence[tuple[Span, Sequence[RowDict]]], options: Sequence[str]) -> None:
    """Which option is spoken in each piece, and the order of the pieces."""
    texts, times = [], []
    for piece, words in pieces:
        text = trail.compute("joined", trail.read("words", words, "word"), note="These words are heard: {@.text}.")
        starts = trail.read("words", words, "start_s")
        trail.require(starts, "inside", window_of(piece))
        times.append(trail.locate("words", words[:1], note=f"The first word of {{{text}.text}} is spoken in {{@}}."))
        texts.append(trail.compute("index_of", text, options=list(options)))
    order = trail.compute("in_time_order", *texts, *times, count=len(pieces))
    trail.conclude("order", order, note="So this is the order in which they are spoken.")


def stills_chain(
    trail: Trail, listed: Sequence[RowDict], times: Sequence[float], ordinals: Sequence[str], least_bits: int
) -> None:
    """When each picture was taken, and the order of these moments; that no two look the same."""
    taken = [
        trail.locate("signals", [row], by="moment", note=f"The {ordinals[k]} picture was taken at {{@}}.")
        for k, row in enumerate(listed)
    ]
    for name, t_s in zip(taken, times, strict=True):
        trail.require(name, "shown_at", t_s)
    bits = trail.compute("nearest_bits", trail.read("signals", listed, "phash"))
    trail.require(bits, "at_least", least_bits, note="No two of the pictures look the same.")
    order = trail.compute("argsort", *taken)
    trail.conclude("order", order, note="So their moments give the order.")


def motion_chain(
    trail: Trail,
    of: str,
    signals: Sequence[RowDict],
    edit: RowDict | None,
    aspect: float,
    rule: Mapping[str, object],
    labels: Sequence[str],
    note: str,
) -> None:
    """What is measured from frame to frame, pooled to one way, which is one of the labels."""
    columns: tuple[str, ...] = ("contrast", "pan", "tilt", "zoom", "roll", "inlier_share")
    if of == "thing":
        columns = (*columns, "residual", "residual_area", "residual_dx", "residual_dy")
        columns = (*columns, "residual_x1", "residual_y1", "residual_x2", "residual_y2")
    over = [trail.read("signals", signals, "t_s", *columns, pooled=True)]
    if edit is not None:
        over.append(trail.read("edits", [edit], "time_scale", "time_offset_s", "box_affine", pooled=True))
    way = trail.compute("way", *over, of=of, aspect=aspect, rule=dict(rule), note=note)
    index = trail.compute("index_of", way, options=list(labels))
    trail.conclude("choice", index, note="So this way is the answer.")


def statistics_chain(
    trail: Trail,
    row: RowDict,
    kind: str,
    parts: Mapping[str, Sequence[int]],
    least: float,
    texts: Sequence[str],
    window: Span,
) -> None:
    """The label that the statistics of the window have, how clearly it leads, and which option it names.

    `parts` gives the components: `at` those of the label, `margins` those of its lead, `moving` those that must move.
    """
    trail.require(trail.locate("pixel_stats", [row]), "same_span", window_of(window))
    column = "motion" if parts["moving"] else "appearance"
    labels = trail.read("pixel_stats", [row], column)
    margins = trail.read("pixel_stats", [row], f"{column}_margin")
    for at in parts["margins"]:
        trail.require(trail.compute("component", margins, at=at), "at_least", least)
    label = (
        trail.compute("agreed", labels, at=list(parts["at"]), moving=list(parts["moving"]))
        if parts["moving"]
        else trail.compute("component", labels, at=parts["at"][0])
    )
    index = (
        trail.compute("quarter", label)
        if kind in ("quarter", "change")
        else trail.compute("place_of", label, count=len(texts))
    )
    what = "the motion" if parts["moving"] else "the colours"
    trail.conclude("choice", index, note=f"What is measured of {what} from frame to frame in {{s1}} names the answer.")


def _witness_rows(ground: Ground, window: Span) -> list[RowDict]:
    """Rows behind what else is told in the window."""
    near = {r for w in touching(ground.witnesses, window) for r in w.rows}
    return [row for row in ground.witness_rows if row["row_id"] in near]
