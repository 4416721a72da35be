"""What kind of video a medium is: one of the 18 categories of VCGBench-Diverse, or two, as a model sees it.

The model is shown facts (descriptions, speech, writing) and, where its role sees pictures, a few stored ones. A category is a
judgement, not a measurement: it serves for counting how a set is mixed and for selecting, never as an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.asking import Asking
from ...engine.llm.ask import Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.evidence import facts_of
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...schemas.facts import FactKind, Facts
from ...schemas.slots import names_in, resolve
from ...schemas.span import Span
from ...schemas.tables_tags import CATEGORY_SCHEME

Category = Literal[
    "lifestyle", "how-to", "science and technology", "news", "travel", "entertainment", "film", "sports", "comedy",
    "activism", "gaming", "education", "surveillance", "pets", "cooking", "music", "automobile", "traffic",
]  # fmt: skip
KINDS: tuple[FactKind, ...] = ("event", "caption", "speech", "text")


class CategoriesReply(BaseModel):
    """The category that fits best, perhaps a second one, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    category: Category | None
    second: Category | None
    reason: str
    used: list[str]


class Params(BaseParams):
    """Parameters of categories."""

    model: str = Field("writer", description="Role of `models:` that sorts.")
    prompt: str | None = Field(
        None, description="File of your own instead of the carried prompt, relative to the recipe."
    )
    most_facts: int = Field(40, ge=1, description="Facts that it is shown, evenly spread over the medium.")
    pictures: int = Field(8, ge=0, description="Stored pictures that it is shown, where its role sees any.")


class Categories(Asking[Params]):
    """Rows of `tags` of one medium."""

    name: ClassVar[str] = "categories"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "frames", "captions", "claims", "speech", "text_regions")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {"frames": ("t_s",)}
    optional_reads: ClassVar[tuple[str, ...]] = ("frames", "captions", "claims", "speech", "text_regions")
    writes: ClassVar[tuple[str, ...]] = ("tags", "proposals")

    def roles(self) -> tuple[str, ...]:
        """The model that sorts."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """The one prompt."""
        return (read_prompt(self.name, self.params.prompt, self.folder),)

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """One or two rows of `tags`, and the proposal that they come from; none when no category fits."""
        assert unit.medium is not None
        medium = unit.medium
        whole = Span(0.0, medium.duration_s)
        facts = facts_of(rows, whole, KINDS, most=self.params.most_facts)
        most = self.params.pictures
        stills = models.stills(self.params.model, medium.media_id, whole, most=most) if most else []
        if not facts and not stills:
            raise SkipUnit("nothing is known of the footage: captions, speech, text or pictures")
        prompt = self.prompts()[0]
        ask = Ask(
            role=self.params.model,
            prompt=prompt,
            parts=(prompt.fill(evidence=facts.listing() or "none but the pictures"), *stills),
            reply=CategoriesReply,
            about=medium.media_id,
            typical=lambda: CategoriesReply(
                category="film", second=None, reason="What is told and shown goes with it.", used=list(facts)[:2]
            ),
            check=lambda reply: _problem(reply, facts, whole)[1],
        )
        landing = Landing(unit, self.name)
        try:
            answered = await models.ask(ask)
        except ReplyRejected as error:
            landing.rejected_reply(error, ask)
            return landing.rows()
        reply = answered.value
        row = landing.proposal(answered, 0, reply, facts)
        rule, reason = _problem(reply, facts, whole)
        if not rule and reply.category is None:
            rule, reason = "no_category", "none of the categories fits"
        if rule:
            landing.reject(row, rule, reason)
            return landing.rows()
        landing.keep(row)
        named = [facts[n].row["row_id"] for n in dict.fromkeys((*reply.used, *names_in(reply.reason)))]
        labels = [label for label in (reply.category, reply.second) if label is not None]
        tags: list[Row] = [
            (
                "tags",
                {
                    "scheme": CATEGORY_SCHEME,
                    "label": label,
                    "position": position,
                    "model": answered.model,
                    "reason": resolve(reply.reason, facts, whole).text,
                    "named": named,
                    "request_hash": answered.request_hash,
                },
            )
            for position, label in enumerate(labels)
        ]
        return [*tags, *landing.rows()]


def _problem(reply: CategoriesReply, facts: Facts, whole: Span) -> tuple[str, str]:
    """The rule that a reply breaks and what exactly; two empty texts when none."""
    if reply.second is not None and reply.second == reply.category:
        return "twice", "the second category is the first once more; write null"
    if reply.category is None and reply.second is not None:
        return "twice", "there is a second category but no first"
    for name in reply.used:
        if name not in facts:
            return "unknown_evidence", f"there is no {name}"
    for problem in resolve(reply.reason, facts, whole).problems:
        return problem.rule, problem.detail
    return "", ""


ANNOTATOR = Categories
