"""Questions about a long story in words: where something was hidden, who has it after all hand-overs, who visited a place.

The story stands in the question, chapter by chapter; no picture or sound is shown. A sample is written only when the program
of the question, run over the facts read back from the cited chapters, gives the stored answer; checking does it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.distractors.vocabulary import OTHER_LABEL
from ...engine.kept import medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Task
from ...schemas.markup import escape, quote
from ...schemas.sample import ChoiceAnswer, MediumRef, Option, Sample, Turn
from ...schemas.stories import NUMBERS, Unanswerable, answer, facts_of, heading, words_in
from ...schemas.verifying import Check
from .common import RowDict, Withheld, cite, only_row, rebuilt, rows_of, shuffled, spread, wordings_of

CHAPTER_COLUMNS = ("level", "title", "text")
QUESTION_COLUMNS = ("question_id", "question", "options", "answer_index", "answer_text", "kind", "program_json")
_WINDOW = (0.0, 1.0)
"""A text has no clock; samples name this span."""


class Params(BaseParams):
    """Parameters of story_questions."""

    per_story: int = Field(9, ge=1, description="Samples per story, at most; kinds take turns.")


class StoryQuestions(Task[Params]):
    """Samples from `captions` of the level chapter and `questions` of one text."""

    name = "story_questions"
    version = 1
    Params = Params
    reads = ("media", "captions", "questions", "footage_groups")
    optional_reads = ("footage_groups",)
    must_hurt = ("prior", "options_only")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_story` samples. Raises `SkipUnit` without chapters or questions that have a program."""
        assert unit.medium is not None
        media = medium_row(rows, unit.medium.media_id)
        chapters = [c for c in one_producer(rows["captions"]) if c["level"] == "chapter" and c["title"]]
        asked = [q for q in one_producer(rows["questions"]) if q["program_json"]]
        if not chapters or not asked:
            raise SkipUnit("no chapters with questions")
        split = split_of(rows, unit.medium.media_id)
        order = shuffled(asked, unit.seed, self.name, key=lambda q: q["row_id"])
        for question in spread(order, lambda q: q["kind"], self.params.per_story):
            wording, form = wordings_of(self.name).choose("story", unit.seed, question["row_id"], split=split)
            try:
                yield "samples", self._build(unit.recipe, media, chapters, question, wording.id, form.id).to_row()
            except Withheld:
                continue

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Read the facts from the cited chapters again and run the program."""
        return rebuilt(
            sample,
            lambda: self._build(
                sample.recipe, only_row(evidence, "media"), rows_of(evidence, "captions"), only_row(evidence, "questions"),
                sample.wording, sample.answer_form,
            ),
        )  # fmt: skip

    def _build(
        self, recipe: str, media: RowDict, chapters: Sequence[RowDict], question: RowDict, wording: str, form: str
    ) -> Sample:
        """The sample: a pure function of its evidence and wordings. Raises `Withheld`."""
        numbers = {heading(i): i for i in range(1, len(NUMBERS) + 1)}
        told = sorted(chapters, key=lambda c: numbers.get(str(c["title"]), 0))
        if [numbers.get(str(c["title"])) for c in told] != list(range(1, len(told) + 1)):
            raise Withheld("the chapters are not one to the last, each once")
        facts = facts_of([str(c["text"]) for c in told])
        try:
            right, used = answer(json.loads(question["program_json"]), facts)
        except (Unanswerable, ValueError) as error:
            raise Withheld(f"the story gives no answer: {error}") from None
        options = [str(o) for o in question["options"] or ()]
        if right != question["answer_text"] or right not in options or options.index(right) != question["answer_index"]:
            raise Withheld(f"the story says {right!r}, the question {question['answer_text']!r}")
        asked, said = wordings_of(self.name).question("story", wording), wordings_of(self.name).answer("story", form)
        if asked is None or said is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        story = "\n\n".join(f"{c['title']}\n\n{c['text']}" for c in told)
        text = asked.fill({"question": escape(str(question["question"]))})
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=None,
            media=(MediumRef(media_id=media["media_id"], kind="text", start_s=_WINDOW[0], end_s=_WINDOW[1]),),
            turns=(
                Turn(role="user", text=f"{escape(story)}\n\n{text}\n<options>"),
                Turn(role="assistant", text=said.fill({"answer": "<answer>"})),
            ),
            answer=ChoiceAnswer(index=options.index(right)),
            options=tuple(
                Option(text=escape(o))
                if o == right
                else Option(text=escape(o), distractor_kind=OTHER_LABEL, margin=1.0)
                for o in options
            ),
            rationale=tuple(f"{heading(f.chapter)}: {quote(f.said)}" for f in used),
            evidence=(
                cite("media", media, ("kind", "origin")),
                cite("questions", question, QUESTION_COLUMNS),
                *(cite("captions", c, CHAPTER_COLUMNS) for c in told),
            ),
            needs=(),
            origin=media["origin"] or "composed",
            wording=wording,
            answer_form=form,
            difficulty={
                "words": float(words_in(story)),
                "facts": float(len(used)),
                "reach": round((used[-1].chapter - used[0].chapter + 1) / len(told), 6),
            },
            generator=f"{self.name}@{self.version}",
        )


ANNOTATOR = StoryQuestions
