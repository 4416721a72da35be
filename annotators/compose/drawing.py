"""Pure drawing primitives for composed pictures: coloured shapes, noise textures, backdrops and lettering.

Everything is a function of its arguments and a seed: numpy arrays in and out, Pillow for outlines and text,
no global state and no OpenCV. Shapes are rasterised at four times their size and averaged down, so edges are
smooth; textures are sums of value noise at several scales, so that optical flow finds hold everywhere.
Colours are plain sRGB without gamma handling: good for drawing, not for photometry.
"""

from functools import lru_cache
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Rgb = tuple[int, int, int]
Picture = NDArray[np.uint8]  # height x width x 3, sRGB
Sprite = NDArray[np.uint8]  # height x width x 4, sRGB and straight (not premultiplied) alpha
Plane = NDArray[np.float32]  # height x width

COLOURS: dict[str, Rgb] = {
    "red": (214, 40, 40),
    "orange": (245, 130, 32),
    "yellow": (250, 209, 45),
    "green": (58, 158, 66),
    "blue": (38, 94, 205),
    "purple": (128, 58, 176),
    "pink": (245, 135, 180),
    "white": (246, 246, 242),
    "black": (28, 28, 32),
    "brown": (121, 76, 42),
}
"""Named colours that stay apart from each other after video compression."""

SHAPES: tuple[str, ...] = (
    "circle",
    "square",
    "triangle",
    "star",
    "heart",
    "diamond",
    "cross",
    "ring",
    "hexagon",
    "moon",
)
"""Names that `shape_mask` knows."""

_OVERSAMPLING = 4


def _star(points: int, inner: float) -> list[tuple[float, float]]:
    radii = [1.0 if i % 2 == 0 else inner for i in range(2 * points)]
    return [(r * sin(pi * i / points), -r * cos(pi * i / points)) for i, r in enumerate(radii)]


def _regular(corners: int, turn_rad: float) -> list[tuple[float, float]]:
    angles = [turn_rad + 2 * pi * i / corners for i in range(corners)]
    return [(sin(a), -cos(a)) for a in angles]


def _heart() -> list[tuple[float, float]]:
    steps = [2 * pi * i / 96 for i in range(96)]
    xs = [16 * sin(t) ** 3 for t in steps]
    ys = [-(13 * cos(t) - 5 * cos(2 * t) - 2 * cos(3 * t) - cos(4 * t)) for t in steps]
    return [(x / 16.5, (y - 2.5) / 16.5) for x, y in zip(xs, ys, strict=True)]


def _outline(shape: str) -> list[tuple[float, float]]:
    """Corners of a polygonal shape inside the unit circle, x right, y down."""
    match shape:
        case "square":
            return [(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)]
        case "triangle":
            return [(0.0, -0.95), (0.95, 0.75), (-0.95, 0.75)]
        case "star":
            return _star(5, 0.42)
        case "heart":
            return _heart()
        case "diamond":
            return [(0.0, -1.0), (0.7, 0.0), (0.0, 1.0), (-0.7, 0.0)]
        case "cross":
            a = 0.32
            return [
                (-a, -0.9), (a, -0.9), (a, -a), (0.9, -a), (0.9, a), (a, a),
                (a, 0.9), (-a, 0.9), (-a, a), (-0.9, a), (-0.9, -a), (-a, -a),
            ]  # fmt: skip
        case "hexagon":
            return _regular(6, pi / 6)
    raise ValueError(f"shape {shape!r} is not known; choose one of {', '.join(SHAPES)}")


