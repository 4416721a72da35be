"""A session for services that are busy at times: what may pass is asked again, as long as the service wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import requests

BUSY = (429, 500, 502, 503, 504)
"""Answers after which a request is repeated."""


def patient_session(retries: int, longest_pause_s: float) -> requests.Session:
    """A session that repeats a POST up to `retries` times, with growing pauses or those that the service names."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    session = requests.Session()
    retry = Retry(
        total=retries,
        status_forcelist=BUSY,
        allowed_methods={"POST"},
        backoff_factor=0.5,
        backoff_max=longest_pause_s,
        retry_after_max=int(longest_pause_s) or 1,
        raise_on_status=False,
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session
