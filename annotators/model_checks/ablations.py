"""What is needed to answer? The same model answers with everything, and with a part of it taken away.

Variants: `full`, `no_pictures` (and nothing that was seen), `no_speech`, `middle_frame` (one picture, no facts).
Without what a sample says it needs, the answer must be lost; without anything else it must not. Nothing is said of a sample
that is answered wrongly with everything at hand. Writing cannot be taken out of pictures, so there is no variant without it. The
replies are those of one model, so this is for shares over many samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from ...engine.annotator import Params, Row, Rows, Stage, Unit
from ...engine.answering.answerable import AUDIBLE, VISUAL
from ...engine.asking import Asking
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...schemas.sample import Sample
from .agreement import answered
from .answers import puttable
from .drawing import CheckParams, Drawn, drawn, of_medium
from .seen import COLUMNS, TABLES, Variant, seen

REMOVES: Mapping[Variant, frozenset[str]] = {
    "no_pictures": VISUAL,
    "no_speech": AUDIBLE,
    "middle_frame": AUDIBLE | {"motion"},
}


class AblationsParams(CheckParams):
    """Parameters of `ablations`."""

    model: str = Field("checker", description="role of `models:` that answers")
    variants: tuple[Variant, ...] = Field(
        ("no_pictures", "no_speech", "middle_frame"), min_length=1, description="What is taken away."
    )
    share: float = Field(0.2, gt=0, le=1, description="Share of the samples that is looked at; drawn by hash.")
    most_facts: int = Field(60, ge=1, description="evidence of one window, at most")
    prompt: str | None = Field(
        None, description="file of your own instead of the carried prompt, relative to the recipe"
    )


class Ablations(Asking[AblationsParams]):
    """Writes `sample_checks` of the name `ablation`, a row for each variant, about choices or samples of the named tasks."""

    name: ClassVar[str] = "ablations"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = AblationsParams
    reads: ClassVar[tuple[str, ...]] = ("samples", *TABLES)
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS
    optional_reads: ClassVar[tuple[str, ...]] = TABLES
    writes: ClassVar[tuple[str, ...]] = ("sample_checks",)
    stage: ClassVar[Stage] = "task"
    on_request: ClassVar[bool] = True

    def roles(self) -> tuple[str, ...]:
        """The one who answers."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """The one prompt."""
        return (read_prompt("answer", self.params.prompt, self.folder),)

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """Rows of the drawn samples. Raises `SkipUnit` when there are none."""
        assert unit.medium is not None
        media_id, role = unit.medium.media_id, self.params.model
        named = self.params.tasks is not None

        def wanted(sample: Sample) -> bool:
            shown = sample.media[0].media_id == media_id and sample.media[0].kind == "video"
            return shown and len(sample.media) == 1 and puttable(sample) and (named or sample.answer.kind == "choice")

        chosen, mine = drawn(rows, unit, self.name, self.params, wanted), of_medium(rows, media_id)
        variants: tuple[Variant, ...] = ("full", *self.params.variants)
        asked = [(d, variant) for d in chosen for variant in variants]

        async def one(which: tuple[Drawn, Variant]) -> tuple[float | None, str]:
            d, variant = which
            shown = seen(d.sample, mine, models, role, variant, most_facts=self.params.most_facts)
            if shown.nothing and variant == "full":
                return None, ""
            return await answered(d, 0, shown, self, role, None, models)

        got = dict(zip([(d.sample_id, v) for d, v in asked], await models.each(asked, one), strict=True))
        model = models.settings(role).name
        return [
            ablation_row(d, v, got[d.sample_id, v], got[d.sample_id, "full"][0], model)
            for d in chosen
            for v in variants
        ]


def ablation_row(d: Drawn, variant: Variant, reply: tuple[float | None, str], full: float | None, model: str) -> Row:
    """What one variant says of a sample, given whether it was answered rightly with everything at hand."""
    right, request = reply
    if variant == "full":
        passed = None if right is None else bool(right)
        detail = "with everything at hand: " + ("no readable reply" if right is None else "right" if right else "wrong")
        return d.row("ablation", variant, passed, right, model, detail, request or None)
    needed = bool(REMOVES[variant] & set(d.sample.needs))
    what = variant.replace("_", " ")
    if right is None or not full:
        return d.row("ablation", variant, None, right, model, f"{what}: not answered rightly with everything at hand", request or None)  # fmt: skip
    words = "still right" if right else "not right any more"
    expected = "what the sample needs was taken away" if needed else "nothing that the sample needs was taken away"
    return d.row("ablation", variant, bool(right) != needed, right, model, f"{what}: {words}; {expected}", request)


ANNOTATOR = Ablations
