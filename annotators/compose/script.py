"""From a seed to a film's script: kinds of scenes, joins, cameras, props, lettering and narration.

Everything is drawn from shuffled decks, so that a film of ordinary length shows each kind of motion about
equally often; `kinds` and `joins` force a script for tests. The script is data (`SceneSpec`); it draws
nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import TypeVar, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from .drawing import COLOURS, SHAPES
from .stage import Join, Lettering, Move, Prop, SceneKind, SceneSpec
from .story import THEMES, Theme
from .truth import CameraKind
from .voice import SAMPLE_RATE_HZ, Utterance, speak

_KINDS: tuple[SceneKind, ...] = tuple(kind for kind in get_args(SceneKind) if kind != "title")
_JOINS: tuple[Join, ...] = ("cut", "lookalike", "dissolve", "cut", "lookalike")
_CAST = tuple(shape for shape in SHAPES if shape not in ("ring", "moon", "cross"))  # those read as O, C and +
_T = TypeVar("_T")


class FilmParams(BaseModel):
    """What a composed film should be; the same parameters always give the same bytes."""

    model_config = ConfigDict(frozen=True)

    seed: int = Field(0, ge=0, description="Chooses everything that the other parameters leave open.")
    scenes: int = Field(16, ge=1, description="Scenes before the film repeats, without the end card.")
    width: int = Field(640, ge=32, multiple_of=2, description="Picture width, pixels.")
    height: int = Field(360, ge=32, multiple_of=2, description="Picture height, pixels.")
    fps: int = Field(25, ge=1, description="Frames per second, constant.")
    scene_s: tuple[float, float] = Field((3.0, 6.4), description="Shortest and longest scene, seconds.")
    narration: bool = Field(True, description="Speak over the scenes; without it there is no sound stream.")
    lettering: bool = Field(True, description="Show captions and signs.")
    title: str | None = Field(None, description="Text of an end card of 3 seconds; without it there is none.")
    min_duration_s: float = Field(0.0, ge=0, description="Repeat the whole script until the film is this long.")
    kinds: tuple[SceneKind, ...] | None = Field(None, description="Kinds of the scenes, repeated if too few.")
    joins: tuple[Join, ...] | None = Field(None, description="Joins between scenes, repeated if too few.")
    voice: str = Field("en-us", description="eSpeak NG voice of the narrator.")
    words_per_minute: int = Field(140, ge=80, le=300, description="Speed of the narrator.")

    @model_validator(mode="after")
    def _check(self) -> "FilmParams":
        if not 1.5 <= self.scene_s[0] <= self.scene_s[1]:
            raise ValueError(f"scene_s is {self.scene_s}; give (shortest, longest) with shortest >= 1.5 s")
        if self.joins and "start" in self.joins:
            raise ValueError("joins holds 'start', which only the first scene has; use cut or dissolve")
        if self.kinds and "title" in self.kinds:
            raise ValueError("kinds holds 'title'; set the parameter title for an end card")
        return self


def film_scenes(params: FilmParams) -> list[SceneSpec]:
    """The script of one cycle of the film, scene by scene; pure and quick."""
    rng = np.random.default_rng([params.seed, 1])
    kinds = _take(params.kinds, _KINDS, params.scenes, rng)
    joins: list[Join] = ["start", *_take(params.joins, _JOINS, params.scenes - 1, rng)]
    if params.title:
        kinds.append("title")
        joins.append("dissolve")
    dissolve = [round(rng.uniform(0.4, 1.0) * params.fps) if join == "dissolve" else 0 for join in joins]
    themes = _deck(THEMES, rng)
    signs = {theme.name: _deck(theme.signs, rng) for theme in THEMES}
    scenes: list[SceneSpec] = []
    theme, cast, start = next(themes), [], 0
    for i, (kind, join) in enumerate(zip(kinds, joins, strict=True)):
        if join != "lookalike":
            theme = next(themes) if i else theme
            cast = _cast(theme, rng)
        following = dissolve[i + 1] if i + 1 < len(joins) else 0
        length = 3.0 if kind == "title" else rng.uniform(*params.scene_s)
        frames = dissolve[i] + max(2, round(length * params.fps)) + following
        span = (dissolve[i], frames - following)
        words: tuple[Lettering, ...] = ()
        if kind == "title":
            words = (Lettering(params.title or "", "title", span[0], frames),)
        elif params.lettering and kind != "flash" and rng.random() < 0.7:
            words = (_lettering(kind, next(signs[theme.name]), span, params.fps, rng),)
        stage = _staging(kind, frames, span, words, cast, params, rng)
        scenes.append(
            SceneSpec(
                index=i,
                kind=kind,
                theme=theme.name,
                texture_seed=int(rng.integers(2**31)),
                first_frame=start,
                frames=frames,
                join=join,
                join_frames=dissolve[i],
                next_join_frames=following,
                letterings=words,
                moves=stage.moves,
                props=stage.props,
                flash=stage.flash,
                zoom0=stage.zoom0,
                roll0_deg=stage.roll0_deg,
            )
        )
        start += frames - following
    return scenes


def _take(wanted: Sequence[_T] | None, deck: Sequence[_T], count: int, rng: np.random.Generator) -> list[_T]:
    if wanted:
        return [wanted[i % len(wanted)] for i in range(count)]
    cards = _deck(deck, rng)
    return [next(cards) for _ in range(count)]


def _deck(cards: Sequence[_T], rng: np.random.Generator) -> Iterator[_T]:
    """The cards in shuffled order, again and again."""
    while True:
        for i in rng.permutation(len(cards)):
            yield cards[int(i)]


def _cast(theme: Theme, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Shapes and colours for the props of a scene, all different."""
    colours = [name for name in COLOURS if name not in theme.lost_colours]
    shapes, tints = rng.permutation(len(_CAST)), rng.permutation(len(colours))
    return [(_CAST[int(shapes[i])], colours[int(tints[i])]) for i in range(4)]


