"""CLIP encoders agree with each other and with open_clip, do not care about batches, understand scenes."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from chronotope.annotators.compose.scenes import COMBINATIONS, UNSEEN, draw_scene, full_captions, sample_scene
from chronotope.annotators.vision.clip_models import COMPOSED_CLIP, COMPOSED_CLIP_ONNX, ClipEncoder, OnnxClip
from chronotope.annotators.vision.clip_preprocess import ClipPreprocess
from chronotope.annotators.vision.clip_tokens import ClipTokenizer, TokenizerSpec, clean_text
from PIL import Image

pytest.importorskip("onnxruntime")
PROMPTS = [full_captions(x)[0] for x in COMBINATIONS]


def frame(seed, combination, width=320, height=180):
    """A scene as a decoded JPEG, the way pictures reach an encoder in a build."""
    buffer = io.BytesIO()
    Image.fromarray(draw_scene(sample_scene(seed, combination), width, height)).save(buffer, "JPEG", quality=90)
    return np.asarray(Image.open(buffer).convert("RGB"))


def unseen_accuracy(encoder: ClipEncoder, per_combination: int = 4) -> float:
    prompts = encoder.encode_texts(PROMPTS)
    right = [x for x in UNSEEN for _ in range(per_combination)]
    vectors = encoder.encode_images([frame(9_000_000 + i, x) for i, x in enumerate(right)])
    found = (vectors @ prompts.T).argmax(1)
    return float(np.mean([COMBINATIONS[i] == x for i, x in zip(found, right, strict=True)]))


@pytest.fixture(scope="module")
def onnx():
    return OnnxClip(COMPOSED_CLIP_ONNX)


@pytest.fixture(scope="module")
def torch_clip():
    pytest.importorskip("open_clip")
    from chronotope.annotators.vision.clip_models import OpenClip

    return OpenClip(str(COMPOSED_CLIP))


def test_onnx_names_unseen_scenes(onnx):
    assert unseen_accuracy(onnx) >= 0.85


def test_torch_names_unseen_scenes(torch_clip):
    assert unseen_accuracy(torch_clip) >= 0.85


def test_a_prompt_finds_its_scenes_among_others(onnx):
    with_it = [frame(i, ("red", "circle", p)) for i, p in enumerate(("left", "right", "top", "bottom"))]
    others = [frame(50 + i, x) for i, x in enumerate(COMBINATIONS[7::12]) if x[:2] != ("red", "circle")]
    scores = onnx.encode_images(with_it + others) @ onnx.encode_texts(["a red circle"])[0]
    assert scores[: len(with_it)].min() > scores[len(with_it) :].max()


def test_backends_give_the_same_vectors(onnx, torch_clip):
    pictures = [frame(i, x) for i, x in enumerate(COMBINATIONS[::16])]
    assert np.sum(onnx.encode_images(pictures) * torch_clip.encode_images(pictures), axis=1).min() > 0.9999
    assert np.sum(onnx.encode_texts(PROMPTS[:40]) * torch_clip.encode_texts(PROMPTS[:40]), axis=1).min() > 0.9999
    assert (onnx.dimension, onnx.image_size) == (torch_clip.dimension, torch_clip.image_size)
    assert onnx.model_name == torch_clip.model_name and "composed scenes only" in onnx.model_name
    assert onnx.export.source_digest == torch_clip.digest


@pytest.mark.parametrize("backend", ["onnx", "torch_clip"])
def test_vectors_do_not_depend_on_the_batch(backend, request):
    encoder = request.getfixturevalue(backend)
    pictures = [frame(i, x) for i, x in enumerate(COMBINATIONS[::20])]
    together = encoder.encode_images(pictures)
    alone = np.concatenate([encoder.encode_images([p]) for p in pictures])
    backwards = encoder.encode_images(pictures[::-1])[::-1]
    assert together.tobytes() == alone.tobytes() == np.ascontiguousarray(backwards).tobytes()
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    texts = PROMPTS[:11]
    assert encoder.encode_texts(texts).tobytes() == b"".join(encoder.encode_texts([t]).tobytes() for t in texts)


def test_nothing_in_nothing_out(onnx):
    assert onnx.encode_images([]).shape == (0, onnx.dimension)


def test_onnx_needs_neither_torch_nor_open_clip():
    code = (
        "import sys, numpy as np\n"
        "from chronotope.annotators.vision.clip_models import COMPOSED_CLIP_ONNX, OnnxClip\n"
        "encoder = OnnxClip(COMPOSED_CLIP_ONNX)\n"
        "encoder.encode_texts(['a red circle'])\n"
        "encoder.encode_images([np.zeros((9, 16, 3), np.uint8)])\n"
        "print([m for m in ('torch', 'torchvision', 'open_clip', 'onnx') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("size", [(64, 64), (48, 80)])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_preparation_equals_open_clips(mode, size, interpolation):
    pytest.importorskip("open_clip")
    from open_clip.transform import PreprocessCfg, image_transform_v2

    cfg = {"size": size, "resize_mode": mode, "interpolation": interpolation, "fill_color": 7}
    theirs = image_transform_v2(PreprocessCfg(**cfg), is_train=False)
    ours = ClipPreprocess.from_open_clip(vars(PreprocessCfg(**cfg)))
    rng = np.random.default_rng(3)
    for height, width in ((90, 160), (161, 93), (64, 64), (20, 31), (48, 80)):
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        assert np.array_equal(ours(picture), theirs(Image.fromarray(picture)).numpy()), (height, width)


def test_preparation_refuses_what_is_not_a_picture(onnx):
    with pytest.raises(ValueError, match="uint8 array"):
        onnx.encode_images([np.zeros((4, 4), np.uint8)])


TEXTS = [
    "a red circle at the left",
    "It's  the dog's 3rd birthday, isn't it?!",
    "Zürich – “naïve” café, 東京タワー ½ 🎈",
    "fish &amp; chips <b>bold</b> &lt;3",
    "tabs\tand\nlines",
    "",
    "very long " * 60,
]


@pytest.mark.parametrize("clean", ["lower", "canonicalize", "whitespace"])
@pytest.mark.parametrize("vocabulary", ["own", "cut"])
def test_tokens_equal_open_clips(clean, vocabulary):
    pytest.importorskip("open_clip")
    from open_clip.tokenizer import SimpleTokenizer, default_bpe

    path = Path(default_bpe()) if vocabulary == "own" else COMPOSED_CLIP / "bpe_simple_vocab_4k.txt.gz"
    theirs = SimpleTokenizer(str(path), context_length=40, clean=clean)
    spec = TokenizerSpec(kind="clip_bpe", file=path.name, context_length=40, clean=clean)
    assert np.array_equal(ClipTokenizer(spec, path.parent)(TEXTS), theirs(TEXTS).numpy())


def test_plain_ascii_needs_no_ftfy():
    pytest.importorskip("ftfy")
    import ftfy

    ascii_texts = [
        "".join(map(chr, range(32, 127))).replace("&", ""),
        "a 'quoted' \"text\" -- <b>",
        "a\tb\nc",
    ]
    assert [clean_text(t, "whitespace") for t in ascii_texts] == [
        " ".join(ftfy.fix_text(t).split()) for t in ascii_texts
    ]


def test_a_tokenizer_file_pads_cuts_and_zeroes(tmp_path):
    """Models with a Hugging Face tokenizer carry a `tokenizer.json`."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({"[P]": 0, "[S]": 1, "[E]": 2, "red": 3, "ring": 4}, unk_token="[P]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[S] $A [E]", special_tokens=[("[S]", 1), ("[E]", 2)]
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    fields = {"kind": "tokenizer_json", "file": "tokenizer.json", "context_length": 5, "pad_id": 7}
    tokens = ClipTokenizer(TokenizerSpec(**fields, clean="canonicalize"), tmp_path)(["Red ring!", "ring " * 9])
    assert tokens.tolist() == [[1, 3, 4, 2, 7], [1, 4, 4, 4, 2]]
    tokens = ClipTokenizer(TokenizerSpec(**fields, clean="lower", zeroed_id=2), tmp_path)(["red"])
    assert tokens.tolist() == [[1, 3, 0, 7, 7]]


