"""What a model is shown of a sample's window: numbered facts and pictures, whole or with a part taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...engine.annotator import Rows
from ...engine.llm.ask import Footage, Still
from ...engine.llm.evidence import facts_of
from ...engine.llm.models import Models
from ...schemas.facts import FactKind, Facts
from ...schemas.matching import quoted_parts
from ...schemas.sample import Sample
from ...schemas.span import Span, seconds_text

TABLES = ("frames", "speech", "text_regions", "captions", "claims", "shots", "tracks", "triples")
"""Where pictures and facts come from; all may be missing."""
COLUMNS = {"frames": ("t_s",)}
"""Of pictures, only that they are there: their bytes are read when they are shown."""
KINDS: tuple[FactKind, ...] = ("speech", "text", "event", "caption", "shot", "object", "relation")
Variant = Literal["full", "no_pictures", "no_speech", "middle_frame"]
SPOKEN: tuple[FactKind, ...] = ("speech",)


@dataclass(frozen=True)
class Seen:
    """Facts and pictures of one window."""

    facts: Facts
    pictures: tuple[Still | Footage, ...]
    window: Span

    @property
    def nothing(self) -> bool:
        return not self.facts and not self.pictures

    def fill(self) -> dict[str, str]:
        """Texts for the places `window` and `evidence` of a prompt."""
        span = f"{seconds_text(round(self.window.start_s, 2))} to {seconds_text(round(self.window.end_s, 2))} s"
        shown = f"{len(self.pictures)} pictures follow." if self.pictures else ""
        listed = self.facts.listing() or "(nothing is known in words)"
        return {"window": span, "evidence": "\n".join(part for part in (listed, shown) if part)}


def seen(
    sample: Sample, rows: Rows, models: Models, role: str, variant: Variant = "full", *, most_facts: int = 60
) -> Seen:
    """What is left of a sample's first window in a variant. `rows` are those about its medium. Without speech, descriptions that
    quote somebody are gone too.
    """
    window, media_id = sample.window.quantised(), sample.media[0].media_id
    kinds: Sequence[FactKind] = {
        "full": KINDS,
        "no_pictures": SPOKEN,
        "no_speech": tuple(k for k in KINDS if k not in SPOKEN),
        "middle_frame": (),
    }[variant]
    facts = facts_of(rows, window, kinds, most=most_facts) if kinds else Facts()
    if variant == "no_speech":
        facts = Facts(f for f in facts.values() if f.kind == "text" or not quoted_parts(f.text or ""))
    if variant == "no_pictures" or sample.media[0].kind not in ("video", "image"):
        return Seen(facts, (), window)
    if variant == "middle_frame":
        middle = window.centre_s
        return Seen(facts, tuple(models.stills(role, media_id, window, at=(middle,), most=1)), window)
    if models.settings(role).sees == "video_url":
        return Seen(facts, tuple(models.footage(role, media_id, window)), window)
    return Seen(facts, tuple(models.stills(role, media_id, window)), window)
