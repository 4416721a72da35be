"""Operations on edit graphs: each takes graphs and gives a new one whose mappings follow by arithmetic.

Times given to them are seconds on the clock of the graph that they change; they fall on its frames (nearest). Nothing here
touches media. Speed changes keep whole frames and never reach past what a piece had: a piece may lose less than one frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Literal

from .edit_graph import Graph
from .edit_pieces import Area, Overlay, Panel, Piece, Source, exact

Direction = Literal["vertical", "horizontal"]
_PANELS: dict[tuple[Direction, int], tuple[Panel, ...]] = {
    ("vertical", 2): ("top", "bottom"),
    ("horizontal", 2): ("left", "right"),
    ("vertical", 3): ("top", "middle", "bottom"),
    ("horizontal", 3): ("left", "middle", "right"),
}
_OTHER_SIDE: dict[Panel, Panel] = {"left": "right", "right": "left"}


def letterbox(source: Source, width: int, height: int) -> Area:
    """The largest even-sized area of the source's shape in a picture of width x height px, in its middle."""
    scale = min(Fraction(width, source.width), Fraction(height, source.height))
    w = max(2, min(width, round(source.width * scale / 2) * 2))
    h = max(2, min(height, round(source.height * scale / 2) * 2))
    return Area((width - w) // 4 * 2, (height - h) // 4 * 2, w, h)


def take(
    source: Source,
    fps: Fraction,
    size: tuple[int, int],
    start_s: float | Fraction = 0.0,
    end_s: float | Fraction | None = None,
    *,
    hold_s: float | None = None,
) -> Graph:
    """A graph of one piece: [start_s, end_s) of a source, from its frame nearest to start_s on; a still for `hold_s`.

    The piece holds as many whole frames as fit before `end_s`. Raises ValueError when that is none, for a span outside of the
    source, and for a still without `hold_s`.
    """
    area = letterbox(source, *size)
    if source.still:
        if hold_s is None:
            raise ValueError("a still needs hold_s: how long it is shown, seconds")
        frames = round(exact(hold_s) * fps)
        return Graph(fps, *size, ((Piece(source, frames, Fraction(0), Fraction(0), area, operations=("still",)),),))
    start = Fraction(round(exact(start_s) * source.fps)) / source.fps
    end = source.duration if end_s is None else min(exact(end_s), source.duration)
    frames = int((end - start) * fps + Fraction(1, 50))
    if start < 0 or frames < 1:
        raise ValueError(
            f"{float(start):.3f}..{float(end):.3f} s of {source.media_id} holds no frame at {float(fps):g} fps"
        )
    whole = start == 0 and end_s is None
    return Graph(
        fps, *size, ((Piece(source, frames, start, Fraction(1), area, operations=() if whole else ("cut",)),),)
    )


def cut(graph: Graph, start_s: float, end_s: float) -> Graph:
    """What `graph` shows in [start_s, end_s). Raises ValueError when no frame is left."""
    first, stop = max(0, round(exact(start_s) * graph.fps)), min(graph.frames, round(exact(end_s) * graph.fps))
    if first >= stop:
        raise ValueError(f"cutting to {start_s:g}..{end_s:g} s leaves no frame")
    return _frames(graph, first, stop, "cut")


def join(graphs: Sequence[Graph], operation: str = "join") -> Graph:
    """One after another. All must have one rate, size and number of layers, else ValueError.

    Pieces of different parts never count as one uncut run, even where the second goes on where the first stopped.
    """
    _same(graphs)
    if len({len(g.layers) for g in graphs}) != 1:
        raise ValueError("graphs with different numbers of layers cannot be joined; stack after joining")
    layers: list[list[Piece]] = [[] for _ in graphs[0].layers]
    overlays: list[Overlay] = []
    at, group = Fraction(0), 0
    for graph in graphs:
        for mine, layer in zip(layers, graph.layers, strict=True):
            mine += [_done(replace(p, group=p.group + group), operation) for p in layer]
        overlays += [replace(o, at=o.at + at) for o in graph.overlays]
        at += graph.duration
        group += 1 + max(p.group for layer in graph.layers for p in layer)
    return replace(graphs[0], layers=tuple(map(tuple, layers)), overlays=tuple(overlays))


def reverse(graph: Graph) -> Graph:
    """Played backwards, silent (sounds on top are dropped)."""
    layers = []
    for layer in graph.layers:
        pieces = [replace(p, start=p.start + p.rate * p.frames / graph.fps, rate=-p.rate) for p in reversed(layer)]
        layers.append(tuple(_done(p, "reverse") for p in pieces))
    return replace(graph, layers=tuple(layers), overlays=())


def speed(graph: Graph, factor: float | Fraction, *, keep_pitch: bool = False) -> Graph:
    """Played `factor` times as fast (2: half as long), sound too; `keep_pitch`: at its own pitch.

    Raises ValueError for a factor that is not positive, or when a layer has no frame left.
    """
    factor = Fraction(factor).limit_denominator(10_000)
    if factor <= 0:
        raise ValueError(f"speed factor {float(factor):g} must be above 0; use reverse() to play backwards")
    layers = []
    for layer in graph.layers:
        pieces = [
            _done(replace(p, frames=int(p.frames / factor), rate=p.rate * factor, keep_pitch=keep_pitch), "speed")
            for p in layer
        ]
        layers.append(tuple(p for p in pieces if p.frames))
    overlays = tuple(
        replace(o, at=o.at / factor, length=o.length / factor, rate=o.rate * factor, keep_pitch=keep_pitch)
        for o in graph.overlays
    )
    return _equal_length(graph, layers, overlays)


def mirror(graph: Graph) -> Graph:
    """Left and right exchanged."""

    def turned(piece: Piece) -> Piece:
        area = replace(piece.area, x=graph.width - piece.area.x - piece.area.width)
        panel = _OTHER_SIDE.get(piece.panel, piece.panel)
        return _done(replace(piece, area=area, panel=panel, mirrored=not piece.mirrored), "mirror")

    return replace(graph, layers=tuple(tuple(turned(p) for p in layer) for layer in graph.layers))


def freeze(graph: Graph, at_s: float, hold_s: float) -> Graph:
    """The frame that stands at `at_s` is held for `hold_s` seconds, in silence; then the film goes on with it.

    Raises ValueError when `at_s` lies outside, or `hold_s` is shorter than a frame.
    """
    k, held = round(exact(at_s) * graph.fps), round(exact(hold_s) * graph.fps)
    if not 0 <= k < graph.frames or held < 1:
        raise ValueError(f"cannot hold the frame at {at_s:g} s of {float(graph.duration):.3f} s for {hold_s:g} s")
    before, after = _split(graph, k)
    layers = []
    for number, rest in enumerate(after):
        shown, rate = rest[0], Fraction(0)
        # A backward piece shows the source frame that ends at its start.
        start = max(Fraction(0), shown.start - 1 / shown.source.fps) if shown.rate < 0 else shown.start
        still = _done(replace(shown, frames=held, start=start, rate=rate), "freeze")
        layers.append((*before[number], still, *rest))
    shift, moment = held / graph.fps, k / graph.fps
    overlays = tuple(replace(o, at=o.at + shift) if o.at >= moment else o for o in graph.overlays)
    return replace(graph, layers=tuple(layers), overlays=overlays)


def insert(graph: Graph, needle: Graph, at_s: float) -> Graph:
    """`needle` shown from `at_s` on, then `graph` goes on. Raises ValueError outside of it or for unequal graphs."""
    k = round(exact(at_s) * graph.fps)
    _same((graph, needle))
    if not 0 <= k <= graph.frames or len(graph.layers) != len(needle.layers):
        raise ValueError(
            f"nothing can be inserted at {at_s:g} s of {float(graph.duration):.3f} s with {len(graph.layers)} layers"
        )
    group = 1 + max(p.group for layer in graph.layers for p in layer)
    before, after = _split(graph, k)
    layers = []
    for number, middle in enumerate(needle.layers):
        put = tuple(_done(replace(p, group=p.group + group), "insert") for p in middle)
        layers.append((*before[number], *put, *after[number]))
    moment, shift = k / graph.fps, needle.duration
    overlays = [replace(o, at=o.at + shift) if o.at >= moment else o for o in graph.overlays]
    overlays += [replace(o, at=o.at + moment) for o in needle.overlays]
    return replace(graph, layers=tuple(layers), overlays=tuple(overlays))


def stack(graphs: Sequence[Graph], direction: Direction = "vertical") -> Graph:
    """Two or three graphs of one size shown at once, the first on top (at the left), cut to the shortest.

    The picture grows: height (width) times the number of graphs. Only the first is heard. Raises ValueError for other numbers,
    and for graphs of several layers.
    """
    panels = _PANELS.get((direction, len(graphs)))
    if panels is None or any(len(g.layers) != 1 for g in graphs):
        raise ValueError(f"{len(graphs)} graphs cannot be stacked; give two or three that are not stacks themselves")
    _same(graphs)
    first = graphs[0]
    width = first.width * (len(graphs) if direction == "horizontal" else 1)
    height = first.height * (len(graphs) if direction == "vertical" else 1)
    layers = []
    for number, (graph, panel) in enumerate(zip(graphs, panels, strict=True)):
        dx, dy = (number * first.width, 0) if direction == "horizontal" else (0, number * first.height)
        layers.append(
            tuple(
                _done(
                    replace(
                        p,
                        area=replace(p.area, x=p.area.x + dx, y=p.area.y + dy),
                        panel=panel,
                        audible=p.audible and number == 0,
                    ),
                    "stack",
                )
                for p in graph.layers[0]
            )
        )
    stacked = replace(first, width=width, height=height, layers=(layers[0],))
    return _equal_length(stacked, layers, first.overlays)


def overlay(
    graph: Graph,
    source: Source,
    at_s: float,
    *,
    start_s: float = 0.0,
    length_s: float | None = None,
    gain_db: float = 0.0,
) -> Graph:
    """A source's sound mixed in from `at_s` on, cut off at the end. Raises ValueError when nothing of it fits."""
    at, start = exact(at_s), exact(start_s)
    length = source.duration - start if length_s is None else exact(length_s)
    length = min(length, graph.duration - at)
    if at < 0 or length <= 0 or start < 0 or start + length > source.duration:
        raise ValueError(f"{source.media_id} has no sound from {start_s:g} s on that fits at {at_s:g} s")
    return replace(graph, overlays=(*graph.overlays, Overlay(source, at, start, length, gain_db)))


def mute(graph: Graph) -> Graph:
    """Without the sound of its sources; sounds on top stay."""
    layers = tuple(tuple(replace(p, audible=False) for p in layer) for layer in graph.layers)
    return replace(graph, layers=layers)


def _done(piece: Piece, operation: str) -> Piece:
    return piece if operation in piece.operations else replace(piece, operations=(*piece.operations, operation))


def _same(graphs: Sequence[Graph]) -> None:
    if len({(g.fps, g.width, g.height) for g in graphs}) != 1:
        raise ValueError("graphs of different rates or sizes cannot be put together; build them with one fps and size")


def _split(graph: Graph, k: int) -> tuple[list[tuple[Piece, ...]], list[tuple[Piece, ...]]]:
    """Layers before frame k, and from it on."""
    before, after = [], []
    for layer in graph.layers:
        before.append(_sliced(layer, 0, k, graph.fps))
        after.append(_sliced(layer, k, graph.frames, graph.fps))
    return before, after


def _sliced(layer: Sequence[Piece], first: int, stop: int, fps: Fraction) -> tuple[Piece, ...]:
    found, at = [], 0
    for piece in layer:
        low, high = max(first, at), min(stop, at + piece.frames)
        if low < high:
            found.append(replace(piece, frames=high - low, start=piece.start + piece.rate * (low - at) / fps))
        at += piece.frames
    return tuple(found)


def _frames(graph: Graph, first: int, stop: int, operation: str | None = None) -> Graph:
    layers = tuple(_sliced(layer, first, stop, graph.fps) for layer in graph.layers)
    if operation is not None:
        layers = tuple(tuple(_done(p, operation) for p in layer) for layer in layers)
    low, high = first / graph.fps, stop / graph.fps
    overlays = []
    for o in graph.overlays:
        start, end = max(o.at, low), min(o.at + o.length, high)
        if start < end:
            overlays.append(replace(o, at=start - low, start=o.start + (start - o.at) * o.rate, length=end - start))
    return replace(graph, layers=layers, overlays=tuple(overlays))


def _equal_length(graph: Graph, layers: Sequence[tuple[Piece, ...]], overlays: tuple[Overlay, ...]) -> Graph:
    """`graph` with these layers, all cut to the shortest."""
    shortest = min(sum(p.frames for p in layer) for layer in layers)
    if shortest < 1:
        raise ValueError("no frame is left; choose a longer piece or a smaller factor")
    even = tuple(_sliced(layer, 0, shortest, graph.fps) for layer in layers)
    whole = replace(graph, layers=even, overlays=overlays)
    return _frames(whole, 0, shortest)
