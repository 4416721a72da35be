"""Image-text similarity as an opinion: do the pictures of a span fit the claim better than edits of it?

A similarity alone says little, because its scale depends on the wording; so the claim competes with the same sentence
with another colour or label, in which only that word differs. It speaks beyond a margin, and it is a model's opinion. Where it
prefers an edit, that may hold beside the claim (two balls in the picture), so its contradiction is a weak one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .claim import Claim, Opinion

Vectors = NDArray[np.float32]
KINDS = ("object", "attribute")
"""Kinds of claims that an image-text model can tell from their edits; it does not know orders, counts and directions."""


def check_similarity(
    claim: Claim, own: Vectors, edits: Vectors, pictures: Vectors, margin: float, model: str
) -> Opinion | None:
    """The opinion about a claim: unit vectors of its text `[d]`, of its edits `[n, d]` and of pictures of its span
    `[m, d]`. The claim's score is that of the picture that fits it best, and so is each edit's. None within the margin.
    """
    if claim.kind not in KINDS or claim.negated or not len(edits) or not len(pictures):
        return None
    score = float((pictures @ own).max())
    rival = float((pictures @ edits.T).max())
    lead = score - rival
    if abs(lead) < margin:
        return None
    reason = f"{model} {score:.3f}, best edit {rival:.3f}"
    return Opinion("similarity", "supported" if lead > 0 else "contradicted", reason, rule=False, weak=lead < 0)
