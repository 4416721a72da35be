"""Open-vocabulary detection: where in each stored picture the things are that were asked for, and how well each query fits at best.

Queries are listed, or taken from what the dataset says of the medium (the phrases of tracks, the things of claims). Backends:
`proposals` runs anywhere (regions by OpenCV, scored by a CLIP model), `faces` knows faces, `grounding_dino` and `owlv2` are the models
for real footage, `http` is a service of your own. A picture in which nothing is found has no detections, but its best scores.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Resources, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.kept import one_producer
from ...engine.models import ModelRef
from ...schemas.objects import phrase_of
from ..vision.clip_choice import COMPOSED_TINY, ClipParams, extra_of, find_clip, load_clip
from . import detector_faces, detector_transformers
from .detecting import Detector, best_scores, chosen
from .detector_http import HttpDetector
from .detector_proposals import Proposals
from .stills import COLUMNS, stills_of

Backend = Literal["proposals", "faces", "grounding_dino", "owlv2", "http"]
THRESHOLDS: dict[Backend, float] = {"proposals": 0.5, "faces": 0.5, "grounding_dino": 0.35, "owlv2": 0.2, "http": 0.35}
"""Scores of different detectors mean different things. Grounding DINO: VideoRefer's engine; OWLv2: its authors' demonstration."""
_PICTURES = 16
"""Pictures that are held decoded at a time."""


class DetectParams(BaseParams):
    """Parameters of detect."""

    backend: Backend = Field("proposals", description="Who looks.")
    queries: tuple[str, ...] = Field((), description="What to look for: common nouns or short phrases.")
    labels: dict[str, str] = Field(
        default_factory=dict, description="Common noun of a query, for the label; by default the query's last word."
    )
    queries_from: tuple[Literal["tracks", "claims"], ...] = Field(
        (), description="Also look for what these tables name: phrases of tracks, things of claims."
    )
    frame_set: str | None = Field(None, description="Stored frame set to look at; null: the first by name.")
    threshold: float | None = Field(None, ge=0, le=1, description="Least score; null: the backend's.")
    nms_iou: float = Field(0.5, gt=0, le=1, description="Of two boxes of a query with more IoU the better one stays.")
    across_iou: float = Field(0.8, gt=0, le=1, description="The same for boxes of different queries.")
    per_query: int = Field(20, ge=1, description="Boxes per query and picture, at most.")
    model: str | None = Field(None, description="Of grounding_dino and owlv2: name on the hub; null: a small one.")
    path: str | None = Field(
        None, description="Local weights: a folder of transformers, or of faces a centerface.onnx."
    )
    device: Literal["cpu", "cuda"] = Field("cpu", description="Where to compute.")
    dtype: Literal["fp32", "fp16", "bf16"] = Field("fp32", description="Precision; other than fp32 on cuda only.")
    batch: int = Field(4, ge=1, description="Pictures per call.")
    threads: int = Field(1, ge=1, description="Processor threads; fixed, so that rows are reproducible.")
    clip: ClipParams = Field(
        ClipParams(model=COMPOSED_TINY), description="Of proposals: the CLIP model, as in clip_embedding."
    )
    template: str = Field("a {}", description="Of proposals: sentence around a query for the CLIP model.")
    regions: int = Field(40, ge=1, le=400, description="Of proposals: regions per picture.")
    least_area: float = Field(0.001, gt=0, lt=1, description="Of proposals: smallest region, share of the picture.")
    most_area: float = Field(0.6, gt=0, le=1, description="Of proposals: largest region, share of the picture.")
    url: str | None = Field(None, pattern=r"^https?://", description="Of http: where pictures are posted to.")
    service_version: str = Field("1", description="Of http: change it when the service answers differently.")
    auth_env: str | None = Field(
        None, description="Of http: environment variable with the value of the authorisation header."
    )
    timeout_s: float = Field(60.0, gt=0, description="Of http: longest wait for an answer.")
    retries: int = Field(4, ge=0, description="Of http: how often a request is repeated when the service is busy.")
    longest_pause_s: float = Field(60.0, gt=0, description="Of http: longest pause before a repetition.")

    @model_validator(mode="after")
    def _whole(self) -> DetectParams:
        if (self.backend == "http") != (self.url is not None):
            raise ValueError("url: belongs to backend http, and to no other")
        if not self.queries and not self.queries_from and self.backend != "faces":
            raise ValueError("detect looks for `queries:`, or `queries_from:` tracks or claims; give one of them")
        if self.device == "cpu" and self.dtype != "fp32":
            raise ValueError(f"dtype {self.dtype} is for device cuda; on a CPU it is slower than fp32")
        return self


class Detect(UnitAnnotator[DetectParams]):
    """Writes `detections` and `detection_scores` of one medium, from its stored `frames`."""

    name: ClassVar[str] = "detect"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = DetectParams
    reads: ClassVar[tuple[str, ...]] = ("media", "frames")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS
    writes: ClassVar[tuple[str, ...]] = ("detections", "detection_scores")
    quick_units: ClassVar[int] = 4
    needs_extra: ClassVar[str | None] = "onnx"

    def __init__(self, params: DetectParams) -> None:
        super().__init__(params)
        self._detector: Detector | None = None

    def dynamic_reads(self) -> tuple[str, ...]:
        """Also the tables that queries come from."""
        return (*self.reads, *self.params.queries_from)

    def extras(self) -> tuple[str, ...]:
        """What the backend needs."""
        if self.params.backend == "proposals":
            return (extra_of(self.params.clip),)
        return ("detect",) if self.params.backend in detector_transformers.HUB else ()

    def resources(self) -> Resources:
        """A processor per thread, or a GPU of its own."""
        return Resources(cpus=float(self.params.threads), gpus=1.0 if self.params.device == "cuda" else 0.0)

    def models(self) -> Sequence[ModelRef]:
        """The detector's weights. Raises `ModelNotFound`."""
        p = self.params
        match p.backend:
            case "proposals":
                return (find_clip(p.clip),)
            case "faces":
                return (detector_faces.find(p.path),)
            case "http":
                return ()
        return (detector_transformers.find(p.backend, p.model, p.path),)

    def setup(self) -> None:
        """Load the detector."""
        p = self.params
        if p.backend == "http":
            assert p.url is not None
            self._detector = HttpDetector(
                p.url, auth_env=p.auth_env, batch=p.batch, timeout_s=p.timeout_s, retries=p.retries, longest_pause_s=p.longest_pause_s
            )  # fmt: skip
            return
        (model,) = self.models()
        match p.backend:
            case "proposals":
                encoder = load_clip(p.clip, 16)
                self._detector = Proposals(
                    encoder, most=p.regions, least_area=p.least_area, most_area=p.most_area, template=p.template
                )
            case "faces":
                self._detector = detector_faces.Faces(model)
            case kind:
                self._detector = detector_transformers.TransformersDetector(
                    kind, model, device=p.device, dtype=p.dtype, batch=p.batch, threads=p.threads
                )

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Rows of each picture in order of time. Raises `SkipUnit` without pictures or queries."""
        p = self.params
        stills = stills_of(rows, p.frame_set)
        queries = self.queries(rows)
        if not queries:
            raise SkipUnit("nothing to look for is named")
        if self._detector is None:
            self.setup()
        assert self._detector is not None
        threshold = THRESHOLDS[p.backend] if p.threshold is None else p.threshold
        labels = [p.labels.get(q, q.split()[-1].lower()) for q in queries]
        for first in range(0, len(stills), _PICTURES):
            part = stills[first : first + _PICTURES]
            for still, regions in zip(part, self._detector.regions(part, queries), strict=True):
                found = chosen(regions, still.width, still.height, threshold, p.nms_iou, p.across_iou, p.per_query)
                model, best = self._detector.model_name, best_scores(regions)
                for k, (query, label) in enumerate(zip(queries, labels, strict=True)):
                    mine = [f for f in found if f.query == k]
                    common = {"t_s": still.t_s, "query": query, "label": label, "model": model}
                    yield "detection_scores", {**common, "best": round(float(best[k]), 6), "found": len(mine)}
                    for number, one in enumerate(mine):
                        x1, y1, x2, y2 = (round(v, 6) for v in one.box.edges)
                        place = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
                        yield "detections", {**common, **place, "number": number, "score": round(one.score, 6)}

    def queries(self, rows: Rows) -> list[str]:
        """What is looked for in a medium: the listed queries, then those of its rows in alphabetical order, each once."""
        p = self.params
        named: set[str] = set()
        if "tracks" in p.queries_from:
            named |= {phrase_of(t) for t in one_producer(rows["tracks"])}
        if "claims" in p.queries_from:
            for claim in one_producer(rows["claims"]):
                told = json.loads(claim["arguments_json"] or "{}")
                if (
                    claim["kind"] in ("object", "attribute", "count")
                    and not told.get("negated")
                    and told.get("subject")
                ):
                    named.add(str(told["subject"]).lower().strip())
        listed = p.queries or (("face",) if p.backend == "faces" else ())
        return list(dict.fromkeys((*listed, *sorted(named))))


ANNOTATOR = Detect
