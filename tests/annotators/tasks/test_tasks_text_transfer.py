"""Films told in words: every answer can be read from the text by rule, none without it, and a changed row is found out."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asking_models import asking, role
from chronotope.annotators.tasks.text_transfer import Params, TextTransfer, plain_text
from chronotope.annotators.tasks.worded_scenes import ORDINALS, Edit
from chronotope.engine.annotator import Rows, SkipUnit, Unit
from chronotope.engine.check import check_sample
from chronotope.engine.ladder.climb import Rules, climb
from chronotope.engine.ladder.item import items_of
from chronotope.schemas.metrics import normalise_words
from chronotope.schemas.sample import ChoiceAnswer, OrderAnswer, Sample
from chronotope.schemas.tables import TABLES
from model_server import ModelServer

WHO = ["woman", "baker", "dog", "child", "painter", "sailor", "horse", "fiddler", "gardener", "clown", "nurse", "robot"]
COLOURS = ["red", "blue", "green", "yellow", "black", "white", "brown", "purple"]
THINGS = [
    "kite",
    "boat",
    "ladder",
    "basket",
    "lantern",
    "bicycle",
    "drum",
    "umbrella",
    "teapot",
    "sledge",
    "mirror",
    "wheel",
]
DEEDS = ["carries", "pushes", "repairs", "paints", "drops", "washes", "hides", "lifts"]
PLACES = [
    "by the river",
    "in a quiet kitchen",
    "behind the old barn",
    "on top of a hill",
    "under the bridge",
    "at the empty station",
]


def table_row(table: str, media_id: str, **values: Any) -> dict[str, Any]:
    return TABLES[table].complete(values | {"media_id": media_id}, table, media_id, media_id)


def footage(media: int = 260, each: int = 6) -> Rows:
    """Media with described events; the descriptions are drawn, so that most can be told apart."""
    draw = np.random.default_rng(5)
    rows: dict[str, list[dict[str, Any]]] = {"media": [], "captions": [], "footage_groups": []}
    for m in range(media):
        media_id = f"m{m:03}"
        rows["media"].append(table_row("media", media_id, kind="video", origin="real", duration_s=60.0, title=media_id))
        split = ("train", "train", "train", "validation", "test")[m % 5]
        rows["footage_groups"].append(table_row("footage_groups", media_id, group_id=media_id, split=split))
        for n in range(each):
            who, deed, thing, place = (str(draw.choice(words)) for words in (WHO, DEEDS, THINGS, PLACES))
            colour = f"{draw.choice(COLOURS)} " if draw.random() < 0.6 else ""
            long = "while somebody sings loudly" if draw.random() < 0.3 else ""
            text = " ".join(f"the {who} {deed} the {colour}{thing} {place} {long}".split())
            rows["captions"].append(
                table_row(
                    "captions", media_id, start_s=5.0 * n, end_s=5.0 * n + 4, level="event", text=text, model="manifest"
                )
            )
    return Rows(rows)


def samples_of(rows: Rows, seed: int = 0, **params: Any) -> list[dict[str, Any]]:
    task = TextTransfer(Params(**params))
    return [values for _, values in task.annotate(Unit("corpus", "corpus", None, "r", seed), rows)]


@pytest.fixture(scope="module")
def world() -> Rows:
    return footage()


@pytest.fixture(scope="module")
def made(world: Rows) -> list[dict[str, Any]]:
    found = samples_of(world)
    assert len(found) >= 1000
    return found


def told(question: str) -> tuple[list[str], str]:
    """The scenes of a question, and the rest of its words."""
    scenes, rest = [], []
    for line in question.splitlines():
        head = re.match(r"(?:Scene \d: |\d\. |Picture \d: |\(\d\) )(.*)\.$", line)
        (scenes if head else rest).append(head[1] if head else line)
    return scenes, " ".join(rest)


def holds(scene: str, run: str) -> bool:
    words, wanted = normalise_words(scene), normalise_words(run)
    return any(words[k : k + len(wanted)] == wanted for k in range(len(words)))


def solved(sample: Sample) -> ChoiceAnswer | OrderAnswer:
    """A solver that knows nothing but the text of question and options."""
    scenes, asked = told(sample.turns[0].text)
    options = [o.text for o in sample.options]
    quoted = re.search(r"“([^”]*)”", asked)
    if all(re.fullmatch(r"from \S+ to \S+", o) for o in options):
        for i, a in enumerate(scenes):
            for b in scenes[i + 1 :]:
                x, y = a.split(), b.split()
                other = [(p, q) for p, q in zip(x, y, strict=False) if p != q]
                if len(x) == len(y) and len(other) == 1:
                    return ChoiceAnswer(index=options.index(f"from {other[0][0].lower()} to {other[0][1].lower()}"))
    if quoted is None:
        place = next((p for p in ("at the start", "in the middle", "at the end") if p in asked), None)
        if place is None:
            return OrderAnswer(order=tuple(options.index(s) for s in scenes))
        at = {"at the start": 0, "in the middle": len(scenes) // 2, "at the end": len(scenes) - 1}[place]
        return ChoiceAnswer(index=options.index(scenes[at]))
    (at,) = [i for i, s in enumerate(scenes) if holds(s, quoted[1])]
    if options == list(ORDINALS[: len(scenes)]):
        return ChoiceAnswer(index=at)
    back = re.search(r"before|preced|predecessor|leads up|ahead of|Rewind|had just been on", asked)
    return ChoiceAnswer(index=options.index(scenes[at - 1 if back else at + 1]))


def test_a_solver_by_rule_answers_everything(made: list[dict[str, Any]]) -> None:
    samples = [Sample.from_row(row) for row in made]
    assert [s.turns[0].text for s in samples if solved(s) != s.answer] == []
    kinds = Counter(s.wording[:2] for s in samples)
    assert set(kinds) == {"ta", "tb", "ts", "tc", "tp", "tg"} and min(kinds.values()) > 50


def test_right_options_stand_anywhere(made: list[dict[str, Any]]) -> None:
    from scipy.stats import chisquare

    places: dict[tuple[str, int], Counter[int]] = {}
    for sample in map(Sample.from_row, made):
        if isinstance(sample.answer, ChoiceAnswer):
            kind, n = sample.wording[:2], len(sample.options)
            places.setdefault((kind, n), Counter())[sample.answer.index] += 1
    seen = [(n, counts) for (_, n), counts in places.items() if counts.total() >= 30]
    assert len(seen) >= 8
    p = [chisquare([counts[i] for i in range(n)]).pvalue for n, counts in seen]
    assert min(p) > 0.05 / len(p)  # Bonferroni
    pooled = Counter({n: 0 for n in range(6)})
    for n, counts in seen:
        pooled.update({round(6 * i / n): c for i, c in counts.items()} if n == 6 else {})
    assert chisquare([pooled[i] for i in range(6)]).pvalue > 0.05


def test_nothing_can_be_guessed_without_the_scenes(world: Rows) -> None:
    attempts = []
    for seed in (1, 2):
        items = []
        for row in samples_of(world, seed):
            sample = Sample.from_row(row)
            _, rest = told(sample.turns[0].text)
            asked = sample.turns[0].model_copy(update={"text": rest})
            bare = sample.model_copy(update={"turns": (asked, sample.turns[1])})
            items += items_of(bare.to_row(), row["media_id"])
        attempts += [a for a in climb(items, Rules(folds=4)).attempts if a.item.form == "choice"]
    for solver in ("prior", "options_only", "question_only"):
        tried = [a for a in attempts if a.solver == solver]
        gain = float(np.mean([a.correct - a.chance for a in tried]))
        assert len(tried) > 2000 and gain < 0.03, (solver, gain)


def test_films_stay_in_one_split_and_show_no_medium(world: Rows, made: list[dict[str, Any]]) -> None:
    split = {r["media_id"]: r["split"] for r in world["footage_groups"]}
    for sample in map(Sample.from_row, made):
        assert sample.problems() == [] and sample.needs == ()
        assert len({split[m.media_id] for m in sample.media}) == 1
        assert len({m.media_id for m in sample.media}) == len(sample.media) and {m.kind for m in sample.media} == {
            "text"
        }


def test_every_sample_is_recomputed_and_lies_are_found_out(world: Rows, made: list[dict[str, Any]]) -> None:
    task = TextTransfer(Params())
    rows = {(table, r["row_id"]): r for table in world for r in world[table]}

    def verdict(row: dict[str, Any], changed: dict[tuple[str, str], dict[str, Any]] | None = None) -> dict[str, Any]:
        known = rows | (changed or {})
        return check_sample(row, lambda t, i: known.get((t, i)), task, lambda t, r: "exact")

    for row in made[::7]:
        assert verdict(row)["passed"], verdict(row)["reason"]
        sample = Sample.from_row(row)
        cited = sample.evidence[-1]
        other = rows["captions", cited.row_id] | {"text": "something else happens to everybody"}
        assert not verdict(row, {("captions", cited.row_id): other})["passed"]
        if isinstance(sample.answer, ChoiceAnswer):
            wrong = ChoiceAnswer(index=(sample.answer.index + 1) % len(sample.options))
            assert verdict(sample.model_copy(update={"answer": wrong}).to_row())["problem"] == "answer wrong"


def test_equal_input_gives_equal_samples_and_another_seed_others(world: Rows, made: list[dict[str, Any]]) -> None:
    assert samples_of(world, most=50) == made[:50]
    assert samples_of(world, seed=1, most=50) != made[:50]


def test_other_footage_leaves_most_films_as_they_are(world: Rows, made: list[dict[str, Any]]) -> None:
    more = footage(media=270)
    known = {row["sample_id"] for row in samples_of(more)}
    kept = sum(row["sample_id"] in known for row in made) / len(made)
    assert kept > 0.5


def test_too_few_descriptions_are_a_rule_not_an_empty_result() -> None:
    with pytest.raises(SkipUnit, match="fewer than 3 descriptions"):
        samples_of(footage(media=2, each=1))


@pytest.mark.parametrize(
    ("level", "text", "plain"),
    [
        ("event", "A dog barks.", "A dog barks"),
        ("event", "At 12.5 s a dog barks", None),
        ("brief", "A dog barks in <span:1,2>.", None),
        ("brief", "A dog &amp; a cat", "A dog & a cat"),
        ("event", "  ", None),
    ],
)
def test_only_plain_words_are_told(level: str, text: str, plain: str | None) -> None:
    assert plain_text({"level": level, "text": text}) == plain


def test_an_edit_that_does_not_fit_is_refused() -> None:
    assert Edit(0, "red", "blue", "green").applied("A red kite") == "A blue kite"
    for text in ("A red kite on a red hill", "A kite", "A red and green kite"):
        with pytest.raises(Exception, match="stand"):
            Edit(0, "red", "blue", "green").applied(text)


def test_a_writer_changes_words_that_no_rule_knows(tmp_path: Path) -> None:
    """Descriptions without any word of a class: by rule nothing can change, a model's change is made by code."""
    rows = footage(media=40, each=2)
    plain = [
        c | {"text": re.sub(rf"\b({'|'.join((*COLOURS, 'woman', 'empty', 'quiet', 'old'))}) ", "", c["text"])}
        for c in rows["captions"]
    ]
    rows = Rows({**rows, "captions": plain})
    task, unit = (
        TextTransfer(Params(families=("attribute",))),
        Unit("corpus", "corpus", None, "r", 0, producer="text_transfer"),
    )

    async def proposed(url: str) -> list[Any]:
        async with asking(tmp_path, role(url)) as live:
            return list(await task.propose(unit, rows, live.of("text_transfer")))

    with ModelServer() as server:
        found = asyncio.run(proposed(server.url))
    landed = [r for table, r in found if table == "samples" and r["wording"].startswith("tc")]
    proposals = [r for table, r in found if table == "proposals"]
    assert len(landed) > 10 and sum(p["outcome"] == "landed" for p in proposals) >= 10
    assert all(p["rule"] for p in proposals if p["outcome"] == "rejected")
    known = {(table, r["row_id"]): r for table in rows for r in rows[table]}
    known |= {("proposals", p["row_id"]): p for p in proposals}
    for row in landed:
        sample = Sample.from_row(row)
        assert solved(sample) == sample.answer
        assert check_sample(row, lambda t, i: known.get((t, i)), task, lambda t, r: "exact")["passed"]
    lie = known | {
        ("proposals", p["row_id"]): p | {"proposal_json": p["proposal_json"].replace("violin", "barrel")}
        for p in proposals
    }
    assert any(not check_sample(r, lambda t, i: lie.get((t, i)), task, lambda t, r: "exact")["passed"] for r in landed)
