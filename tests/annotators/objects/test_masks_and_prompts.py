"""Masks by colour follow a sprite, prompts lie where they must, and SAM 2 is loaded, asked and read."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from chronotope.annotators.compose.drawing import shape_mask
from chronotope.annotators.objects.cutting_out import grabcut
from chronotope.annotators.objects.hiding import told
from chronotope.annotators.objects.masks import Masks
from chronotope.annotators.objects.masks import MasksParams as Params
from chronotope.annotators.objects.prompting import carried, corrections, edges, first_prompt, innermost, problems
from chronotope.engine.annotator import Rows, Unit
from chronotope.engine.depth_maps import depth_values
from chronotope.schemas.box import Box
from chronotope.schemas.masks import box_of, decode_mask, encode_mask
from chronotope.schemas.metrics_masks import j_and_f, region

WIDTH, HEIGHT = 160, 120


def world(t: int, shape: str = "star") -> tuple[np.ndarray, np.ndarray]:
    """A picture of a textured ground with an orange sprite that moves right, and the sprite's mask."""
    noise = np.random.default_rng(0).integers(0, 40, (HEIGHT, WIDTH, 1))
    picture = (np.asarray([60, 90, 70]) + noise).astype(np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[30:86, 10 + 6 * t : 66 + 6 * t] = shape_mask(shape, 56) > 0.5
    picture[mask] = (240, 140, 30)
    return picture, mask


def disc(x: int, y: int, r: int) -> np.ndarray:
    at = np.indices((HEIGHT, WIDTH))
    return (at[1] - x) ** 2 + (at[0] - y) ** 2 <= r * r


def row(t: int, box, track: str = "a", mask: str | None = None, t_s: float | None = None) -> dict:
    x1, y1, x2, y2 = box
    at = t / 5 if t_s is None else t_s
    return {
        "producer": "track", "track_id": track, "t_s": at, "x1": x1, "y1": y1, "x2": x2, "y2": y2, "mask": mask,
        "visibility": None, "area": None, "depth_m": None, "truncated": None,
    }  # fmt: skip


def track(name: str) -> dict:
    return {
        "producer": "track", "track_id": name, "start_s": 0.0, "end_s": 2.0, "label": "star", "phrase": None,
        "attributes_json": "{}", "score": 0.9, "object_id": None,
    }  # fmt: skip


def still(t: int, picture: np.ndarray) -> dict:
    jpeg = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    return {"producer": "frames", "t_s": t / 5, "frame_set": "s", "width": WIDTH, "height": HEIGHT, "jpeg": jpeg}


@pytest.mark.parametrize("shape", ["star", "circle", "heart"])
def test_the_light_mask_follows_a_sprite(shape: str) -> None:
    found, true = [], []
    for t in range(6):
        picture, mask = world(t, shape)
        made, score = grabcut(picture, Box(*box_of(mask)))
        assert score > 0.5
        found.append(made)
        true.append(mask)
    assert j_and_f(found, true) >= 0.9


def test_a_box_of_one_colour_gets_no_mask() -> None:
    picture = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    mask, score = grabcut(picture, Box(0.2, 0.2, 0.6, 0.7))
    assert score < 0.2 and mask.shape == (HEIGHT, WIDTH)


def test_masks_are_written_with_what_follows_from_them() -> None:
    pictures = [world(t, "circle") for t in range(3)]
    given = encode_mask(disc(140, 20, 8))
    boxes = [row(t, box_of(m)) for t, (_, m) in enumerate(pictures)]
    boxes += [row(1, box_of(disc(140, 20, 8)), "b", given), row(9, (0.1, 0.1, 0.2, 0.2))]
    depth = {"producer": "d", "t_s": 0.2, **depth_values(np.where(disc(140, 20, 8), 1.0, 3.0)), "model": ""}
    rows = Rows(
        {
            "tracks": [track("a"), track("b")],
            "boxes": boxes,
            "frames": [still(t, p) for t, (p, _) in enumerate(pictures)],
            "depths": [depth],
        }
    )
    out = list(Masks(Params()).annotate(Unit("m", "medium", None, "r", 0), rows))
    made = {(r["track_id"], r["t_s"]): r for table, r in out if table == "boxes"}
    assert made["a", 1.8]["mask"] is None and made["b", 0.2]["mask"] == given
    assert region(decode_mask(made["a", 0.2]["mask"]), pictures[1][1]) > 0.85
    assert made["a", 0.2]["depth_m"] == pytest.approx(3.0, abs=1e-3) and made["a", 0.2]["visibility"] == 1.0
    assert made["a", 0.0]["depth_m"] is None and made["a", 0.0]["visibility"] is None
    said = {r["track_id"]: json.loads(r["attributes_json"]) for table, r in out if table == "tracks"}
    assert said["a"]["mask_method"] == "grabcut" and said["a"]["mask_score"] > 0.5


def test_a_nearer_thing_hides_what_it_covers() -> None:
    far, near = np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    far[10:30, 10:20] = True  # its right half is covered
    near[5:35, 20:34] = True
    depth = np.where(near, 1.0, np.where(far, 2.0, np.nan))
    behind, front = told([Box(0.25, 0.25, 0.75, 0.75), Box(0.5, 0.125, 0.85, 0.875)], [far, near], depth)
    assert behind.visibility == pytest.approx(0.5) and front.visibility == 1.0
    assert told([Box(0.25, 0.25, 0.75, 0.75)], [far], None)[0].visibility is None


def test_clicks_lie_in_the_largest_error() -> None:
    small, large, gone = disc(50, 60, 10), disc(50, 60, 30), np.zeros((HEIGHT, WIDTH), bool)
    missed, wrong = corrections([small, large, large, gone, large], 3, 0.75)[:2]
    assert (missed.frame, missed.positive, wrong.frame, wrong.positive) == (1, True, 3, False)
    x, y = (int(v) for v in missed.point)
    assert large[y, x] and not carried(small, large)[y, x]
    prompts = [first_prompt(small, "box").values(), missed.values(), wrong.values()]
    assert problems([small, large, large, gone, large], prompts) == []
    assert edges(small) == (40, 50, 61, 71) and innermost(small) == (50.5, 60.5)
    assert problems([small, large], [{**prompts[0], "xyxy": [0, 0, 5, 5]}])


@pytest.fixture(scope="session")
def sam2(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """SAM 2 with random weights and a few channels, saved as a folder, for pictures and for video."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    backbone = transformers.Sam2HieraDetConfig(
        hidden_size=8, num_attention_heads=1, image_size=[64, 64], blocks_per_stage=[1, 1, 2, 1], embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 1, 1], window_size_per_stage=[2, 2, 2, 2], global_attention_blocks=[3],
        window_positional_embedding_background_size=[4, 4],
    )  # fmt: skip
    vision = transformers.Sam2VisionConfig(
        backbone_config=backbone,
        backbone_channel_list=[64, 32, 16, 8],
        fpn_hidden_size=32,
        backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]],
    )
    decoder = {"hidden_size": 32, "num_attention_heads": 2, "mlp_dim": 32, "iou_head_hidden_dim": 32}
    prompt = {"hidden_size": 32, "image_size": 64, "mask_input_channels": 4}
    picture = transformers.Sam2ImageProcessor(size={"height": 64, "width": 64}, mask_size={"height": 16, "width": 16})
    folders = {}
    config = transformers.Sam2Config(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder)
    folders["sam2"] = tmp_path_factory.mktemp("sam2")
    transformers.Sam2Model(config).save_pretrained(folders["sam2"])
    transformers.Sam2Processor(picture, target_size=64).save_pretrained(folders["sam2"])
    return folders


def test_sam2_is_loaded_from_a_folder_and_gives_a_mask_per_box(sam2: dict[str, Path]) -> None:
    picture, mask = world(1)
    boxes = [row(1, box_of(mask)), row(1, (0.6, 0.1, 0.9, 0.5), "b")]
    rows = Rows({"tracks": [track("a"), track("b")], "boxes": boxes, "frames": [still(1, picture)]})
    masks = Masks(Params(backend="sam2", path=str(sam2["sam2"]), least_score=0.0))
    out = [r for table, r in masks.annotate(Unit("m", "medium", None, "r", 0), rows) if table == "boxes"]
    assert len(out) == 2 and all(decode_mask(r["mask"]).shape == (HEIGHT, WIDTH) for r in out)
    assert len(masks.models()[0].digest) == 32
