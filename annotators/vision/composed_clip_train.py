"""Training of the tiny CLIP that tests and the torch-free demo use; it understands composed scenes and
nothing else.

Every batch shows each of the 192 seen combinations of colour, shape and position once, so captions in a
batch are distinct and every picture has its hard negatives (same colour and position, other shape) beside
it; further losses ask for shape, colour, position, and colour with shape alone. The 48 held-out
combinations measure composition. Run: `python -m chronotope.annotators.vision.composed_clip_train --out DIR
--minutes 15 --seed 1`. Limits: CPU only, a few million parameters; seconds decide the number of steps, so
give `--steps` to repeat a run.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..compose.scenes import (
    COLOURS,
    COMBINATIONS,
    POSITIONS,
    SEEN,
    SHAPES,
    UNSEEN,
    Combination,
    attribute_captions,
    colour_shape_captions,
    draw_scene,
    empty_captions,
    full_captions,
    sample_scene,
)

if TYPE_CHECKING:
    import torch

MERGES = 4000
SIZE_PX = 64
VOCABULARY_FILE = "bpe_simple_vocab_4k.txt.gz"
NAME = "composed-clip (composed scenes only)"
NOTE = "Made for composed scenes only: coloured shapes on textured backgrounds. Meaningless on real footage."
CONFIG: dict[str, Any] = {
    "name": NAME,
    "note": NOTE,
    "model_cfg": {
        "embed_dim": 128,
        "vision_cfg": {"image_size": SIZE_PX, "layers": [1, 1, 1, 1], "width": 16, "patch_size": None},
        "text_cfg": {
            "context_length": 32,
            "vocab_size": 512 + MERGES + 2,
            "width": 128,
            "heads": 4,
            "layers": 2,
            "tokenizer_kwargs": {"bpe_path": VOCABULARY_FILE},
        },
    },
    "preprocess_cfg": {
        "size": SIZE_PX,
        "mean": [0.5, 0.5, 0.5],
        "std": [0.25, 0.25, 0.25],
        "interpolation": "bicubic",
        "resize_mode": "squash",
    },
}
FRAMES: tuple[tuple[int, int], ...] = ((128, 72), (128, 72), (112, 84), (96, 96))
"""Width and height that scenes are drawn at before they are squashed to the model's input."""


def cut_vocabulary(out: Path, merges: int = MERGES) -> Path:
    """Write the first `merges` byte-pair merges of CLIP's vocabulary to `out`; the same bytes each time."""
    from open_clip.tokenizer import default_bpe

    lines = gzip.decompress(Path(default_bpe()).read_bytes()).decode("utf-8").split("\n")
    path = out / VOCABULARY_FILE
    path.write_bytes(gzip.compress("\n".join(lines[: merges + 1]).encode("utf-8"), mtime=0))
    return path


def picture(seed: int, combination: Combination | None) -> NDArray[np.uint8]:
    """A scene as the model's preprocessing would see it before normalising, `[64, 64, 3]`."""
    width, height = FRAMES[seed % len(FRAMES)]
    frame = Image.fromarray(draw_scene(sample_scene(seed, combination), width, height))
    return np.asarray(frame.resize((SIZE_PX, SIZE_PX), Image.Resampling.BICUBIC))


class Pool:
    """A rolling store of pictures, `depth` per seen combination and of empty scenes, renewed bit by bit."""

    def __init__(self, depth: int, seed: int) -> None:
        self._kinds: list[Combination | None] = [*SEEN, None]
        self._next = seed * 10_000_000
        self._turn = 0
        self.pictures = np.zeros((len(self._kinds), depth, SIZE_PX, SIZE_PX, 3), np.uint8)
        for _ in range(len(self._kinds) * depth):
            self.renew()

    def renew(self) -> None:
        """Draw one new picture over the oldest."""
        kinds, depth = self.pictures.shape[:2]
        kind, slot = self._turn % kinds, self._turn // kinds % depth
        self.pictures[kind, slot] = picture(self._next, self._kinds[kind])
        self._next += 1
        self._turn += 1

    def batch(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """One picture of each seen combination and one empty scene, `[193, 64, 64, 3]`."""
        kinds, depth = self.pictures.shape[:2]
        return self.pictures[np.arange(kinds), rng.integers(depth, size=kinds)]


def to_input(pictures: NDArray[np.uint8], rng: np.random.Generator | None = None) -> torch.Tensor:
    """Normalised planes `[n, 3, 64, 64]`; with `rng` also random light, colour cast and sensor noise."""
    import torch

    values = torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div_(255)
    if rng is not None:
        n = len(pictures)
        gain = torch.from_numpy(rng.uniform(0.7, 1.2, (n, 1, 1, 1)) * rng.uniform(0.94, 1.06, (n, 3, 1, 1)))
        offset = torch.from_numpy(rng.uniform(-0.06, 0.06, (n, 1, 1, 1)))
        noise = torch.from_numpy(rng.standard_normal(values.shape, dtype=np.float32)) * 0.02
        values = (values * gain.float() + offset.float() + noise).clamp_(0, 1)
    return values.sub_(0.5).div_(0.25).contiguous(memory_format=torch.channels_last)


def _pick(rng: np.random.Generator, wordings: list[str]) -> str:
    plain = rng.random() < 0.3
    return wordings[0] if plain else wordings[int(rng.integers(len(wordings)))]


def _partial_targets() -> list[tuple[Callable[[np.random.Generator], list[str]], list[int]]]:
    """Prompts of each partial question, and which prompt is right for each picture of a batch."""
    pairs = [(c, s) for c in COLOURS for s in SHAPES]

    def attribute(kind: str, values: list[str], column: int) -> tuple[Callable[..., list[str]], list[int]]:
        return (
            lambda rng: [_pick(rng, attribute_captions(kind, v)) for v in values],
            [values.index(x[column]) for x in SEEN],
        )

    return [
        (
            lambda rng: [_pick(rng, colour_shape_captions(c, s)) for c, s in pairs],
            [pairs.index((c, s)) for c, s, _ in SEEN],
        ),
        attribute("shape", list(SHAPES), 1),
        attribute("colour", list(COLOURS), 0),
        attribute("position", list(POSITIONS), 2),
    ]


def encode_short(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    """`model.encode_text(tokens, normalize=True)` without the columns that are padding in every row.

    The text tower is causal and pools at the end token, so the result is the same at a third of the cost.
    """
    import torch

    longest = int(tokens.argmax(1).max()) + 1
    tokens = tokens[:, :longest]
    x = model.token_embedding(tokens) + model.positional_embedding[:longest]
    x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:longest, :longest]))
    ends = x[torch.arange(len(x)), tokens.argmax(1)]
    return torch.nn.functional.normalize(ends @ model.text_projection, dim=-1)


