"""A sample as a model under test is asked it: the question in a profile's language, with the frames that the profile draws.

The question is rendered by the same functions as a package's, and scored by the same verifiers; a conversation is posed
once for each answer that trains, with the right answers before it. Frames drawn twice are shown once. Where the plan has
more frames of a video than a request may hold, they are thinned evenly, first and last kept, and the posed question says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.answering.samplers import window_facts
from ..engine.answering.trainer_profiles import Profile
from ..schemas.box import Box
from ..schemas.ids import seeded_fraction
from ..schemas.sample import MediumRef, Sample, TurnsAnswer
from ..schemas.span import Span
from .letters import letters_of, part_keys
from .package_rewards import reward_facts
from .rendering import Language, LeftOut, Part, View, render

_MARK = "\x02"
"""Stands for a medium in the rendered text until its frames take its place."""
_RANKS = 1_000_003


@dataclass(frozen=True)
class Look:
    """One frame that is shown: the one that stands at `t_s` of the source, resized to `width` x `height` px."""

    media_id: str
    t_s: float
    width: int
    height: int
    padded: bool = False
    """Whether the picture keeps its shape inside that size."""
    label: str = ""


@dataclass(frozen=True)
class Posed:
    """One question to a model under test."""

    sample_id: str
    task: str
    media_id: str
    turn: int
    content: tuple[str | Look, ...]
    form: str
    """How the answer is to be written, in words."""
    reward: Mapping[str, Any]
    """Reward facts of the answer (`outputs/rewards`)."""
    drawn: int
    """Frames that the profile draws, each once."""
    shown: int


@dataclass(frozen=True)
class Size:
    """What is known of a medium."""

    width: int
    height: int
    fps: float
    duration_s: float


def pose(
    sample: Sample,
    sample_id: str,
    frames: Sequence[Mapping[str, Any]],
    profile: Profile,
    sizes: Mapping[str, Size],
    *,
    most: int,
    seed: int = 0,
) -> list[Posed]:
    """The questions of a sample; `frames` is its row of `frame_plans`, `most` bounds the frames of its videos.

    Raises `LeftOut` for a sample that the language cannot say.
    """
    looks = [_looks(i, ref, frames, profile) for i, ref in enumerate(sample.media)]
    drawn = sum(len(found) for found in looks)
    moving = [i for i, ref in enumerate(sample.media) if not _stills(ref)]
    for i in moving:
        looks[i] = thinned(looks[i], max(1, most // max(1, len(moving))))
    views = [_view(i, ref, looks[i], sizes.get(ref.media_id)) for i, ref in enumerate(sample.media)]
    language = _language(profile)
    ranked = {key[0]: int(seeded_fraction("letters", seed, key[0]) * _RANKS) for key in part_keys(sample)}
    ranked[sample_id] = int(seeded_fraction("letters", seed, sample_id) * _RANKS)
    rendered = render(sample, views, letters_of(sample, ranked, seed), language)
    facts = reward_facts(rendered, views[0], language, rationale=False)
    files = {
        part.file: _shown(looks[i], ref, view, language, j)
        for i, (ref, view) in enumerate(zip(sample.media, views, strict=True))
        for j, part in enumerate(view.parts)
    }
    shown = sum(len(found) for found in looks)
    answers = [n for n, (role, _) in enumerate(rendered.turns) if role == "assistant"]
    posed = []
    for turn, at in enumerate(answers):
        part = facts
        if isinstance(sample.answer, TurnsAnswer):
            if not facts["parts"][turn]["trained"]:
                continue
            part = facts["parts"][turn]["reward"]
        content = _content(_said(rendered.turns[:at]), [files[p.file] for p in rendered.parts])
        form = _form(part, language, views[0])
        media_id = sample.media[0].media_id
        posed.append(Posed(sample_id, sample.task, media_id, turn, content, form, part, drawn, shown))
    return posed


def thinned(looks: Sequence[Look], most: int) -> list[Look]:
    """At most `most` of the frames, evenly spread, with the first and the last."""
    if len(looks) <= most:
        return list(looks)
    if most == 1:
        return [looks[len(looks) // 2]]
    return [looks[round(k * (len(looks) - 1) / (most - 1))] for k in range(most)]


def _stills(ref: MediumRef) -> bool:
    return ref.kind == "image" or bool(ref.frame_times)


def _looks(place: int, ref: MediumRef, frames: Sequence[Mapping[str, Any]], profile: Profile) -> list[Look]:
    """The planned frames of one medium, each once, in order."""
    steps = profile.stills.resize if _stills(ref) else profile.video.resize
    padded = any(step.rule == "pad_square" for step in steps)
    found: dict[float, Look] = {}
    for frame in frames:
        if frame["medium"] == place + 1:
            look = Look(ref.media_id, float(frame["t_s"]), int(frame["width"]), int(frame["height"]), padded)
            found.setdefault(look.t_s, look)
    if _stills(ref):
        return [found[t] for t in (ref.frame_times or (ref.start_s,)) if t in found]
    return [found[t] for t in sorted(found)]


def _view(place: int, ref: MediumRef, looks: Sequence[Look], size: Size | None) -> View:
    window = Span(ref.start_s, max(ref.end_s, ref.start_s + 1e-6))
    width, height = (looks[0].width, looks[0].height) if looks else (0, 0)
    if ref.kind in ("text", "audio") or not looks or size is None:
        return View((), window, ref.start_s, window.length_s, width, height)
    if _stills(ref):
        parts = tuple(Part("image", f"{place}:{j}") for j in range(len(looks)))
        return View(parts, window, ref.start_s, window.length_s, width, height)
    facts, zero_s = window_facts(ref.start_s, min(ref.end_s, size.duration_s or ref.end_s), size.fps)
    times = tuple(max(0.0, look.t_s - zero_s) for look in looks)
    length_s = facts.duration_s or window.length_s
    return View((Part("video", str(place)),), window, zero_s, length_s, width, height, drawn_s=times)


def _language(profile: Profile) -> Language:
    said = profile.language
    span = "{start} - {end}" if said.times in ("seconds", "mm:ss") else "{start} {end}"
    marks = dict.fromkeys(("video", "image", "audio"), _MARK)
    return Language(said.codec(), span, said.boxes, said.box_decimals, "letter", marks)


def _shown(looks: Sequence[Look], ref: MediumRef, view: View, language: Language, part: int) -> list[str | Look]:
    """What takes the place of one file: a still, or the frames of a video with their times."""
    if _stills(ref):
        return [looks[part]]
    shown: list[str | Look] = [
        f"[video of {view.duration_s:.1f} s: {len(looks)} frame{'s' if len(looks) != 1 else ''}, each after its time]"
    ]
    for look, t_s in zip(looks, view.drawn_s or (), strict=True):
        shown.append(
            Look(
                look.media_id,
                look.t_s,
                look.width,
                look.height,
                look.padded,
                language.times.encode(min(t_s, view.duration_s), view.duration_s),
            )
        )
    return shown


def _said(turns: Sequence[tuple[str, str]]) -> str:
    if len(turns) == 1:
        return turns[0][1]
    names = {"user": "Question", "assistant": "Answer"}
    return "\n\n".join(f"{names[role]}: {text}" for role, text in turns)


def _content(text: str, files: Sequence[Sequence[str | Look]]) -> tuple[str | Look, ...]:
    """The text with each mark replaced by what it stands for."""
    pieces = text.split(_MARK)
    found: list[str | Look] = []
    for n, piece in enumerate(pieces):
        if piece.strip():
            found.append(piece.strip("\n"))
        if n < len(pieces) - 1:
            found += files[n]
    return tuple(found)


def _form(facts: Mapping[str, Any], language: Language, view: View) -> str:
    """How to write the answer. What would tell whether a thing happens at all is not told."""
    span = language.span(Span(view.duration_s / 4, view.duration_s / 2), view.duration_s)
    when = (
        f"when it happens, as `{span}` writes a time span; several spans with commas between them; `It does not happen.` "
        "if it does not happen"
    )
    try:
        box = language.box(Box(0.25, 0.25, 0.5, 0.75), view)
    except LeftOut:
        box = ""
    match facts["verifier"]:
        case "choice":
            return "the letter of the right option, and nothing else"
        case "order":
            return "all letters in the right order with commas between them, and nothing else"
        case "tiou" | "span_set" | "absent":
            return when
        case "box_iou":
            return f"the box (left, top, right, bottom) as `{box}` writes one"
        case "viou":
            return f"the time span and the box (left, top, right, bottom), as `{span}: {box}` writes them"
        case "count" | "mra":
            unit = facts.get("unit") or ""
            return f"a number{f' ({unit})' if unit else ''}, and nothing else"
    return "the words alone, as short as possible"
