"""Small drawings for the report's page as inline SVG: intervals on an axis, horizontal bars, a histogram.

Colours are CSS variables of the page, so drawings follow the reader's light or dark setting; every drawing carries its
numbers as text, for readers that do not see it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

LABEL, CHART, NUMBER, LINE = 122, 204, 114, 24
"""Widths of the parts of an interval drawing and the height of one of its lines, px."""


def intervals(lines: Sequence[Mapping[str, Any]], low: float, high: float, tolerance: float) -> str:
    """One line per solver: its name, gap and 95% interval on an axis from `low` to `high`, and the gap in digits."""
    width, height = LABEL + CHART + NUMBER, LINE * len(lines) + 26

    def x(value: float) -> float:
        return LABEL + CHART * (min(max(value, low), high) - low) / (high - low)

    parts = [
        f'<rect x="{x(low):.1f}" y="0" width="{x(tolerance) - x(low):.1f}" height="{height - 22}" class="fine"/>',
        f'<line x1="{x(0):.1f}" x2="{x(0):.1f}" y1="0" y2="{height - 22}" class="zero"/>',
    ]
    for i, line in enumerate(lines):
        y = LINE * i + LINE / 2
        kind = "bad" if line["flagged"] else "good" if line["must_hurt"] else "free"
        said = f"{line['solver']}: {line['gap']:+.3f}, {line['low']:+.3f} to {line['high']:+.3f}, {line['samples']} samples"
        parts.append(
            f'<g class="{kind}"><title>{escape(said)}</title>'
            f'<text x="{LABEL - 10}" y="{y + 4:.1f}" class="name">{escape(line["solver"].replace("_", " "))}</text>'
            f'<line x1="{x(line["low"]):.1f}" x2="{x(line["high"]):.1f}" y1="{y}" y2="{y}" class="range"/>'
            f'<circle cx="{x(line["gap"]):.1f}" cy="{y}" r="4.5"/>'
            f'<text x="{LABEL + CHART + 10}" y="{y + 4:.1f}" class="number">{line["gap"]:+.2f}'
            f'<tspan class="of"> of {line["samples"]}</tspan></text></g>'
        )
    for tick in _ticks(low, high):
        parts.append(f'<text x="{x(tick):.1f}" y="{height - 6}" class="tick">{tick:+.1f}</text>')
    return _svg(width, height, "ladder", "".join(parts), "Gap of each baseline with its 95% interval")


def bars(rows: Sequence[tuple[str, int]], total: int, other: int = 0) -> str:
    """Horizontal bars as a list: share of `total`; the rest (`other` answers that are not listed) as a last line."""
    most = max((n for _, n in rows), default=1)
    items = [
        f'<li><span class="what">{escape(name)}</span><span class="track"><i style="width:{100 * n / most:.1f}%"></i></span>'
        f"<b>{n}</b><small>{100 * n / max(1, total):.0f}%</small></li>"
        for name, n in rows
    ]
    if other:
        items.append(f'<li class="rest"><span class="what">and {other} more</span></li>')
    return f'<ul class="bars">{"".join(items)}</ul>'


def histogram(counts: Sequence[int], label: str) -> str:
    """Ten bins of 0..1 as columns, with the level that all would have if they were equal."""
    width, height, base = 260, 96, 74
    most, n = max(max(counts), 1), max(sum(counts), 1)
    step = width / len(counts)
    level = base - base * (n / len(counts)) / most
    parts = []
    for i, count in enumerate(counts):
        tall = base * count / most
        parts.append(
            f'<rect x="{i * step + 1.5:.1f}" y="{base - tall:.1f}" width="{step - 3:.1f}" height="{tall:.1f}" rx="2">'
            f"<title>{i / 10:.1f} to {(i + 1) / 10:.1f}: {count}</title></rect>"
        )
    parts.append(f'<line x1="0" x2="{width}" y1="{level:.1f}" y2="{level:.1f}" class="level"/>')
    parts += [
        f'<text x="{x}" y="{height - 6}" class="{c}">{t}</text>'
        for x, t, c in ((0, "0", "first"), (width / 2, "0.5", "mid"), (width, "1", "last"))
    ]
    told = f"{label}: {', '.join(str(c) for c in counts)} from 0 to 1"
    return _svg(width, height, "histogram", "".join(parts), told)


def stacked(parts: Sequence[tuple[str, str, int]]) -> str:
    """One bar of parts (class, name, number)."""
    total = max(1, sum(n for _, _, n in parts))
    cells = "".join(
        f'<i class="{kind}" style="width:{100 * n / total:.2f}%" title="{escape(name)}: {n}"></i>'
        for kind, name, n in parts
        if n
    )
    told = ", ".join(f"{name} {n}" for _, name, n in parts if n)
    return f'<span class="stack" role="img" aria-label="{escape(told)}">{cells}</span>'


def _ticks(low: float, high: float) -> list[float]:
    step = 0.2 if high - low > 0.7 else 0.1
    first = -int(-low / step + 1e-9)
    found = [round((first + i) * step, 1) for i in range(20)]
    return [t for t in found if low - 1e-9 <= t <= high + 1e-9]


def _svg(width: float, height: float, kind: str, body: str, label: str) -> str:
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" class="{kind}" role="img" '
        f'aria-label="{escape(label)}">{body}</svg>'
    )
