"""v2pe_long_mix (row 53): rows have the tokens that they say, and what is hidden is found again where it was hidden."""

from __future__ import annotations

import math
import re

from chronotope.annotators.composers.needle_drawing import card
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.needles import needles_of, words_of
from chronotope.schemas.sample import Sample
from long_footage import bits_apart, files_in, pictures_of, rows_in, samples_in

SMALL = {
    "CHRONOTOPE_VIDEOS": 1,
    "CHRONOTOPE_MIN_DURATION_S": 40,
    "CHRONOTOPE_FPS": 6,
    "CHRONOTOPE_WIDTH": 96,
    "CHRONOTOPE_HEIGHT": 54,
    "CHRONOTOPE_TOKENS": 1024,
    "CHRONOTOPE_MORE_TOKENS": 2048,
    "CHRONOTOPE_PICTURE_TOKENS": 32,
}


def counted(sample: Sample) -> int:
    """Tokens by the stated rule: 32 per picture that is shown, one per four characters of text."""
    pictures = sum(len(ref.frame_times) for ref in sample.media)
    text = re.sub(r"<image(@\d+)?>", "", "".join(turn.text for turn in sample.turns))
    return 32 * pictures + math.ceil(len(text) / 4)


def fits(sample: Sample) -> bool:
    return abs(counted(sample) - sample.difficulty["target_tokens"]) <= 0.02 * sample.difficulty["target_tokens"]


def shortened(sample: Sample) -> Sample:
    """The planted fault: a twentieth of the text or pictures is lost on the way into the package."""
    if len(sample.media) == 1:
        [ref] = sample.media
        return sample.model_copy(
            update={
                "media": (ref.model_copy(update={"frame_times": ref.frame_times[: -len(ref.frame_times) // 20 - 1]}),)
            }
        )
    lost = len(sample.media) // 10 + 1
    return sample.model_copy(update={"media": sample.media[:-lost]})


def test_rows_are_as_long_as_they_say_and_give_back_what_they_hide(build):
    root = build("v2pe_long_mix", **SMALL)
    assert verify_root(root).problems == []
    samples = samples_in(root)
    [path] = files_in(root).values()
    shown, needles = pictures_of(path), needles_of(rows_in(root, "events"))
    texts = rows_in(root, "text_regions")
    assert {s.wording[1] for s in samples} == set("pqr") and len(samples) == 6
    for sample in samples:
        assert counted(sample) == sample.difficulty["tokens"] and fits(sample)
        assert not fits(shortened(sample))
        times = [t for ref in sample.media for t in ref.frame_times]
        step, size = sample.difficulty["position_step"], sample.difficulty["positions"]
        assert step in {2.0**-k for k in range(9)} and size == counted(sample) - 32 * len(times) * (1 - step)
        if sample.wording[1] == "p":
            told = dict(re.findall(r"picture (\d+): ([^;]+)", sample.answer.text))
            assert len(told) >= 4
            for number, text in told.items():
                at = times[int(number) - 1]
                own = [n.text for n in needles if n.span.contains(at)]
                own += [f"the words {r['text']}" for r in texts if r["start_s"] <= at < r["end_s"]]
                assert text in own
                for n in needles:
                    if n.span.contains(at) and n.insert == "picture":
                        assert bits_apart(shown[int(at * 6 + 1e-6)], card(*words_of(n), 64, 36)) <= 10
        elif sample.wording[1] == "q":
            lines = sample.turns[0].text.split("\n")
            [place] = [i for i, line in enumerate(lines) if sample.answer.text in line]
            assert abs(place / len(lines) - sample.difficulty["depth"]) < 0.03
        else:
            hit = [k for k, t in enumerate(times) if any(n.span.contains(t) for n in needles)]
            [needle] = [n for n in needles if n.span.contains(times[hit[0]])]
            assert len(hit) == 1 and needle.text == sample.answer.text
