"""Which samples a rollout asks about, and their questions with pictures, group by group, so that memory stays bounded.

Samples come in an order drawn by lot from their identifiers, so that `--limit` is a fair draw, and a larger limit asks about
the same ones first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from ..engine.answering.trainer_profiles import Profile
from ..engine.catalog import Catalog
from ..engine.llm.ask import Still
from ..outputs.posed import Look, Posed, Size, pose
from ..outputs.posed_pictures import PosedPictures
from ..outputs.rendering import LeftOut
from ..schemas.sample import Sample
from .console import UsageError

GROUP_PICTURES = 2_000
"""Pictures of one group of samples, about."""
ALL_FRAMES = 1_000_000
_CHOSEN = """
FROM (SELECT * FROM samples QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY producer) = 1) s
JOIN (SELECT sample_id FROM sample_view WHERE passed AND grade <> 'refuted' AND ($task IS NULL OR task = $task)
      AND {condition}) v USING (sample_id)
JOIN (SELECT * FROM frame_plans WHERE profile = $profile
      QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY producer) = 1) p USING (sample_id)
"""


@dataclass(frozen=True)
class Choice:
    """Which samples, and how they are shown."""

    profile: Profile
    task: str | None = None
    where: str | None = None
    limit: int | None = None
    max_frames: int | None = None
    """Frames of one question, at most; None: all that the profile draws."""
    everything: bool = False
    """Also samples that the profile cannot answer."""
    pictures: bool = True
    seed: int = 0


@dataclass
class Group:
    """Some samples with all that is needed to ask about them."""

    questions: list[list[Posed]] = field(default_factory=list)
    stills: dict[str, Mapping[Look, Still]] = field(default_factory=dict)
    """By sample."""


class RolloutSource:
    """Chosen samples of one dataset. Made in one thread and then used in one other at a time."""

    def __init__(self, catalog: Catalog, choice: Choice) -> None:
        """Raises `UsageError` when nothing fits, `QueryError` for a condition that is no SQL."""
        self._catalog, self.choice = catalog, choice
        self.left_out: Counter[str] = Counter()
        self.thinned = 0
        """Samples that show fewer frames than the profile draws."""
        self._pictures = PosedPictures(catalog)
        self._sizes = {
            r["media_id"]: Size(r["width"] or 0, r["height"] or 0, r["fps"] or 0.0, r["duration_s"] or 0.0)
            for r in catalog.rows("SELECT media_id, width, height, fps, duration_s FROM media")
        }
        condition = f"coalesce(CAST(({choice.where}\n) AS BOOLEAN), false)" if choice.where else "true"
        self._sql = _CHOSEN.replace("{condition}", condition)
        self._values = {"task": choice.task, "profile": choice.profile.name}
        self.total = self._count()
        self._rows = self._read()
        self._waiting: list[Posed] | None = None

    @property
    def from_stored(self) -> int:
        """Pictures that came from `frames`, because their medium could not be opened."""
        return self._pictures.from_stored

    def _count(self) -> int:
        """Samples that will be posed, and what is left out of them for the profile."""
        name = self.choice.profile.name
        planned = {r["profile"] for r in self._catalog.rows("SELECT DISTINCT profile FROM frame_plans")}
        if name not in planned:
            have = ", ".join(sorted(planned)) or "none"
            raise UsageError(
                f"the dataset has no frame plans of profile {name} (it has: {have}); name it in the recipe's "
                f"`checks: {{frame_plans: {{profiles: [{name}]}}}}` and build again"
            )
        rows = self._catalog.rows(
            f"SELECT p.answerable, p.rule, count(*) AS n {self._sql} GROUP BY ALL ORDER BY ALL", self._values
        )
        if not rows:
            raise UsageError("no checked sample fits --task and --where")
        if not self.choice.everything:
            for row in rows:
                if not row["answerable"]:
                    self.left_out[f"{name} does not show it: {row['rule']}"] += row["n"]
        fitting = sum(row["n"] for row in rows if row["answerable"] or self.choice.everything)
        return fitting if self.choice.limit is None else min(fitting, self.choice.limit)

    def _read(self) -> Iterator[dict[str, Any]]:
        values = self._values | {"all": self.choice.everything, "seed": str(self.choice.seed), "most": self.total}
        with self._catalog.connection.cursor() as cursor:
            cursor.execute(
                f"SELECT s.*, p.frames {self._sql} WHERE p.answerable OR $all "
                "ORDER BY md5(concat($seed, sample_id)), sample_id LIMIT $most",
                values,
            )
            names = [column[0] for column in cursor.description or ()]
            while batch := cursor.fetchmany(100):
                for row in batch:
                    yield dict(zip(names, row, strict=True))

    def next_group(self) -> Group | None:
        """The next samples with their pictures; None when there are no more."""
        group, held = Group(), 0
        while (questions := self._next()) is not None:
            count = sum(isinstance(c, Look) for q in questions for c in q.content)
            if group.questions and held + count > GROUP_PICTURES:
                self._waiting = questions
                break
            group.questions.append(questions)
            held += count
        if not group.questions:
            return None
        self._show(group)
        return group

    def _next(self) -> list[Posed] | None:
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            return waiting
        for row in self._rows:
            most = self.choice.max_frames or ALL_FRAMES
            try:
                sample, frames = Sample.from_row(row), row["frames"] or ()
                questions = pose(
                    sample, row["sample_id"], frames, self.choice.profile, self._sizes, most=most, seed=self.choice.seed
                )
            except LeftOut as reason:
                self.left_out[reason.rule] += 1
                continue
            except (ValidationError, ValueError, KeyError, TypeError):
                self.left_out["malformed"] += 1
                continue
            if questions:
                self.thinned += questions[0].shown < questions[0].drawn
                return questions
            self.left_out["no answer of it trains"] += 1
        return None

    def _show(self, group: Group) -> None:
        """Add the pictures; samples whose media are gone are left out."""
        if not self.choice.pictures:
            group.stills = {questions[0].sample_id: {} for questions in group.questions}
            return
        looks = {q[0].sample_id: [c for p in q for c in p.content if isinstance(c, Look)] for q in group.questions}
        try:
            found = self._pictures.stills(look for wanted in looks.values() for look in wanted)
            group.stills = {name: {look: found[look] for look in wanted} for name, wanted in looks.items()}
        except LeftOut:
            group.stills = {name: made for name, wanted in looks.items() if (made := self._of_one(wanted)) is not None}
            group.questions = [q for q in group.questions if q[0].sample_id in group.stills]

    def _of_one(self, looks: Sequence[Look]) -> Mapping[Look, Still] | None:
        try:
            return self._pictures.stills(looks)
        except LeftOut as gone:
            self.left_out[gone.rule] += 1
            return None
