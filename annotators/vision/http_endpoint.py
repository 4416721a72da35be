"""A web service as an annotator: pictures go out as JSON, rows come back.

One POST per batch: `{"pictures": [{media_id, t_s, until_s, width, height, jpeg_base64}], "parameters":
{...}}`; the answer is `{"rows": [[{column: value}, ...], ...]}` with one list per picture. Busy services
are asked again, as long as they ask for; what then still fails is left to the next build. Limits: the same
picture must give the same rows, and a change of the service goes unnoticed unless `service_version` is
raised.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...engine.annotator import BatchAnnotator, FrameSet, Params, Picture, Resources, Row, TransientError
from ..foreign_rows import checked_row, row_model
from ..patient_http import BUSY, patient_session

if TYPE_CHECKING:
    import requests


class HttpEndpointParams(Params):
    """Parameters of `http_endpoint`."""

    url: str = Field(pattern=r"^https?://", description="where pictures are posted to")
    table: str = Field(default="measurements", description="table that the rows go to")
    service_version: str = Field(default="1", description="change it when the service answers differently")
    parameters: dict[str, Any] = Field(default_factory=dict, description="sent along with every request")
    auth_env: str | None = Field(
        default=None, description="environment variable that holds the value of the authorisation header"
    )
    auth_header: str = Field(default="Authorization", description="name of the authorisation header")
    fps: float = Field(default=1.0, gt=0, description="pictures per second")
    max_side_px: int = Field(default=512, ge=16, description="longest side of the pictures")
    quality: int = Field(default=90, ge=1, le=100, description="JPEG quality of the pictures")
    min_change: float = Field(default=0.0, ge=0, lt=1, description="pictures that changed less are not sent")
    batch_size: int = Field(default=8, ge=1, description="pictures per request")
    timeout_s: float = Field(default=60.0, gt=0, description="longest wait for an answer")
    retries: int = Field(default=4, ge=0, description="how often a request is repeated when the service is busy")
    longest_pause_s: float = Field(default=60.0, gt=0, description="longest pause before a repetition")


class Answer(BaseModel):
    """What the service must answer."""

    model_config = ConfigDict(extra="forbid")

    rows: list[list[dict[str, Any]]]


class HttpEndpoint(BatchAnnotator[HttpEndpointParams]):
    """Posts pictures and writes the checked rows of the answer."""

    name: ClassVar[str] = "http_endpoint"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = HttpEndpointParams
    writes: ClassVar[tuple[str, ...]] = ("measurements",)

    def __init__(self, params: HttpEndpointParams) -> None:
        super().__init__(params)
        row_model(params.table)
        self._session: requests.Session | None = None

    def dynamic_writes(self) -> tuple[str, ...]:
        """The table that was chosen."""
        return (self.params.table,)

    def resources(self) -> Resources:
        """It mostly waits."""
        return Resources(cpus=0.1)

    def frame_set(self) -> FrameSet:
        """The pictures that are sent."""
        p = self.params
        return FrameSet(p.fps, p.max_side_px, p.quality, p.min_change)

    @property
    def batch_size(self) -> int:
        """Pictures per request."""
        return self.params.batch_size

    def setup(self) -> None:
        """Prepare the connection. Raises `ValueError` when the authorisation variable is not set."""
        p = self.params
        session = patient_session(p.retries, p.longest_pause_s)
        if p.auth_env is not None:
            secret = os.environ.get(p.auth_env)
            if not secret:
                raise ValueError(
                    f"http_endpoint: set the environment variable {p.auth_env} (authorisation for {p.url})"
                )
            session.headers[p.auth_header] = secret
        self._session = session

    def look(self, pictures: Sequence[Picture]) -> list[list[Row]]:
        """Rows of each picture.

        Raises `TransientError` when the service stays busy or unreachable, `ValueError` when it refuses
        the request or answers something else than rows.
        """
        answer = self._parsed(self._post(pictures), len(pictures))
        table, url = self.params.table, self.params.url
        made: list[list[Row]] = []
        for picture, rows in zip(pictures, answer.rows, strict=True):
            defaults = {
                "t_s": picture.t_s,
                "until_s": picture.until_s,
                "start_s": picture.t_s,
                "end_s": picture.until_s,
            }
            where = f"{url} about {picture.media_id} at {picture.t_s:g} s"
            made.append([(table, checked_row(table, row, defaults, where)) for row in rows])
        return made

    def _post(self, pictures: Sequence[Picture]) -> requests.Response:
        import requests

        if self._session is None:
            self.setup()
        assert self._session is not None
        p = self.params
        body = {"pictures": [_as_json(picture) for picture in pictures], "parameters": p.parameters}
        try:
            response = self._session.post(p.url, json=body, timeout=p.timeout_s, allow_redirects=False)
        except requests.RequestException as error:
            raise TransientError(
                f"{p.url} cannot be reached: {type(error).__name__}; is the service running?"
            ) from None
        if response.status_code in BUSY:
            raise TransientError(f"{p.url} answered {response.status_code} {response.reason} {p.retries + 1} times")
        if response.status_code != 200:
            said = " ".join(response.text.split())[:200]
            raise ValueError(f"{p.url} answered {response.status_code} {response.reason}: {said}")
        return response

    def _parsed(self, response: requests.Response, expected: int) -> Answer:
        try:
            answer = Answer.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(x) for x in first["loc"]) or "answer"
            raise ValueError(
                f'{self.params.url} must answer {{"rows": [[...], ...]}} with a list of rows per '
                f"picture; {place}: "
                f"{first['msg']}"
            ) from None
        if len(answer.rows) != expected:
            raise ValueError(f"{self.params.url} answered about {len(answer.rows)} pictures, {expected} were sent")
        return answer


def _as_json(picture: Picture) -> dict[str, Any]:
    return {
        "media_id": picture.media_id,
        "t_s": picture.t_s,
        "until_s": picture.until_s,
        "width": picture.width,
        "height": picture.height,
        "jpeg_base64": base64.b64encode(picture.jpeg).decode("ascii"),
    }


ANNOTATOR = HttpEndpoint