def test_an_incomplete_export_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no export\.json.*export-clip"):
        OnnxClip(tmp_path)


def test_a_digest_changes_with_the_weights(tmp_path, onnx):
    for path in COMPOSED_CLIP_ONNX.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    from chronotope.annotators.vision.clip_models import export_digest

    assert export_digest(tmp_path) == onnx.digest
    with (tmp_path / "text.onnx").open("ab") as file:
        file.write(b"\0")
    assert export_digest(tmp_path) != onnx.digest


def test_model_errors_name_the_remedy(tmp_path):
    pytest.importorskip("open_clip")
    from chronotope.annotators.vision.clip_source import ClipModelError, load_open_clip

    with pytest.raises(ClipModelError, match=r"ViT-B32: .*close names: .*ViT-B-32"):
        load_open_clip("ViT-B32", "openai")
    with pytest.raises(ClipModelError, match=r"no weights named.*laion2b_s34b_b79k"):
        load_open_clip("ViT-B-32")
    with pytest.raises(ClipModelError, match=r"close tags: laion2b_s34b_b79k"):
        load_open_clip("ViT-B-32", "laion2b_s34b_b79")
    with pytest.raises(ClipModelError, match=r"checkpoint .*model\.pt does not exist"):
        load_open_clip("ViT-B-32", str(tmp_path / "model.pt"))
    with pytest.raises(ClipModelError, match=r"no open_clip_config\.json"):
        load_open_clip(str(tmp_path))


