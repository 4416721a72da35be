"""Compose a narrated film with exact truth: H.264 and AAC in MP4, the same bytes for the same parameters.

Each scene is painted once on a canvas as large as the camera's way; a frame is a warp of that canvas plus
the few sprites that move, so that a minute of film costs seconds. Frames and sound are streamed to the
encoder: memory holds one or two scenes, whatever the length. Byte equality holds for one set of library
versions.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .drawing import COLOURS, Picture, Sprite, hills, paste, planks, shadow_of, shape_sprite, tiles
from .record import cycle_frames, cycles, film_truth
from .script import FilmParams, Line, film_narration, film_scenes
from .stage import Lettering, Prop, SceneSpec, frame_to_world, place_text, pose_at
from .story import THEMES
from .truth import FilmTruth
from .voice import SAMPLE_RATE_HZ

__all__ = ["FilmParams", "FilmTruth", "SceneSpec", "compose_film", "film_frames", "film_narration", "film_scenes"]

_AAC_SAMPLES = 1024
_FLASH_WHITE = 0.93
_MARGIN_PX = 6


class _SceneRenderer:
    """Pictures of one scene; the canvas lives as long as the renderer."""

    def __init__(self, scene: SceneSpec, params: FilmParams) -> None:
        self.scene, self.params = scene, params
        self.scale = 1.35 if scene.kind.startswith("zoom") else 1.0
        width, height = params.width, params.height
        corners = np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
        poses = [pose_at(scene, n, params.fps) for n in range(scene.frames + 1)]
        views = np.hstack([frame_to_world(pose, width, height) @ corners for pose in poses]) * self.scale
        self.origin = np.floor(views.min(axis=1) - _MARGIN_PX)
        columns, rows = (int(v) for v in np.ceil(views.max(axis=1) + _MARGIN_PX) - self.origin)
        self.canvas = _backdrop(scene, columns, rows, height * self.scale)
        for prop in scene.props:
            if not prop.moving:
                sprite, shadow = self._sprites(prop, self.scale)
                x = prop.x * params.width * self.scale - self.origin[0] - sprite.shape[1] / 2
                y = prop.y * params.height * self.scale - self.origin[1] - sprite.shape[0] / 2
                self._stamp(self.canvas, sprite, shadow, x, y)
        self.moving = [(prop, *self._sprites(prop, 1.0)) for prop in scene.props if prop.moving]
        self._last: tuple[NDArray[np.float64], Picture] | None = None

    def _sprites(self, prop: Prop, scale: float) -> tuple[Sprite, Sprite]:
        size = max(6, round(prop.size * self.params.height * scale))
        sprite = shape_sprite(prop.shape, COLOURS[prop.colour], size)
        return sprite, shadow_of(np.pad(sprite, ((8, 8), (8, 8), (0, 0))), max(1.0, size / 24))

    def _stamp(self, picture: Picture, sprite: Sprite, shadow: Sprite, x: float, y: float) -> None:
        drop = self.params.height / 90
        paste(picture, shadow, x - 8 + drop, y - 8 + drop)
        paste(picture, sprite, x, y)

    def picture(self, frame: int) -> Picture:
        """The scene's picture at one of its frames, height x width x 3."""
        import cv2

        params, scene = self.params, self.scene
        back = frame_to_world(pose_at(scene, frame, params.fps), params.width, params.height) * self.scale
        back[:, 2] += 0.5 * back[:, :2].sum(axis=1) - self.origin - 0.5  # from corners to pixel centres
        if self._last is None or not np.array_equal(self._last[0], back):
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            size = (params.width, params.height)
            warped = cv2.warpAffine(self.canvas, back, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
            for move in scene.moves:
                if move.whip and move.first <= frame < move.last:
                    blur = max(1, round(0.6 * move.rate * params.width / params.fps))
                    warped = cv2.blur(warped, (blur, 1))
            self._last = (back, np.asarray(warped, dtype=np.uint8))
        picture = self._last[1].copy()
        at, pose = frame / params.fps, pose_at(scene, frame, params.fps)
        for prop, sprite, shadow in self.moving:
            x = (0.5 + prop.x + prop.vx * at - pose.x) * params.width - sprite.shape[1] / 2
            y = (0.5 + prop.y + prop.vy * at - pose.y) * params.height - sprite.shape[0] / 2
            self._stamp(picture, sprite, shadow, x, y)
        for words in scene.letterings:
            if words.first <= frame < words.last:
                _letter(picture, words, params)
        if scene.flash and scene.flash[0] <= frame < scene.flash[1]:
            picture = (picture * (1 - _FLASH_WHITE) + 255 * _FLASH_WHITE).astype(np.uint8)
        return picture


def _backdrop(scene: SceneSpec, width: int, height: int, view_px: float) -> Picture:
    """The scene's background; `view_px` is the height of the frame on this canvas."""
    theme = next(theme for theme in THEMES if theme.name == scene.theme)
    ground, seed = list(theme.ground), scene.texture_seed
    if theme.backdrop == "planks":
        return planks(height, width, seed, ground, max(4, round(view_px / (5 + seed % 3))))
    if theme.backdrop == "tiles":
        return tiles(height, width, seed, ground, max(4, round(view_px / (4 + seed % 3))))
    return hills(height, width, seed, list(theme.sky), ground)


def _letter(picture: Picture, words: Lettering, params: FilmParams) -> None:
    """Put words into a picture; a sign hangs from the upper edge on two cords."""
    placed = place_text(words, params.width, params.height)
    if words.style == "sign":
        cord = max(1, params.height // 180)
        for share in (0.15, 0.85):
            x = placed.left + round(placed.sprite.shape[1] * share)
            picture[: max(0, placed.top + 2), x : x + cord] = (70, 48, 30)
    paste(picture, placed.sprite, placed.left, placed.top)


def film_frames(params: FilmParams) -> Iterator[Picture]:
    """All frames of the film in order, height x width x 3 sRGB; at most two scenes are in memory."""
    import cv2

    scenes = film_scenes(params)
    for _ in range(cycles(params, scenes)):
        leaving: _SceneRenderer | None = None
        for scene in scenes:
            entering = _SceneRenderer(scene, params)
            for n in range(scene.frames - scene.next_join_frames):
                picture = entering.picture(n)
                if n < scene.join_frames and leaving is not None:
                    old = leaving.picture(leaving.scene.frames - scene.join_frames + n)
                    share = (n + 1) / (scene.join_frames + 1)
                    picture = np.asarray(cv2.addWeighted(picture, share, old, 1 - share, 0), dtype=np.uint8)
                yield picture
            leaving = entering


def _sound(params: FilmParams, narration: list[Line], start: int, stop: int, cycle: int) -> NDArray[np.float32]:
    """Samples [start, stop) of the film's sound in [-1, 1]; the narration repeats every `cycle` frames."""
    sound = np.zeros(stop - start, np.float32)
    turn = int(start / SAMPLE_RATE_HZ * params.fps / cycle)
    for shift in (turn - 1, turn, turn + 1):
        offset = round(shift * cycle / params.fps * SAMPLE_RATE_HZ) if shift >= 0 else None
        for line in narration if offset is not None else []:
            first = (offset or 0) + line.first_sample
            a, b = max(start, first), min(stop, first + len(line.utterance.samples))
            if a < b:
                piece = line.utterance.samples[a - first : b - first]
                sound[a - start : b - start] += piece / np.float32(32768)
    return sound


def compose_film(path: Path, params: FilmParams) -> FilmTruth:
    """Write the film to `path` (MP4) and return its truth.

    Picture and sound start together at 0; the sound is as long as the picture. Raises OSError when the file
    cannot be written.
    """
    import av
    from av.codec.context import Flags

    scenes = film_scenes(params)
    narration = film_narration(params, scenes)
    truth = film_truth(params, scenes, narration)
    samples = round(truth.duration_s * SAMPLE_RATE_HZ)
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        video = container.add_stream("libx264", rate=params.fps)
        video.width, video.height, video.pix_fmt = params.width, params.height, "yuv420p"
        video.codec_context.thread_count = 1
        video.codec_context.flags |= Flags.bitexact
        # With macroblock trees x264 gives other bytes from run to run when the height is no multiple of 16.
        video.options = {"preset": "veryfast", "crf": "21", "threads": "1", "x264-params": "mbtree=0"}
        video.codec_context.gop_size = params.fps * 2
        audio = None
        if params.narration:
            audio = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
            audio.codec_context.flags |= Flags.bitexact
            audio.bit_rate = 64_000
            audio.options = {"aac_coder": "fast"}
        sent = 0

        def send_sound(until: int) -> None:
            nonlocal sent
            while audio is not None and sent < samples and sent + _AAC_SAMPLES <= max(until, 0):
                stop = min(samples, sent + _AAC_SAMPLES)
                chunk = _sound(params, narration, sent, stop, cycle_frames(scenes))
                block = av.AudioFrame.from_ndarray(chunk[None, :], format="fltp", layout="mono")
                block.sample_rate, block.time_base = SAMPLE_RATE_HZ, Fraction(1, SAMPLE_RATE_HZ)
                block.pts = sent
                container.mux(audio.encode(block))
                sent = stop

        for index, picture in enumerate(film_frames(params)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, params.fps)
            container.mux(video.encode(frame))
            send_sound((index + 1) * SAMPLE_RATE_HZ // params.fps)
        container.mux(video.encode())
        send_sound(samples + _AAC_SAMPLES)
        if audio is not None:
            container.mux(audio.encode())
    return truth