def _lettering(kind: SceneKind, text: str, span: tuple[int, int], fps: int, rng: np.random.Generator) -> Lettering:
    """A caption, or a sign where the camera stands, for part of the scene's own frames."""
    style = "sign" if (kind == "still" or kind.startswith("move_")) and rng.random() < 0.6 else "caption"
    first = span[0] + round(rng.uniform(0.2, 0.7) * fps)
    last = min(span[1], first + round(rng.uniform(1.6, 3.0) * fps))
    x = float(rng.choice([0.3, 0.5, 0.7]))
    return Lettering(text, "sign" if style == "sign" else "caption", first, last, x)


@dataclass(frozen=True)
class _Staging:
    moves: tuple[Move, ...]
    props: tuple[Prop, ...]
    flash: tuple[int, int] | None = None
    zoom0: float = 1.0
    roll0_deg: float = 0.0


def _staging(
    kind: SceneKind,
    frames: int,
    span: tuple[int, int],
    words: tuple[Lettering, ...],
    cast: list[tuple[str, str]],
    params: FilmParams,
    rng: np.random.Generator,
) -> _Staging:
    """Camera and props for a kind of scene; the hero stays in the picture and clear of the lettering."""
    seconds = frames / params.fps
    styles = {word.style for word in words}
    low, high = (0.30 if "sign" in styles else 0.04), (0.77 if "caption" in styles else 0.96)
    size = float(rng.uniform(0.2, 0.28))
    aspect = params.width / params.height

    def scene(kind: CameraKind, rate: float, props: list[Prop]) -> tuple[tuple[Move, ...], tuple[Prop, ...]]:
        return (Move(0, frames, kind, rate),), tuple(props)

    def hero(vx: float = 0.0, vy: float = 0.0, seen_vx: float = 0.0, seen_vy: float = 0.0) -> Prop:
        """A prop that moves over the ground with v and through the picture with seen_v."""
        half_w, half_h = size / aspect / 2, size / 2
        reach_x, reach_y = seen_vx * seconds, seen_vy * seconds
        left = 0.03 + half_w + max(0.0, -reach_x)
        right = 0.97 - half_w - max(0.0, reach_x)
        top, bottom = low + half_h + max(0.0, -reach_y), high - half_h - max(0.0, reach_y)
        x = rng.uniform(left, right) if left < right else (left + right) / 2
        y = rng.uniform(top, bottom) if top < bottom else (top + bottom) / 2
        return Prop(*cast[0], size, x - 0.5, y - 0.5, vx, vy, hero=True)

    def extras(lead: Prop, sweep_x: float, sweep_y: float, count: int) -> list[Prop]:
        """Still props beside the lead's way, spread over all that the camera will see."""
        found: list[Prop] = [lead]
        x_range = (min(0.0, sweep_x) - 0.42, max(0.0, sweep_x) + 0.42)
        y_range = (min(0.0, sweep_y) + low - 0.4, max(0.0, sweep_y) + high - 0.6)
        for _ in range(200):
            if len(found) > count:
                break
            shape, colour = cast[len(found)]
            new = Prop(shape, colour, float(rng.uniform(0.13, 0.19)), rng.uniform(*x_range), rng.uniform(*y_range))
            if all(_apart(new, old, seconds, aspect) for old in found):
                found.append(new)
        return found

    name, _, way = kind.partition("_")
    sign = -1.0 if way in ("left", "up") else 1.0
    sideways = way in ("left", "right")
    if name == "move":
        room = 0.94 - size / aspect if sideways else high - low - size
        speed = sign * min(room, rng.uniform(0.42, 0.62) if sideways else rng.uniform(0.38, 0.5)) / seconds
        v = (speed, 0.0) if sideways else (0.0, speed)
        return _Staging(*scene("static", 0.0, extras(hero(*v, *v), 0, 0, 2)))
    if name == "track":
        speed = sign * rng.uniform(0.12, 0.2)
        lead = hero(vx=speed)
        pan: CameraKind = "pan_left" if sign < 0 else "pan_right"
        return _Staging(*scene(pan, abs(speed), extras(lead, speed * seconds, 0, 3)))
    if kind in ("pan_left", "pan_right"):
        speed = sign * rng.uniform(0.4, 0.6) / seconds
        return _Staging(*scene(kind, abs(speed), extras(hero(seen_vx=-speed), speed * seconds, 0, 3)))
    if kind in ("tilt_up", "tilt_down"):
        speed = sign * min(high - low - size, rng.uniform(0.34, 0.46)) / seconds
        return _Staging(*scene(kind, abs(speed), extras(hero(seen_vy=-speed), 0, speed * seconds, 2)))
    if kind in ("zoom_in", "zoom_out"):
        factor = rng.uniform(1.4, 1.6)
        lead = Prop(*cast[0], size, 0.0, (low + high) / 2 - 0.5, hero=True)
        lead = Prop(*cast[0], size, 0.0, 0.0, hero=True) if not words else lead
        staging = scene(kind, log(factor) / seconds, extras(lead, 0, 0, 3))
        return _Staging(*staging, zoom0=factor if kind == "zoom_out" else 1.0)
    if kind in ("roll_cw", "roll_ccw"):
        degrees = rng.uniform(26, 40)
        lead = Prop(*cast[0], size, 0.0, 0.0, hero=True)
        half = degrees / 2 if kind == "roll_ccw" else -degrees / 2
        return _Staging(*scene(kind, degrees / seconds, extras(lead, 0, 0, 2)), roll0_deg=half)
    if name == "whip":
        length = max(2, round(rng.uniform(0.24, 0.36) * params.fps))
        first = (span[0] + span[1]) // 2 - length // 2
        distance = sign * rng.uniform(1.25, 1.6)
        rate = abs(distance) * params.fps / length
        pan = "pan_left" if sign < 0 else "pan_right"
        here = hero()
        there = Prop(*cast[1], 0.22, distance + rng.uniform(-0.3, 0.3), here.y, hero=True)
        moves = (
            Move(0, first, "static", 0.0),
            Move(first, first + length, pan, rate, whip=True),
            Move(first + length, frames, "static", 0.0),
        )
        return _Staging(moves, (here, there))
    if kind == "flash":
        first = round(span[0] + (span[1] - span[0]) * rng.uniform(0.35, 0.65))
        return _Staging(*scene("static", 0.0, extras(hero(), 0, 0, 3)), flash=(first, first + int(rng.integers(1, 4))))
    return _Staging(*scene("static", 0.0, extras(hero(), 0, 0, 2)))


