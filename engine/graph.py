"""The graph of producers: who reads whose rows, in which order they run, and in which waves.

Reads are by table. A producer sees the producers of earlier stages and those of its own stage that do not depend on it
in turn; producers that make rows of a table from rows of that table (conversations from samples) do not see each other.
Captions that models wrote are seen by those that ask models or read their claims: no other task waits for a model, or is
made anew with its replies. `from:` lifts both rules. Rows of composed media (tables `sources` and `media` written by composers) are visible to
tasks only, so that annotating footage never waits for edits of it. An unknown read or a cycle is a recipe error that names
what to add.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from .annotator import Annotator, Stage
from .asking import Asking
from .producer import Producer, ProducerSpec, RecipeError
from .registry import builtin_files

STAGE_ORDER: dict[Stage, int] = {"annotate": 0, "enrich": 1, "task": 2}
MEDIA_SHAPES = ("frame", "audio", "batch")
GRAINS = ("medium", "corpus")
"""Grains that are planned so far; sources and clips are units of the scan and of selection."""


@dataclass(frozen=True)
class Outside:
    """A table writer that is not an annotator: scanning sources, selecting clips, checking samples."""

    name: str
    writes: tuple[str, ...]
    stage: Stage


@dataclass(frozen=True)
class Wave:
    """Producers that run together: one Ray chain of `media`, one level of `unit` producers, or those of it that ask a `model`."""

    kind: str
    producers: tuple[Producer, ...]

    @property
    def title(self) -> str:
        return ", ".join(p.name.partition(":")[0] for p in self.producers)


@dataclass(frozen=True)
class Graph:
    """All producers of a recipe, in an order in which each comes after what it reads."""

    producers: tuple[Producer, ...]

    def __getitem__(self, name: str) -> Producer:
        return next(p for p in self.producers if p.name == name)

    def waves(self, stage: Stage) -> list[Wave]:
        """Waves of one stage in order: media first, then levels of unit producers, those that ask models apart."""
        mine = [p for p in self.producers if p.stage == stage]
        waves = []
        before = [
            p for p in mine if p.shape in ("unit", "model") and p.annotator.grain == "medium" and not _derived(p, mine)
        ]
        media = [p for p in mine if p.shape in MEDIA_SHAPES]
        rest = [p for p in mine if p not in before and p not in media]
        first = [p for p in before if p.name == "probe"]
        if first:
            waves.append(Wave("unit", tuple(first)))
        if media:
            waves.append(Wave("media", tuple(media)))
        placed = {p.name for p in (*first, *media)}
        waiting = [p for p in mine if p.name not in placed and (p in before or p in rest)]
        while waiting:
            waiting_names = {p.name for p in waiting}
            level = [p for p in waiting if not waiting_names & set(p.upstream)]
            grains = sorted({p.annotator.grain for p in level}, key=("source", "medium", "clip", "corpus").index)
            for grain in grains:
                for kind in ("unit", "model"):
                    alike = tuple(p for p in level if p.annotator.grain == grain and p.shape == kind)
                    if alike:
                        waves.append(Wave(kind, alike))
            waiting = [p for p in waiting if p not in level]
        return waves

    def writers(self, table: str) -> list[str]:
        """Names of producers that write a table."""
        return [p.name for p in self.producers if table in p.annotator.dynamic_writes()]


def _derived(producer: Producer, same_stage: Sequence[Producer]) -> bool:
    names = {p.name for p in same_stage if p.shape in MEDIA_SHAPES or p.annotator.grain == "corpus"}
    return bool(names & set(producer.upstream))


def build_graph(specs: Iterable[ProducerSpec], outside: Sequence[Outside] = ()) -> Graph:
    """Build and connect all producers.

    Raises `RecipeError` for doubled names, unknown annotators or parameters, reads that nothing writes, and cycles.
    """
    built: dict[str, tuple[ProducerSpec, Annotator, Stage]] = {}
    for spec in specs:
        if spec.name in built:
            raise RecipeError(f"two producers are called {spec.name!r}: give one of them another name with `as:`")
        annotator = spec.build()
        if annotator.grain not in GRAINS:
            raise RecipeError(
                f"producer {spec.name}: annotators work on units of grain {' or '.join(GRAINS)}, not {annotator.grain}"
            )
        built[spec.name] = (spec, annotator, spec.stage or type(annotator).stage)
    order: dict[str, Producer] = {}
    for name, (spec, annotator, stage) in built.items():
        inputs = {}
        for table in annotator.dynamic_reads():
            names = _sources_of(table, name, stage, spec, built, outside)
            if not names and table not in type(annotator).optional_reads:
                raise RecipeError(_nothing_writes(table, name))
            inputs[table] = names
        order[name] = Producer(spec, annotator, stage, inputs)
    sorter = TopologicalSorter({n: set(p.upstream) & set(order) for n, p in order.items()})
    try:
        sequence = list(sorter.static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise RecipeError(f"producers read each other in a circle: {circle}; break it with `from:`") from None
    position = {n: i for i, n in enumerate(sequence)}
    ranked = sorted(order.values(), key=lambda p: (STAGE_ORDER[p.stage], position[p.name]))
    return Graph(tuple(ranked))


def _sources_of(
    table: str,
    reader: str,
    stage: Stage,
    spec: ProducerSpec,
    built: dict[str, tuple[ProducerSpec, Annotator, Stage]],
    outside: Sequence[Outside],
) -> tuple[str, ...]:
    writers = {n: (s, a.dynamic_writes()) for n, (_, a, s) in built.items()}
    writers |= {o.name: (o.stage, o.writes) for o in outside}
    limit = STAGE_ORDER[stage]
    refining = {
        n for n, (_, a, s) in built.items() if s == stage and table in a.dynamic_reads() and table in a.dynamic_writes()
    }
    annotator = built[reader][1]
    wanted = spec.sources.get(table, ())
    left_out = {n for n, (other, _, _) in built.items() if other.annotator in annotator.leaves_out()}
    if table == "captions" and not isinstance(annotator, Asking) and "claims" not in annotator.dynamic_reads():
        left_out |= {n for n, (_, a, _) in built.items() if isinstance(a, Asking)}
    if reader in refining:
        left_out |= {n for n in refining if spec.annotator not in built[n][1].leaves_out()}
    names = [
        n
        for n, (s, tables) in writers.items()
        if n != reader
        and table in tables
        and STAGE_ORDER[s] <= limit
        and (n not in left_out or n in wanted)
        and not (table in ("sources", "media") and STAGE_ORDER[s] > 0 and stage != "task")
    ]
    if wanted:
        missing = [w for w in wanted if w not in names]
        if missing:
            raise RecipeError(
                f"producer {reader}: `from:` names {', '.join(missing)}, but table {table} is written by "
                f"{', '.join(sorted(names)) or 'no producer before it'}"
            )
        return tuple(sorted(wanted))
    return tuple(sorted(names))


def _nothing_writes(table: str, reader: str) -> str:
    candidates = []
    for name, file in builtin_files("annotator").items():
        text = file.read_text()
        declared = re.search(r"^    writes\b.*?=(.*)$", text, re.MULTILINE)
        if declared and f'"{table}"' in declared[1] and file.parent.name != "importers":
            candidates.append(name)
    hint = f"add {' or '.join(f'`- {c}`' for c in sorted(candidates))}" if candidates else "no annotator writes it"
    return f"producer {reader} reads table {table}, which nothing in the recipe writes; {hint}"