@pytest.mark.slow
def test_missing_weights_offline(tmp_path):
    pytest.importorskip("open_clip")
    code = (
        "from chronotope.annotators.vision.clip_source import load_open_clip\n"
        "load_open_clip('ViT-B-32', 'laion2b_s34b_b79k')"
    )
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert run.returncode == 1
    last = run.stderr.strip().splitlines()[-1]
    for part in ("ViT-B-32", "laion2b_s34b_b79k", "local checkpoint", "export-clip"):
        assert part in last, last


@pytest.mark.slow
def test_a_vision_transformer_exports(tmp_path):
    """Another architecture, CLIP's own vocabulary, another preparation; a folder with random weights."""
    open_clip = pytest.importorskip("open_clip")
    pytest.importorskip("onnxscript")
    import torch
    from chronotope.annotators.vision.clip_export import export_clip
    from chronotope.annotators.vision.clip_models import OpenClip

    model_cfg = {
        "embed_dim": 48,
        "vision_cfg": {"image_size": 32, "layers": 2, "width": 96, "head_width": 32, "patch_size": 8},
        "text_cfg": {"context_length": 21, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
    }
    config = {
        "model_cfg": model_cfg,
        "preprocess_cfg": {"size": 32, "resize_mode": "longest", "fill_color": 9},
    }
    source = tmp_path / "vit"
    source.mkdir()
    (source / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(5)
    model = open_clip.create_model(f"local-dir:{source}", load_weights=False)
    torch.save(model.state_dict(), source / "model.pth")

    export = export_clip(str(source), None, tmp_path / "onnx", stored_as="float16", note="random weights")
    written = b"".join(path.read_bytes() for path in (tmp_path / "onnx").iterdir())
    assert os.fsencode(Path(open_clip.__file__).parent.parent) not in written, "an export holds no path of its maker"
    assert min(export.image_cosine, export.text_cosine) >= 0.999 and export.note == "random weights"
    ours, theirs = OnnxClip(tmp_path / "onnx", batch_size=4), OpenClip(str(source), batch_size=4)
    pictures = [frame(i, x, 90, 70) for i, x in enumerate(COMBINATIONS[::40])]
    assert np.sum(ours.encode_images(pictures) * theirs.encode_images(pictures), axis=1).min() > 0.999
    assert ours.encode_images(pictures)[3:4].tobytes() == ours.encode_images(pictures[3:4]).tobytes()
