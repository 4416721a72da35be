"""Whether stored features still are what their encoder makes of their pictures: a drawn sample is encoded again.

Writes `measurements` called `feature_cache_error`: the largest difference of any number, or 1e9 where there is no entry under the
picture's hash and the encoder's revision. Parameters must be those of the `frame_features` that is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.kept import one_producer
from ...schemas.ids import seeded_fraction
from ...schemas.span import to_us
from . import frame_features
from .encoders import load_encoder
from .stills import COLUMNS, stills_of

MISSING = 1e9


class FrameFeatureCheckParams(frame_features.FrameFeaturesParams):
    """Parameters of frame_feature_check: those of frame_features, and how many are looked at."""

    share: float = Field(0.01, gt=0, le=1, description="Share of the entries that is encoded again; at least one.")


class FrameFeatureCheck(frame_features.FrameFeatures):
    """Writes `measurements` about the `frame_features` of one medium."""

    name: ClassVar[str] = "frame_feature_check"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = FrameFeatureCheckParams
    reads: ClassVar[tuple[str, ...]] = ("media", "frames", "frame_features")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS
    writes: ClassVar[tuple[str, ...]] = ("measurements",)

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """A row per drawn picture. Raises `SkipUnit` without features."""
        features = one_producer(rows["frame_features"])
        if not features:
            raise SkipUnit("no features to check")
        if self._encoder is None:
            self._encoder = load_encoder(self.params)
        assert isinstance(self.params, FrameFeatureCheckParams)
        stills = {to_us(s.t_s): s for s in stills_of(rows, self.params.frame_set)}
        ranked = sorted(features, key=lambda r: (seeded_fraction(unit.seed, self.name, unit.unit, r["t_s"]), r["t_s"]))
        for row in sorted(ranked[: max(1, round(self.params.share * len(ranked)))], key=lambda r: r["t_s"]):
            still = stills.get(to_us(row["t_s"]))
            error = MISSING
            if (
                still is not None
                and row["revision"] == self._encoder.revision
                and row["frame_hash"] == frame_features.hash_of(still)
            ):
                again = self._encoder.encode([still.rgb()])[0].ravel()
                stored = np.asarray(row["vector"], np.float64)
                error = float(np.abs(stored - again).max()) if stored.shape == again.shape else MISSING
            yield (
                "measurements",
                {"t_s": row["t_s"], "name": "feature_cache_error", "value": error, "label": row["encoder"]},
            )


ANNOTATOR = FrameFeatureCheck
