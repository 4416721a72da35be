"""The identity of a medium: a hash of its bytes, so that a file keeps its annotations when it is moved or
copied.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from ...schemas.ids import ID_BYTES

_CHUNK_BYTES = 4 << 20


def media_id_of(path: Path | str) -> str:
    """Twenty hexadecimal digits of BLAKE2b over the whole file, read in pieces. Raises `OSError` when
    unreadable.
    """
    digest = hashlib.blake2b(digest_size=ID_BYTES)
    with Path(path).open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
