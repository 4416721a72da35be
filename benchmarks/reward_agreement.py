"""Do rewards and verifiers agree? Every sample of a dataset, in four languages, with its right and with wrong answers.

    python benchmarks/reward_agreement.py ROOT [--limit N]

The right answer's text, as a package would write it, must score 1. Wrong answers are typed ones (a shifted, a widened, a
halved span, another option, a rotated or reversed order, a moved box; something where nothing is, nothing where
something is): each is written by the same renderer, and the reward of its text must be the score that the verifying
function gives to the typed answer. In a conversation the replies to other questions are the wrong answers. Prints one line per task and
language; exit 1 unless all agree.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from chronotope.engine.catalog import Catalog
from chronotope.outputs.letters import shown_order
from chronotope.outputs.package_rewards import reward_facts
from chronotope.outputs.rendering import Language, LeftOut, Part, Rendered, View, render
from chronotope.outputs.rewards import check
from chronotope.schemas.box import Box
from chronotope.schemas.ids import seeded_fraction
from chronotope.schemas.markup import BoxMark, Moment, SpanMark, Text, Token, parse
from chronotope.schemas.markup import render as markup
from chronotope.schemas.sample import (
    AbsentAnswer,
    BoxAnswer,
    ChoiceAnswer,
    MediumRef,
    OrderAnswer,
    Sample,
    SpanAnswer,
    SpanBoxAnswer,
    SpansAnswer,
    Turn,
)
from chronotope.schemas.span import Span, from_us, to_us
from chronotope.schemas.timecodec import time_codec
from chronotope.schemas.verifying import (
    Check,
    check_absent,
    check_box,
    check_choice,
    check_order,
    check_span,
    check_span_box,
    check_spans,
)

MARKS = {"video": "<video>", "image": "<image>", "audio": "<audio>"}
LANGUAGES = {
    "seconds, float01, letter": Language(time_codec("seconds"), "{start} - {end}", "float01", 3, "letter", MARKS),
    "mm:ss, pixels, letter and text": Language(
        time_codec("mm:ss", tenths=True), "{start} to {end}", "pixels", 3, "letter_text", MARKS
    ),
    "lita100, int1000, text": Language(time_codec("lita100"), "{start} {end}", "int1000", 3, "text", MARKS),
    "<k>, float01, letter": Language(time_codec("relative_tokens_100"), "{start} {end}", "float01", 3, "letter", MARKS),
}
Box4 = tuple[float, float, float, float]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--limit", type=int, default=None, help="Samples, at most.")
    asked = parser.parse_args()
    counts: dict[tuple[str, str], list[int]] = {}
    failures: list[str] = []
    with Catalog(asked.root) as catalog:
        rows = catalog.rows("SELECT * FROM samples ORDER BY task, sample_id LIMIT ?", [asked.limit or 1 << 40])
        sizes = {r["media_id"]: r for r in catalog.rows("SELECT media_id, width, height FROM media")}
    for row in rows:
        sample = Sample.from_row(row)
        views = [view_of(ref, sizes[ref.media_id]) for ref in sample.media]
        for name, language in LANGUAGES.items():
            count = counts.setdefault((sample.task, name), [0, 0, 0, 0, 0])
            try:
                compare(sample, views, language, count, failures)
            except LeftOut:
                count[4] += 1
    print(f"{'task':22} {'language':32} {'right':>6} {'score 1':>8} {'wrong':>6} {'equal':>6} {'unsayable':>10}")
    for (task, name), (right, ones, wrong, equal, unsayable) in sorted(counts.items()):
        print(f"{task:22} {name:32} {right:6} {ones:8} {wrong:6} {equal:6} {unsayable:10}")
    total = [sum(c[i] for c in counts.values()) for i in range(5)]
    agreed = (total[1] + total[3]) / max(1, total[0] + total[2])
    print(f"{'all':22} {'':32} {total[0]:6} {total[1]:8} {total[2]:6} {total[3]:6} {total[4]:10}")
    print(f"agreement {agreed:.2%} of {total[0] + total[2]} answers")
    for line in failures[:10]:
        print(line, file=sys.stderr)
    return 1 if failures or not total[0] else 0


def compare(sample: Sample, views: list[View], language: Language, count: list[int], failures: list[str]) -> None:
    """Count the right answer and each wrong one; describe those on which reward and verifier differ."""
    order = shown_order(sample, int(seeded_fraction("agreement", sample.sample_id) * 24), 0)
    right = render(sample, views, order, language)
    facts = reward_facts(right, views[0], language, rationale=False)
    if facts["verifier"] == "turns":
        compare_turns(sample, right, facts, count, failures)
        return
    text = right.turns[-1][1]
    got = check(facts, text)
    count[0] += 1
    count[1] += got.score == 1.0 and got.ok
    if got.score != 1.0 or not got.ok:
        failures.append(f"{sample.task}: the right answer {text!r} scores {got}")
    for wrong in corrupted(sample):
        try:
            said = render(wrong, views, order, language)
            typed = reward_facts(said, views[0], language, rationale=False)
        except LeftOut:
            continue
        truth, text = verifier_score(facts, typed), said.turns[-1][1]
        got = check(facts, text)
        count[2] += 1
        count[3] += (got.score, got.ok) == (truth.score, truth.ok)
        if (got.score, got.ok) != (truth.score, truth.ok):
            failures.append(f"{sample.task}: {text!r} scores {got}, the verifier says {truth}")


def compare_turns(
    sample: Sample, right: Rendered, facts: Mapping[str, Any], count: list[int], failures: list[str]
) -> None:
    """Each turn of a conversation: its own reply scores 1, a reply to another question what its verifier says of it."""
    replies = [text for role, text in right.turns if role == "assistant"]
    for turn, (part, text) in enumerate(zip(facts["parts"], replies, strict=True)):
        got = check(facts, text, turn=turn)
        count[0] += 1
        count[1] += got.score == 1.0 and got.ok
        if got.score != 1.0 or not got.ok:
            failures.append(f"{sample.task}, turn {turn}: the right answer {text!r} scores {got}")
        for other, theirs in zip(facts["parts"], replies, strict=True):
            kinds = {part["reward"]["verifier"], other["reward"]["verifier"]}
            if other is not part and kinds <= {"tiou"}:
                truth, got = verifier_score(part["reward"], other["reward"]), check(facts, theirs, turn=turn)
                count[2] += 1
                count[3] += (got.score, got.ok) == (truth.score, truth.ok)
                if (got.score, got.ok) != (truth.score, truth.ok):
                    failures.append(f"{sample.task}: {theirs!r} scores {got}, the verifier says {truth}")


def verifier_score(facts: Mapping[str, Any], typed: Mapping[str, Any]) -> Check:
    """What the verifying function says of the typed answer `typed["truth"]`."""
    if facts["verifier"] == "absent":
        return check_absent(typed["verifier"] == "absent")
    if typed["verifier"] != facts["verifier"]:  # one span where several are true, or none where one is
        raise LeftOut("of another kind")
    said, truth = typed["truth"], facts["truth"]
    checks: dict[str, Callable[[], Check]] = {
        "tiou": lambda: check_span(Span(*said), Span(*truth), facts["tolerance_s"]),
        "span_set": lambda: check_spans([Span(*s) for s in said], [Span(*s) for s in truth], facts["tolerance_s"]),
        "box_iou": lambda: check_box(Box(*said), Box(*truth), 0.5),
        "viou": lambda: check_span_box(
            (Span(*said["span"]), Box(*said["box"])),
            (Span(*truth["span"]), Box(*truth["box"])),
            tolerance_s=facts["tolerance_s"],
            min_iou=0.5,
        ),
        "choice": lambda: check_choice(said, truth),
        "order": lambda: check_order(said, truth),
    }
    return checks[facts["verifier"]]()


def corrupted(sample: Sample) -> Iterator[Sample]:
    """The sample with wrong answers, in the typed answer and in the words of its last turn."""
    answer = sample.answer
    match answer:
        case ChoiceAnswer(index=right):
            for i in range(len(sample.options)):
                if i != right:
                    yield sample.model_copy(update={"answer": ChoiceAnswer(index=i)})
        case OrderAnswer(order=right):
            for wrong in (right[::-1], right[1:] + right[:1], right[1:2] + right[:1] + right[2:]):
                if wrong != right:
                    yield sample.model_copy(update={"answer": OrderAnswer(order=wrong)})
        case SpanAnswer() | SpanBoxAnswer():
            for start, end in wrong_ends(answer.start_s, answer.end_s, sample.window):
                yield reworded(sample, {answer.start_s: start, answer.end_s: end}, lambda b: b)
            if isinstance(answer, SpanBoxAnswer):
                yield reworded(sample, {}, smaller)
        case SpansAnswer(spans=spans):
            for start, end in wrong_ends(*spans[0], sample.window):
                yield reworded(sample, {spans[0][0]: start, spans[0][1]: end}, lambda b: b)
        case AbsentAnswer():
            start, end = sample.window.start_s, sample.window.start_s + sample.window.length_s / 3
            span = SpanAnswer(start_s=start, end_s=from_us(to_us(end)))
            turn = Turn(role="assistant", text=markup([Text("It happens in "), SpanMark(span.start_s, span.end_s)]))
            yield sample.model_copy(update={"answer": span, "turns": (*sample.turns[:-1], turn)})
        case BoxAnswer():
            yield reworded(sample, {}, smaller)
            yield reworded(sample, {}, mirrored)


def wrong_ends(start: float, end: float, window: Span) -> Iterator[tuple[float, float]]:
    """Shifted, halved, widened to the whole window, and somewhere else."""
    length = end - start
    candidates = [
        (start + length / 3, min(end + length / 3, window.end_s)),
        (start, start + length / 2),
        (window.start_s, window.end_s),
        (window.start_s, start),
    ]
    for a, b in candidates:
        a, b = from_us(to_us(a)), from_us(to_us(b))
        if a < b and (a, b) != (start, end):
            yield a, b


def smaller(box: Box4) -> Box4:
    """The left half of a box."""
    x1, y1, x2, y2 = box
    return x1, y1, round((x1 + x2) / 2, 6), y2


def mirrored(box: Box4) -> Box4:
    """The box in the mirrored picture."""
    x1, y1, x2, y2 = box
    return round(1 - x2, 6), y1, round(1 - x1, 6), y2


def reworded(sample: Sample, times: Mapping[float, float], move: Callable[[Box4], Box4]) -> Sample:
    """The sample with other times and another box, in its typed answer and in its last turn."""

    def time(t_s: float) -> float:
        return times.get(t_s, t_s)

    def token(found: Token) -> Token:
        match found:
            case Moment(t_s, medium):
                return Moment(time(t_s), medium)
            case SpanMark(start, end, medium):
                return SpanMark(time(start), time(end), medium)
            case BoxMark(x1, y1, x2, y2, medium):
                return BoxMark(*move((x1, y1, x2, y2)), medium)
        return found

    said = sample.answer.model_dump()
    for name in ("start_s", "end_s"):
        if name in said:
            said[name] = time(said[name])
    if "spans" in said:
        said["spans"] = [(time(a), time(b)) for a, b in said["spans"]]
    if "box" in said:
        said["box"] = move(said["box"])
    last = sample.turns[-1]
    turn = last.model_copy(update={"text": markup(token(t) for t in parse(last.text))})
    return sample.model_copy(
        update={"answer": type(sample.answer).model_validate(said), "turns": (*sample.turns[:-1], turn)}
    )


def view_of(ref: MediumRef, size: Mapping[str, Any]) -> View:
    """The medium as a package that cuts it shows it."""
    window = Span(ref.start_s, ref.end_s)
    parts = tuple(Part(ref.kind, f"{ref.media_id}.{i}") for i in range(max(1, len(ref.frame_times))))
    return View(parts, window, ref.start_s, window.length_s, size["width"] or 0, size["height"] or 0)


if __name__ == "__main__":
    sys.exit(main())
