"""The graph of producers: what is connected, in which waves, and which recipes are refused with what words."""

from __future__ import annotations

import pytest
from chronotope.engine.graph import Outside, build_graph
from chronotope.engine.producer import ProducerSpec, RecipeError

OUTSIDE = (Outside("sources:r", ("sources",), "annotate"), Outside("select:r", ("selection",), "enrich"))
BASE = (ProducerSpec("probe", "probe"), ProducerSpec("clips", "clips"))


def graph(*specs: ProducerSpec):
    return build_graph((*BASE, *specs), OUTSIDE)


def names(waves) -> list[list[str]]:
    return [sorted(p.name for p in wave.producers) for wave in waves]


def test_media_annotators_share_a_wave_between_probe_and_clips() -> None:
    built = graph(
        ProducerSpec("shots", "shots"),
        ProducerSpec("signals", "signals"),
        ProducerSpec("duplicates", "duplicates"),
        ProducerSpec("camera_motion", "camera_motion"),
    )
    assert names(built.waves("annotate")) == [["probe"], ["shots", "signals"], ["clips"], ["duplicates"]]
    assert names(built.waves("task")) == [["camera_motion"]]


def test_rows_of_composed_media_reach_tasks_but_never_the_annotators_of_footage() -> None:
    built = graph(
        ProducerSpec("shots", "shots"),
        ProducerSpec("signals", "signals"),
        ProducerSpec("mirror", "mirror"),
        ProducerSpec("camera_motion", "camera_motion"),
    )
    assert built["probe"].inputs["sources"] == ("sources:r",)
    assert built["clips"].inputs["media"] == ("probe",)
    assert built["camera_motion"].inputs["media"] == ("mirror", "probe")
    assert built["mirror"].inputs["selection"] == ("select:r",)


def test_from_chooses_one_of_several_producers() -> None:
    two = (ProducerSpec("shots", "shots"), ProducerSpec("fine", "shots", {"detector": "content"}))
    both = graph(*two)
    assert both["clips"].inputs["shots"] == ("fine", "shots")
    chosen = build_graph((BASE[0], *two, ProducerSpec("clips", "clips", sources={"shots": ("fine",)})), OUTSIDE)
    assert chosen["clips"].inputs["shots"] == ("fine",)
    with pytest.raises(RecipeError, match=r"`from:` names coarse, but table shots is written by fine, shots"):
        build_graph((BASE[0], *two, ProducerSpec("clips", "clips", sources={"shots": ("coarse",)})), OUTSIDE)


def test_conversations_read_the_samples_of_tasks_and_not_each_other() -> None:
    built = graph(
        ProducerSpec("shots", "shots"),
        ProducerSpec("signals", "signals"),
        ProducerSpec("camera_motion", "camera_motion"),
        ProducerSpec("conversation", "conversation"),
        ProducerSpec("live", "conversation", {"streaming": True}),
    )
    assert built["conversation"].inputs["samples"] == ("camera_motion",)
    assert built["live"].inputs["samples"] == ("camera_motion",)
    assert names(built.waves("task")) == [["camera_motion"], ["conversation", "live"]]


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ((ProducerSpec("shots", "shots"), ProducerSpec("shots", "shots")), r"two producers are called 'shots'.*as:"),
        ((ProducerSpec("shot", "shot"),), r"no annotator is called 'shot'; did you mean shots"),
        ((ProducerSpec("shots", "shots", {"detecter": "content"}),), r"unknown parameter 'detecter'; did you mean 'detector'"),
        ((ProducerSpec("shots", "shots"), ProducerSpec("camera_motion", "camera_motion")), r"reads table signals, which nothing .* writes; add `- signals`"),
        ((ProducerSpec("mine", "mine.py:thing", folder="nowhere"),), r"producer mine: .*mine\.py"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_remedy(specs: tuple[ProducerSpec, ...], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        graph(*specs)


MODELS = (
    ProducerSpec("shots", "shots"),
    ProducerSpec("manifest_captions", "manifest_captions"),
    ProducerSpec("captions", "captions", {"facts": ["event"]}),
    ProducerSpec("claims", "claims"),
    ProducerSpec("media_captions", "media_captions"),
)


def test_captions_of_models_reach_those_that_ask_models_and_nobody_else() -> None:
    built = graph(*MODELS, ProducerSpec("temporal_grounding", "temporal_grounding"))
    assert built["temporal_grounding"].inputs["captions"] == ("manifest_captions",)
    assert built["claims"].inputs["captions"] == ("captions", "manifest_captions")
    assert built["captions"].inputs["captions"] == ("manifest_captions",)
    assert built["media_captions"].inputs["captions"] == ("captions", "manifest_captions")
    assert built["media_captions"].inputs["claims"] == ("claims",)
    assert [w for w in names(built.waves("enrich")) if w != ["manifest_captions"]][:2] == [["captions"], ["claims"]]


def test_from_lets_a_producer_read_what_it_would_not_see() -> None:
    told = {"captions": ("captions", "manifest_captions")}
    built = graph(*MODELS, ProducerSpec("temporal_grounding", "temporal_grounding", sources=told))
    assert built["temporal_grounding"].inputs["captions"] == ("captions", "manifest_captions")