def shape_mask(shape: str, size_px: int, angle_deg: float = 0.0) -> Plane:
    """Coverage of a shape as a `size_px` x `size_px` plane in [0, 1] with smooth edges.

    The shape touches (about) the inscribed circle of the plane; `angle_deg` turns it clockwise.
    Raises ValueError for an unknown shape or a size below 4 pixels.
    """
    if size_px < 4:
        raise ValueError(f"size_px is {size_px}; a shape needs at least 4 pixels")
    big = size_px * _OVERSAMPLING
    half = big / 2
    image = Image.new("L", (big, big), 0)
    pen = ImageDraw.Draw(image)

    def disc(cx: float, cy: float, radius: float, fill: int) -> None:
        x, y, r = half + cx * half, half + cy * half, radius * half
        pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)

    if shape in ("circle", "ring", "moon"):
        disc(0, 0, 0.95, 255)
        if shape == "ring":
            disc(0, 0, 0.52, 0)
        if shape == "moon":
            disc(0.42, -0.1, 0.8, 0)
        if angle_deg:
            image = image.rotate(-angle_deg, Image.Resampling.BICUBIC)
    else:
        turn = angle_deg * pi / 180
        corners = [(x * cos(turn) - y * sin(turn), x * sin(turn) + y * cos(turn)) for x, y in _outline(shape)]
        pen.polygon([(half + x * half * 0.98, half + y * half * 0.98) for x, y in corners], fill=255)
    small = image.resize((size_px, size_px), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32) / 255.0


