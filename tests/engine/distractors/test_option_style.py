"""The classifier of options finds what gives them away, and nothing where there is nothing."""

from chronotope.engine.distractors.option_style import OptionSet, option_style
from chronotope.schemas.ids import seeded_fraction

_NOUNS = "road river house clock garden bridge table window bread apple stone forest boat letter candle"
NOUNS = _NOUNS.split()


def sentence(*seed: object) -> str:
    return " ".join(["The", *(NOUNS[int(seeded_fraction(*seed, k) * len(NOUNS))] for k in range(4))])


def sets(spoil: str) -> list[OptionSet]:
    found = []
    for i in range(120):
        texts = [sentence(i, k) for k in range(4)]
        right = int(seeded_fraction("right", i) * 4)
        found.append(OptionSet(tuple(t if k == right else t + spoil for k, t in enumerate(texts)), right, f"g{i % 12}"))
    return found


def test_exchangeable_options_cannot_be_told() -> None:
    style = option_style(sets(""))
    assert style is not None and style.low < 0.5 < style.high and 0.4 < style.auc < 0.6
    assert abs(style.longest_share - style.chance_share) < 0.12


def test_a_word_that_only_wrong_options_have_is_found() -> None:
    style = option_style(sets(" indeed"))
    assert style is not None and style.auc > 0.95 and style.shortest_share > 0.9


def test_pictures_spans_and_too_few_samples_say_nothing() -> None:
    marks = [OptionSet(("<span:1,2>", "<span:3,4>"), 0, f"g{i}") for i in range(40)]
    assert option_style(marks) is None
    assert option_style(sets("")[:10]) is None