def _apart(new: Prop, old: Prop, seconds: float, aspect: float) -> bool:
    """Whether a still prop keeps clear of the whole way of another one."""
    room = (new.size + old.size) / 2 + 0.03
    xs = sorted((old.x, old.x + old.vx * seconds))
    ys = sorted((old.y, old.y + old.vy * seconds))
    outside_x = new.x < xs[0] - room / aspect or new.x > xs[1] + room / aspect
    return outside_x or new.y < ys[0] - room or new.y > ys[1] + room


@dataclass(frozen=True)
class Line:
    """A spoken sentence and the sample of the film's sound at which it starts."""

    first_sample: int
    utterance: Utterance

    @property
    def start_s(self) -> float:
        """Start in seconds from the film's beginning."""
        return self.first_sample / SAMPLE_RATE_HZ


def film_narration(params: FilmParams, scenes: list[SceneSpec]) -> list[Line]:
    """The narration of one cycle: sentences about the theme on screen, one by one with short gaps."""
    if not params.narration:
        return []
    rng = np.random.default_rng([params.seed, 2])
    lines = {theme.name: _deck(theme.lines, rng) for theme in THEMES}
    told = {theme.name: 0 for theme in THEMES}
    limit = {theme.name: len(theme.lines) for theme in THEMES}
    plot = [scene for scene in scenes if scene.kind != "title"]
    end_s = (plot[-1].first_frame + plot[-1].frames) / params.fps
    spoken: list[Line] = []
    now = 0.4
    while now < end_s:
        at = max((s for s in plot if s.first_frame <= now * params.fps), key=lambda s: s.first_frame).theme
        if told[at] >= limit[at]:
            at = min(told, key=lambda name: (told[name] / limit[name], name))
        told[at] += 1
        utterance = speak(next(lines[at]), params.voice, params.words_per_minute)
        if now + utterance.duration_s > end_s - 0.1:
            break
        spoken.append(Line(round(now * SAMPLE_RATE_HZ), utterance))
        now += utterance.duration_s + rng.uniform(0.5, 1.1)
    return spoken