def shape_sprite(shape: str, colour: Rgb, size_px: int, angle_deg: float = 0.0, relief: float = 0.25) -> Sprite:
    """A coloured shape with a darker rim and light from the upper left; `relief` 0 gives a flat fill.

    Returns `size_px` x `size_px` x 4; outside the shape alpha is 0.
    """
    mask = shape_mask(shape, size_px, angle_deg)
    rows, columns = np.mgrid[0:size_px, 0:size_px].astype(np.float32) / max(1, size_px - 1)
    light = 1.0 + relief * (0.9 - rows - 0.8 * columns)
    core = Image.fromarray((mask * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(max(1.0, size_px / 28)))
    depth = np.clip((np.asarray(core, dtype=np.float32) / 255.0 - 0.55) / 0.35, 0, 1)
    shade = light * (1.0 - relief * 1.6 * (1.0 - depth))
    rgb = np.clip(np.asarray(colour, dtype=np.float32) * shade[..., None], 0, 255)
    return np.dstack([rgb, mask * 255]).round().astype(np.uint8)


def mask_box(mask: Plane | NDArray[np.uint8], threshold: float = 0.5) -> tuple[int, int, int, int]:
    """Smallest box x1, y1, x2, y2 in pixels (x2, y2 exclusive) around values above `threshold`."""
    rows, columns = np.where(mask > threshold)
    if rows.size == 0:
        raise ValueError("the mask is empty, so it has no box")
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def shadow_of(sprite: Sprite, blur_px: float, strength: float = 0.4) -> Sprite:
    """A soft black shadow with the outline and the size of `sprite`."""
    alpha = Image.fromarray(sprite[..., 3]).filter(ImageFilter.GaussianBlur(blur_px))
    shadow = np.zeros_like(sprite)
    shadow[..., 3] = (np.asarray(alpha, dtype=np.float32) * strength).astype(np.uint8)
    return shadow


def _shifted(sprite: Sprite, dx: float, dy: float) -> NDArray[np.float32]:
    """The sprite, one pixel larger each way, moved by a fraction of a pixel (bilinear, premultiplied)."""
    height, width = sprite.shape[:2]
    colour = sprite.astype(np.float32)
    colour[..., :3] *= colour[..., 3:] / 255.0
    out = np.zeros((height + 1, width + 1, 4), np.float32)
    for oy, wy in ((0, 1 - dy), (1, dy)):
        for ox, wx in ((0, 1 - dx), (1, dx)):
            if wx * wy > 0:
                out[oy : oy + height, ox : ox + width] += colour * (wx * wy)
    return out


def paste(picture: Picture, sprite: Sprite, left_px: float, top_px: float) -> None:
    """Lay a sprite over a picture in place; the corner may be fractional and parts may lie outside."""
    x0, y0 = int(np.floor(left_px)), int(np.floor(top_px))
    moved = _shifted(sprite, left_px - x0, top_px - y0)
    height, width = picture.shape[:2]
    x1, y1 = max(0, x0), max(0, y0)
    x2, y2 = min(width, x0 + moved.shape[1]), min(height, y0 + moved.shape[0])
    if x1 >= x2 or y1 >= y2:
        return
    part = moved[y1 - y0 : y2 - y0, x1 - x0 : x2 - x0]
    under = picture[y1:y2, x1:x2]
    picture[y1:y2, x1:x2] = (part[..., :3] + under * (1.0 - part[..., 3:] / 255.0) + 0.5).astype(np.uint8)


def value_noise(
    height: int, width: int, seed: int, coarsest_px: float, finest_px: float = 3.0, gain: float = 0.62
) -> Plane:
    """Multi-scale value noise, scaled to cover [0, 1].

    Sums layers of random values, smoothly enlarged; cells start at `coarsest_px` and halve until `finest_px`,
    each layer `gain` times as strong as the one before. Same arguments, same plane.
    """
    rng = np.random.default_rng([seed, height, width])
    total = np.zeros((height, width), np.float32)
    cell, weight = float(coarsest_px), 1.0
    while cell >= finest_px:
        grid_h, grid_w = int(np.ceil(height / cell)) + 3, int(np.ceil(width / cell)) + 3
        grid = Image.fromarray(rng.random((grid_h, grid_w), dtype=np.float32))
        span = (0.5, 0.5, 0.5 + width / cell, 0.5 + height / cell)
        layer = grid.resize((width, height), Image.Resampling.BICUBIC, box=span)
        total += weight * np.asarray(layer)
        cell, weight = cell / 2, weight * gain
    low, high = np.percentile(total, [0.5, 99.5])
    plane: Plane = np.clip((total - low) / max(float(high - low), 1e-6), 0, 1).astype(np.float32)
    return plane


def ramp(plane: Plane, stops: list[Rgb]) -> Picture:
    """Colour a plane in [0, 1] by a gradient through evenly spaced stops."""
    where = np.linspace(0, 1, len(stops))
    table = np.stack([np.interp(np.linspace(0, 1, 1024), where, [s[c] for s in stops]) for c in range(3)], axis=-1)
    picture: Picture = table.round().astype(np.uint8)[(np.clip(plane, 0, 1) * 1023).astype(np.intp)]
    return picture


def texture(height: int, width: int, seed: int, stops: list[Rgb], coarsest_px: float = 64.0) -> Picture:
    """A cloudy texture in the colours of `stops`, rich at every scale from `coarsest_px` down."""
    return ramp(value_noise(height, width, seed, coarsest_px), stops)


def hills(height: int, width: int, seed: int, sky: list[Rgb], land: list[Rgb], layers: int = 4) -> Picture:
    """A landscape: a cloudy sky above `layers` textured ridges, far ones pale and near ones deep.

    `sky` and `land` hold at least two colours each, from far to near.
    """
    if len(sky) < 2 or len(land) < 2:
        raise ValueError(f"hills need two colours for sky and land, got {len(sky)} and {len(land)}")
    rng = np.random.default_rng([seed, 7])
    fall = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    clouds = value_noise(height, width, seed * 2 + 1, height / 3)
    picture = ramp(np.clip(0.75 * fall + 0.6 * (clouds - 0.35), 0, 1), sky)
    grain = value_noise(height, width, seed * 2, height / 6)
    columns = np.arange(width, dtype=np.float32)
    for layer in range(layers):
        depth = layer / max(1, layers - 1)
        ridge = np.full(width, height * (0.42 + 0.4 * depth), np.float32)
        for wave in (0.9, 2.3, 5.1, 11.0):
            phase, size = rng.random() * 2 * pi, height * 0.09 / wave**0.8
            ridge += np.float32(size) * np.sin(2 * pi * wave * columns / (height * 1.8) + phase).astype(np.float32)
        moved = grain[:: -1 if layer & 2 else 1, :: -1 if layer & 1 else 1]
        top = max(0, int(ridge.min()) - 1)
        rows = np.arange(top, height, dtype=np.float32)[:, None]
        cover = np.clip(rows - ridge[None, :] + 0.5, 0, 1)[..., None]
        front = ramp(np.clip(0.25 + 0.45 * depth + 0.75 * (moved[top:] - 0.5), 0, 1), land)
        picture[top:] = (picture[top:] * (1 - cover) + front * cover).astype(np.uint8)
    return picture


def planks(height: int, width: int, seed: int, wood: list[Rgb], board_px: int) -> Picture:
    """A table of horizontal boards `board_px` high with drawn-out grain and dark seams."""
    rng = np.random.default_rng([seed, 11])
    narrow = value_noise(height, -(-width // 3), seed, board_px * 0.9, 2.0, gain=0.75)
    fine = value_noise(height, width, seed + 1, board_px / 4)
    grain = np.repeat(narrow, 3, axis=1)[:, :width] * 0.6 + fine * 0.4
    boards = np.arange(height) // board_px
    tones = rng.uniform(-0.18, 0.18, size=int(boards[-1]) + 1).astype(np.float32)
    picture = ramp(np.clip(grain + tones[boards][:, None], 0, 1), wood)
    for seam in range(board_px, height, board_px):
        picture[seam - 1 : seam + 1] = picture[seam - 1 : seam + 1] // 2
    return picture


def tiles(height: int, width: int, seed: int, glaze: list[Rgb], tile_px: int) -> Picture:
    """A wall of square tiles of changing tone with pale joints, cloudy enough to follow by optical flow."""
    rng = np.random.default_rng([seed, 13])
    rows, columns = np.arange(height) // tile_px, np.arange(width) // tile_px
    tones = rng.uniform(-0.3, 0.3, size=(int(rows[-1]) + 1, int(columns[-1]) + 1)).astype(np.float32)
    clouds = value_noise(height, width, seed, tile_px * 1.5, gain=0.75)
    picture = ramp(np.clip(0.15 + 0.7 * clouds + tones[rows][:, columns], 0, 1), glaze)
    joint = max(1, tile_px // 24)
    edges = (np.arange(height) % tile_px < joint)[:, None] | (np.arange(width) % tile_px < joint)[None, :]
    picture[edges] = picture[edges] // 2 + np.uint8(110)
    return picture


@lru_cache(maxsize=64)
def _font(height_px: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(height_px)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("this Pillow was built without FreeType; install a wheel from the package index")
    return font


def lettering(
    text: str,
    height_px: int,
    ink: Rgb = (250, 250, 245),
    plate: Rgb | None = None,
    padding_px: int = 0,
    border: Rgb | None = None,
) -> tuple[Sprite, tuple[int, int, int, int]]:
    """A line of text, bare or on a rounded plate, and the box of its ink in the sprite.

    `height_px` is the font's size (capitals are about 0.7 of it); the letters are those of the font inside
    Pillow, so they look the same wherever that version is installed. Returns (sprite, (x1, y1, x2, y2)).
    """
    if not text.strip():
        raise ValueError("there is no text to draw")
    font = _font(height_px)
    left, top, right, bottom = (round(v) for v in font.getbbox(text, stroke_width=1))
    width, height = right - left + 2 * padding_px + 4, bottom - top + 2 * padding_px + 4
    image = Image.new("RGBA", (width, height), (*(plate or ink), 0))
    pen = ImageDraw.Draw(image)
    if plate is not None:
        pen.rounded_rectangle(
            (0, 0, width - 1, height - 1),
            radius=max(2, padding_px),
            fill=(*plate, 255),
            outline=(*border, 255) if border else None,
            width=max(2, height_px // 12),
        )
    at = (padding_px + 2 - left, padding_px + 2 - top)
    ink_mask = Image.new("L", (width, height), 0)
    ImageDraw.Draw(ink_mask).text(at, text, fill=255, font=font, stroke_width=1)
    pen.text(at, text, fill=(*ink, 255), font=font, stroke_width=1)
    return np.array(image), mask_box(np.asarray(ink_mask), 96)
