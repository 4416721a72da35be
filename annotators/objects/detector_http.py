"""A detector behind a web service of your own: pictures and queries go out as JSON, boxes come back.

One POST per batch: `{"pictures": [{t_s, width, height, jpeg_base64}], "queries": ["a cat", ...]}`; the answer is
`{"model": "name and weights", "detections": [[{"query": 0, "box": [x1, y1, x2, y2], "score": 0.7}, ...], ...]}` with one list per
picture, `query` an index, edges as shares of the picture (origin top left), scores from 0 to 1. Boxes below the threshold
may be sent, so that the best score of a query is known. A change of the service goes unnoticed unless `service_version` is raised.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...engine.annotator import TransientError
from ..patient_http import BUSY, patient_session
from .detecting import Regions, no_regions
from .stills import Still

Share = Annotated[float, Field(ge=-0.01, le=1.01, allow_inf_nan=False)]


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore")

    query: int = Field(ge=0)
    box: tuple[Share, Share, Share, Share]
    score: float = Field(ge=0, le=1)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", protected_namespaces=())

    model: str = Field(min_length=1)
    detections: list[list[_Said]]


class HttpDetector:
    """A service; `model_name` is known after the first answer."""

    def __init__(
        self, url: str, *, auth_env: str | None, batch: int, timeout_s: float, retries: int, longest_pause_s: float
    ) -> None:
        """Raises `ValueError` when the authorisation variable is not set."""
        self._url, self._batch, self._timeout, self._retries = url, batch, timeout_s, retries
        self._session = patient_session(retries, longest_pause_s)
        if auth_env is not None:
            secret = os.environ.get(auth_env)
            if not secret:
                raise ValueError(f"detect: set the environment variable {auth_env} (authorisation for {url})")
            self._session.headers["Authorization"] = secret
        self.model_name = f"http {url}"

    def regions(self, stills: Sequence[Still], queries: Sequence[str]) -> list[Regions]:
        """Raises `TransientError` when the service stays busy or unreachable, `ValueError` when it refuses or answers otherwise."""
        made: list[Regions] = []
        for first in range(0, len(stills), self._batch):
            part = stills[first : first + self._batch]
            answer = self._asked(part, queries)
            self.model_name = f"http {answer.model}"
            for still, said in zip(part, answer.detections, strict=True):
                if not said:
                    made.append(no_regions(len(queries)))
                    continue
                boxes = np.asarray([s.box for s in said]) * np.asarray([still.width, still.height] * 2)
                scores = np.zeros((len(said), len(queries)))
                for n, one in enumerate(said):
                    scores[n, one.query] = one.score
                made.append(Regions(boxes, scores))
        return made

    def _asked(self, stills: Sequence[Still], queries: Sequence[str]) -> _Answer:
        import requests

        pictures = [
            {
                "t_s": s.t_s,
                "width": s.width,
                "height": s.height,
                "jpeg_base64": base64.b64encode(s.jpeg).decode("ascii"),
            }
            for s in stills
        ]
        try:
            response = self._session.post(
                self._url,
                json={"pictures": pictures, "queries": list(queries)},
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise TransientError(
                f"{self._url} cannot be reached: {type(error).__name__}; is the service running?"
            ) from None
        if response.status_code in BUSY:
            raise TransientError(f"{self._url} answered {response.status_code} {self._retries + 1} times")
        if response.status_code != 200:
            said = " ".join(response.text.split())[:200]
            raise ValueError(f"{self._url} answered {response.status_code} {response.reason}: {said}")
        try:
            answer = _Answer.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(x) for x in first["loc"]) or "answer"
            raise ValueError(
                f'{self._url} must answer {{"model": ..., "detections": [[...], ...]}}; {place}: {first["msg"]}'
            ) from None
        if len(answer.detections) != len(stills):
            raise ValueError(f"{self._url} answered about {len(answer.detections)} pictures, {len(stills)} were sent")
        if any(d.query >= len(queries) for found in answer.detections for d in found):
            raise ValueError(f"{self._url} names a query that was not asked; indices run from 0 to {len(queries) - 1}")
        return answer
