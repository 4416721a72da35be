"""Films as policies see them, without pixels: scenes of given lengths whose frames have the vector of their scene."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from chronotope.engine.plans.likeness import VectorLikeness
from chronotope.engine.plans.plan import Inputs, Plan, Scores
from chronotope.engine.plans.policies import configured, make_plan
from chronotope.engine.plans.space_aware import SeenPoints
from chronotope.schemas.span import Span


def film(
    scenes: Sequence[float],
    fps: float = 10.0,
    *,
    needle_s: float | None = None,
    seed: int = 0,
    drift: float = 0.0,
    **more: object,
) -> Inputs:
    """Scenes of these lengths in s, hard cuts between them; `drift` turns the vectors slowly all the way through.

    With `needle_s` a query scores 0.9 in the second from there on, and less the farther away.
    """
    edges = np.concatenate([[0.0], np.cumsum(scenes)])
    times = np.arange(round(edges[-1] * fps)) / fps
    scene = np.searchsorted(edges, times + 1e-6, side="right") - 1
    vectors = np.random.default_rng(7).standard_normal((len(scenes), 256))[scene]
    if drift:
        turn = np.linspace(0, drift, len(times))[:, None]
        vectors = np.cos(turn) * vectors + np.sin(turn) * np.random.default_rng(8).standard_normal(256)
    scores = None
    if needle_s is not None:
        away = np.maximum(np.maximum(needle_s - times, times - needle_s - 1 + 1e-6), 0)
        scores = Scores(times, np.where(away == 0, 0.9, np.clip(0.45 - 0.015 * away, 0, None)), "needle")
    likeness = VectorLikeness(times, vectors, "made")
    cuts = tuple(float(e) for e in edges[1:-1])
    given = {"width": 640, "height": 360, "likeness": likeness, "scores": scores, "cuts_s": cuts, "seed": seed, **more}
    return Inputs(0.0, float(edges[-1]), times, **given)  # type: ignore[arg-type]


def walked(seconds: float) -> SeenPoints:
    """What a camera sees that goes through a long room, once a second."""
    things = np.random.default_rng(9).random((80, 3)) * [4, 4, 2]
    times = np.arange(seconds)
    return SeenPoints(times, tuple(things + np.array([0.2 * t, 0, 0]) for t in times))


def picture(width: int = 640, height: int = 360) -> Inputs:
    """A still picture."""
    likeness = VectorLikeness(np.zeros(1), np.ones((1, 4)), "made")
    scores = Scores(np.zeros(1), np.ones(1), "made")
    seen = SeenPoints(np.zeros(1), (np.random.default_rng(9).random((200, 3)),))
    return Inputs(0.0, 1.0, np.zeros(1), width, height, likeness, scores, image=True, seen=seen)


def plan(name: str, inputs: Inputs, **params: object) -> Plan:
    """The plan of a policy, checked against what every plan must keep to."""
    policy, settings = configured(name, params)
    return make_plan(policy, settings, inputs)


def scenes_met(made: Plan, inputs: Inputs, roles: Sequence[str] | None = None) -> float:
    """Share of scenes with a planned frame, of some roles."""
    edges = [inputs.start_s, *inputs.cuts_s, inputs.end_s]
    spans = [Span(a, b) for a, b in pairwise(edges)]
    times = [f.t_s for f in made.frames if roles is None or f.role in roles]
    return float(np.mean([any(s.start_s - 1e-6 <= t < s.end_s for t in times) for s in spans]))