def train(out: Path, minutes: float, seed: int, steps: int | None = None, depth: int = 96) -> dict[str, Any]:
    """Train, write the model folder `out` and return what was measured.

    `minutes` bounds the time; with `steps` the number of steps is fixed instead and the run can be
    repeated. Writes `open_clip_config.json`, the cut vocabulary, `model.safetensors` (float16) and
    `training.json`.
    """
    import open_clip
    import torch
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    bpe = cut_vocabulary(out)
    (out / "open_clip_config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    torch.set_num_threads(1)  # a repeatable order of additions, and faster than two threads on busy cores
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = open_clip.create_model(f"local-dir:{out}", load_weights=False)
    model = model.to(memory_format=torch.channels_last)
    tokenizer = open_clip.SimpleTokenizer(str(bpe), context_length=model.context_length)
    loss_of_pairs = open_clip.ClipLoss()
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    peak = 1.5e-3
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.98))
    begin = time.perf_counter()
    pool = Pool(depth, seed)
    print(
        f"pool of {pool.pictures.shape[0] * depth} pictures in {time.perf_counter() - begin:.0f} s",
        flush=True,
    )
    partial = _partial_targets()
    targets = [torch.tensor(right) for _, right in partial]
    begin, step, done = time.perf_counter(), 0, 0.0
    while done < 1.0:
        for group in optimiser.param_groups:
            group["lr"] = peak * min(1.0, step / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        images = to_input(pool.batch(rng), rng)
        full = [_pick(rng, full_captions(x)) for x in SEEN] + [_pick(rng, empty_captions())]
        asked = [prompts(rng) for prompts, _ in partial]
        features = model.encode_image(images, normalize=True)
        words = encode_short(model, tokenizer(full + [t for some in asked for t in some]))
        scale = model.logit_scale.exp()
        loss = loss_of_pairs(features, words[: len(full)], scale)
        at = len(full)
        for some, right in zip(asked, targets, strict=True):
            logits = scale * features[: len(SEEN)] @ words[at : at + len(some)].T
            loss = loss + 0.3 * torch.nn.functional.cross_entropy(logits, right)
            at += len(some)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        for _ in range(12):
            pool.renew()
        step += 1
        seconds = time.perf_counter() - begin
        done = step / steps if steps else seconds / (60 * minutes)
        if step % 100 == 0:
            print(f"step {step} {seconds:.0f} s loss {loss.item():.3f}", flush=True)
        if step % 500 == 0:
            print(json.dumps(accuracy(model, tokenizer, UNSEEN, 4, 777)), flush=True)
    state = {k: v.half().contiguous() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    save_file(state, out / "model.safetensors")
    (out / "model.safetensors").chmod(0o644)
    model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    report: dict[str, Any] = {
        "name": NAME,
        "steps": step,
        "minutes": round((time.perf_counter() - begin) / 60, 1),
        "seed": seed,
        "pictures_per_step": len(SEEN) + 1,
        "unseen": accuracy(model, tokenizer, UNSEEN, 20, 2024),
        "seen": accuracy(model, tokenizer, SEEN, 5, 2025),
    }
    (out / "training.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def accuracy(
    model: Any, tokenizer: Any, combinations: tuple[Combination, ...], per_combination: int, seed: int
) -> dict[str, float]:
    """240-way zero-shot accuracy with plain captions, and the shares of right attributes."""
    import torch

    model.eval()
    with torch.no_grad():
        words = model.encode_text(tokenizer([full_captions(x)[0] for x in COMBINATIONS]), normalize=True)
        hits = np.zeros(4)
        for k in range(per_combination):
            shown = np.stack([picture(seed * 100_000 + 1000 * k + i, x) for i, x in enumerate(combinations)])
            best = (model.encode_image(to_input(shown), normalize=True) @ words.T).argmax(1).tolist()
            for right, index in zip(combinations, best, strict=True):
                found = COMBINATIONS[index]
                hits += [found == right, *(a == b for a, b in zip(found, right, strict=True))]
    model.train()
    shares = hits / (per_combination * len(combinations))
    return dict(zip(("all", "colour", "shape", "position"), shares.round(4).tolist(), strict=True))


def main() -> None:
    """Command line: train and print the report as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write the model to")
    parser.add_argument("--minutes", type=float, default=15.0, help="training time")
    parser.add_argument("--steps", type=int, default=None, help="fixed number of steps instead of a time")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    print(json.dumps(train(args.out, args.minutes, args.seed, args.steps)))


if __name__ == "__main__":
    main()
