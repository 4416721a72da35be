"""Posting to a web service: authorisation from the environment, repetition while it is busy, and errors that name the service.

What stays busy or unreachable is a `TransientError`, so that the next build tries again; a refusal is a `ValueError`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .annotator import TransientError

if TYPE_CHECKING:
    import requests

BUSY = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Service:
    """Where to post and how patiently."""

    url: str
    auth_env: str | None = None
    """Environment variable that holds the value of the authorisation header."""
    auth_header: str = "Authorization"
    timeout_s: float = 60.0
    retries: int = 4
    longest_pause_s: float = 60.0

    def session(self, who: str) -> requests.Session:
        """A connection. Raises `ValueError` when the authorisation variable is not set; `who` asks."""
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry

        made = requests.Session()
        if self.auth_env is not None:
            secret = os.environ.get(self.auth_env)
            if not secret:
                raise ValueError(f"{who}: set the environment variable {self.auth_env} (authorisation for {self.url})")
            made.headers[self.auth_header] = secret
        retry = Retry(
            total=self.retries,
            status_forcelist=BUSY,
            allowed_methods={"POST"},
            backoff_factor=0.5,
            backoff_max=self.longest_pause_s,
            retry_after_max=int(self.longest_pause_s) or 1,
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            made.mount(scheme, HTTPAdapter(max_retries=retry))
        return made

    def post(self, session: requests.Session, body: Mapping[str, Any]) -> requests.Response:
        """The answer to a body of JSON, status 200. Raises `TransientError` or `ValueError`."""
        import requests

        try:
            response = session.post(self.url, json=body, timeout=self.timeout_s, allow_redirects=False)
        except requests.RequestException as error:
            raise TransientError(
                f"{self.url} cannot be reached: {type(error).__name__}; is the service running?"
            ) from None
        if response.status_code in BUSY:
            raise TransientError(
                f"{self.url} answered {response.status_code} {response.reason} {self.retries + 1} times"
            )
        if response.status_code != 200:
            said = " ".join(response.text.split())[:200]
            raise ValueError(f"{self.url} answered {response.status_code} {response.reason}: {said}")
        return response
