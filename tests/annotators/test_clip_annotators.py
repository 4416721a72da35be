"""CLIP annotators: pictures get vectors, prompts find their pictures, and a wrong choice of model says
what to do.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from chronotope.annotators.compose.scenes import draw_scene, sample_scene
from chronotope.annotators.vision.clip_embedding import ClipEmbedding, ClipEmbeddingParams
from chronotope.annotators.vision.clip_models import COMPOSED_CLIP
from chronotope.annotators.vision.clip_scores import ClipScores, ClipScoresParams
from chronotope.engine.annotator import Picture, Rows, SkipUnit, Unit
from chronotope.engine.models import ModelNotFound
from PIL import Image
from pydantic import ValidationError

pytest.importorskip("onnxruntime")
SCENES = [("red", "circle", "left"), ("blue", "square", "right"), ("green", "triangle", "top")]
PROMPTS = {"red_circle": ["a red circle", "a picture of a red circle"], "blue_square": "a blue square"}


def picture(seed: int, combination, t_s: float) -> Picture:
    data = io.BytesIO()
    Image.fromarray(draw_scene(sample_scene(seed, combination), 256, 144)).save(data, "JPEG", quality=90)
    return Picture("m1", t_s, t_s + 2.0, 256, 144, data.getvalue())


SCENES_AT = (0.0, 2.0, 4.0)
PICTURES = [picture(500 + i, scene, 2.0 * i) for i, scene in enumerate(SCENES)]


def embedded(backend: str = "auto", pictures=PICTURES) -> list[dict]:
    annotator = ClipEmbedding(ClipEmbeddingParams(model="composed-tiny", backend=backend, batch_size=4))
    annotator.setup()
    return [row for ((_, row),) in annotator.look(pictures)]


def scored(embeddings, **params) -> list[dict]:
    settings = {"model": "composed-tiny", "prompts": PROMPTS} | params
    annotator = ClipScores(ClipScoresParams(**settings))
    unit = Unit("m1", "medium", None, "r", 0)
    return [row for _, row in annotator.annotate(unit, Rows({"embeddings": embeddings}))]


def test_every_picture_gets_a_unit_vector_with_its_span_and_model() -> None:
    rows = embedded()
    assert [(r["t_s"], r["until_s"]) for r in rows] == [(0, 2), (2, 4), (4, 6)]
    for row in rows:
        assert row["dimension"] == len(row["vector"]) == 128
        assert np.linalg.norm(row["vector"]) == pytest.approx(1, abs=1e-5)
        assert "composed scenes only" in row["model"]


def test_a_vector_does_not_depend_on_the_batch() -> None:
    assert embedded(pictures=PICTURES[2:])[0] == embedded()[2]


def test_prompts_find_their_pictures() -> None:
    rows = scored(embedded())
    values = {(r["name"], r["t_s"]): r["value"] for r in rows}
    assert max(SCENES_AT, key=lambda t: values["red_circle", t]) == 0.0
    assert max(SCENES_AT, key=lambda t: values["blue_square", t]) == 2.0
    assert {r["prompt"] for r in rows if r["name"] == "red_circle"} == {"a red circle | a picture of a red circle"}
    assert all(r["until_s"] == r["t_s"] + 2 for r in rows)


def test_both_backends_agree() -> None:
    pytest.importorskip("open_clip")
    torch_rows, onnx_rows = embedded("open_clip"), embedded("onnx")
    for a, b in zip(torch_rows, onnx_rows, strict=True):
        assert np.dot(a["vector"], b["vector"]) > 0.999
        assert a["model"] == b["model"]
    assert [r["value"] for r in scored(torch_rows)] == pytest.approx([r["value"] for r in scored(onnx_rows)], abs=0.01)


def test_the_model_says_what_it_is_for_and_a_folder_works_like_the_alias() -> None:
    ref = ClipEmbedding(ClipEmbeddingParams(model="composed-tiny")).models()[0]
    assert "made for composed scenes" in ref.found_in
    by_path = ClipEmbedding(ClipEmbeddingParams(path=str(COMPOSED_CLIP / "onnx"))).models()[0]
    assert by_path.digest == ref.digest
    same = ClipScores(ClipScoresParams(model="composed-tiny", prompts=PROMPTS)).models()[0]
    assert same == ref


def test_the_composed_model_runs_without_torch() -> None:
    code = (
        "import json, sys; sys.modules['torch'] = None; sys.modules['open_clip'] = None\n"
        "from chronotope.annotators.vision.clip_embedding import ClipEmbedding, ClipEmbeddingParams\n"
        "annotator = ClipEmbedding(ClipEmbeddingParams(model='composed-tiny')); annotator.setup()\n"
        "print(json.dumps(annotator.models()[0].digest))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)


def test_scores_refuse_embeddings_of_another_model() -> None:
    rows = [row | {"model": "ViT-B-32/laion2b"} for row in embedded()]
    with pytest.raises(
        ValueError,
        match=r"clip_scores uses the model composed-clip .* are of "
        r"ViT-B-32/laion2b",
    ):
        scored(rows)
    with pytest.raises(SkipUnit, match="no embeddings"):
        scored([])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"backend": "onnx"}, "backend onnx runs exported models.*export-clip"),
        ({"dtype": "fp16"}, "dtype fp16 is for device cuda"),
        ({"prompts": {}}, "prompts"),
        ({"prompts": {"a dog": "a dog"}}, "letters, digits and _"),
        ({"prompts": {"dog": " "}}, "its text is empty"),
    ],
)
def test_settings_that_make_no_sense_are_refused(params, message) -> None:
    with pytest.raises(ValidationError, match=message):
        ClipScoresParams(**({"prompts": PROMPTS} | params))


def test_missing_weights_name_the_remedies(tmp_path) -> None:
    with pytest.raises(ModelNotFound, match=r"nowhere does not exist; give `path:`.*composed-tiny"):
        ClipEmbedding(ClipEmbeddingParams(path=str(tmp_path / "nowhere"))).models()
    pytest.importorskip("open_clip")
    with pytest.raises(
        ModelNotFound,
        match=r"publishes no weights 'my_tag' for a model "
        r"'ViT-B-32'.*export-clip",
    ):
        ClipEmbedding(ClipEmbeddingParams(pretrained="my_tag")).models()


def test_a_gpu_model_asks_for_a_gpu() -> None:
    assert ClipEmbedding(ClipEmbeddingParams(device="cuda", dtype="fp16")).resources().gpus == 1
    assert ClipEmbedding(ClipEmbeddingParams()).resources().gpus == 0
