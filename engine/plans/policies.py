"""The registry of policies: by the names that the list of papers gives them, with what each needs to look at."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from .carrier import CarrierParams, frame_carrier_stream
from .chunks import (
    ChunkedParams,
    MemoryParams,
    SlidingParams,
    chunked_multigranular,
    memory_propagated_clip_stream,
    sliding_clip_16x8,
)
from .cubes import CubesParams, density_cubes
from .plan import Inputs, Plan, PlanError
from .policy import Policy, PolicyParams
from .pooling import (
    BudgetParams,
    PoolParams,
    StillParams,
    progressive_static_video,
    temporal_pool_reduction,
    token_budget_columns,
)
from .resolution import OnDemandParams, ondemand_resolution_1x_16x
from .segments import TdcParams, temporal_dynamic_context
from .slow_fast import SlowFastParams, slow_fast_similarity
from .snippets import CurriculumParams, RgbFlowParams, frame_curriculum, temporal_segment_rgb_flow
from .space_aware import SpaceAwareParams, space_aware_sampling
from .text_conditioned import TextConditionedParams, text_conditioned_balanced_tokens
from .tstar import TStarParams, tstar_keyframe_search
from .two_rates import CrossAttentionParams, DualRateParams, dual_rate_frame_plan, slow_fast_cross_attention_plan
from .uniform import (
    FpsParams,
    KeyframeParams,
    TimestampParams,
    UniformParams,
    fps,
    interleaved_timestamps,
    keyframe,
    uniform,
)

_ENTRIES: tuple[tuple[int | None, type[PolicyParams], Callable[[Inputs, Any], Plan], tuple[str, ...]], ...] = (
    (None, UniformParams, uniform, ()),
    (None, FpsParams, fps, ()),
    (None, KeyframeParams, keyframe, ()),
    (1, OnDemandParams, ondemand_resolution_1x_16x, ()),
    (6, TStarParams, tstar_keyframe_search, ("scores",)),
    (8, TimestampParams, interleaved_timestamps, ()),
    (12, DualRateParams, dual_rate_frame_plan, ()),
    (15, BudgetParams, token_budget_columns, ()),
    (20, TextConditionedParams, text_conditioned_balanced_tokens, ("likeness", "scores")),
    (23, CrossAttentionParams, slow_fast_cross_attention_plan, ()),
    (25, ChunkedParams, chunked_multigranular, ()),
    (30, RgbFlowParams, temporal_segment_rgb_flow, ()),
    (36, SpaceAwareParams, space_aware_sampling, ("space",)),
    (37, PoolParams, temporal_pool_reduction, ()),
    (42, MemoryParams, memory_propagated_clip_stream, ()),
    (45, SlowFastParams, slow_fast_similarity, ("likeness",)),
    (47, SlidingParams, sliding_clip_16x8, ()),
    (51, TdcParams, temporal_dynamic_context, ("likeness",)),
    (55, CarrierParams, frame_carrier_stream, ("likeness",)),
    (57, StillParams, progressive_static_video, ()),
    (70, CurriculumParams, frame_curriculum, ()),
    (82, CubesParams, density_cubes, ("likeness",)),
)
POLICIES: Mapping[str, Policy] = {
    function.__name__: Policy(function.__name__, row, params, function, needs)
    for row, params, function, needs in _ENTRIES
}


def configured(name: str, params: Mapping[str, Any] | None = None) -> tuple[Policy, PolicyParams]:
    """A policy and its parameters. Raises `PlanError` for an unknown name, with close ones, and for wrong parameters."""
    policy = POLICIES.get(name)
    if policy is None:
        close = difflib.get_close_matches(name, POLICIES, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(POLICIES)}"
        raise PlanError(f"no policy is called {name!r}; {hint}")
    try:
        return policy, policy.Params.model_validate(params or {})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        known = ", ".join(policy.Params.model_fields)
        raise PlanError(f"policy {name}: {where}: {first['msg']}; parameters are {known}") from None


def make_plan(policy: Policy, params: PolicyParams, inputs: Inputs) -> Plan:
    """The policy's plan, checked against what every plan must keep to.

    Raises `PlanError` where the inputs lack what it needs, and `AssertionError` for a plan that breaks its own rules.
    """
    plan = policy.plan(inputs, params)
    problems = plan.problems(inputs.start_s, inputs.end_s)
    if problems:
        raise AssertionError(f"policy {policy.name}: {'; '.join(problems[:3])}")
    return plan
