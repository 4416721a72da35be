"""The command `profiles`: which trainer profiles there are, and what one of them shows of a video."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .console import Json, UsageError, command, out, print_json, table

LENGTHS_S = (5, 15, 60, 300, 1800)
"""Lengths of footage that a profile is shown for."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("profiles", rich_help_panel="What there is")(profiles)


@command
def profiles(
    name: Annotated[
        str | None, typer.Argument(help="show what one profile does; a file of your own ends in .yaml", metavar="NAME")
    ] = None,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="print the profile's file, to start your own from")] = False,
    size: Annotated[str, typer.Option("--size", help="size of the footage for the examples, px")] = "1280x720",
    fps: Annotated[float, typer.Option("--fps", min=1, help="frame rate of the footage for the examples")] = 25.0,
    as_json: Json = False,
) -> None:
    """List trainer profiles, or show which frames, sizes and tokens one of them makes of footage."""
    from ..engine.answering.trainer_profiles import FOLDER, ProfileError, load_profile, profile_names

    if name is None:
        if as_yaml:
            raise UsageError("--yaml needs a profile: chronotope profiles NAME --yaml")
        rows = [{"name": p.name, "about": p.description} for p in map(load_profile, profile_names())]
        print_json(rows) if as_json else out.print(table(rows))
        return
    try:
        profile = load_profile(name)
    except ProfileError as error:
        raise UsageError(str(error)) from None
    if as_yaml:
        file = FOLDER / f"{name}.yaml" if name in profile_names() else Path(name).expanduser()
        typer.echo(file.read_text(encoding="utf-8"), nl=False)
        return
    width, height = _size(size)
    shown = _examples(profile, width, height, fps)
    if as_json:
        print_json({**profile.model_dump(mode="json"), "examples": shown})
        return
    out.print(f"[bold]{profile.name}[/]: {profile.description}")
    given = ", ".join(f"{k} {v:g}" for k, v in profile.video.sampler_params.items())
    out.print(
        f"sampler {profile.video.sampler} ({given}); times as {profile.language.times}, boxes as {profile.language.boxes}",
        markup=False,
    )
    least = profile.least
    out.print(
        f"answerable with {least.frames} frame(s) in the evidence, {least.motion_frames} for motion, {least.object_px:g} px, "
        f"and times written to {least.codec_share:g} of the span",
        markup=False,
    )
    out.print(f"\nfootage of {width} x {height} px at {fps:g} frames a second:", markup=False)
    out.print(table(shown))
    for source in profile.sources:
        out.print(f"source: {source}", markup=False, highlight=False)


def _examples(profile: Any, width: int, height: int, fps: float) -> list[dict[str, Any]]:
    from ..engine.answering.answerable import show_video
    from ..engine.answering.samplers import window_facts

    rows = []
    for length in LENGTHS_S:
        facts, zero_s = window_facts(0.0, float(length), fps)
        shown = show_video(profile, facts, zero_s, width, height)
        if shown.refused or not shown.frames:
            rows.append({"footage_s": length, "frames": 0, "size_px": shown.refused or "nothing"})
            continue
        first, times = shown.frames[0], shown.times
        step = (times[-1] - times[0]) / max(1, len(times) - 1)
        rows.append(
            {
                "footage_s": length,
                "frames": len(shown.frames),
                "a frame every": f"{step:.2f} s",
                "size_px": f"{first.width} x {first.height}",
                "tokens": sum(f.tokens for f in shown.frames),
            }
        )
    return rows


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise UsageError(f"--size is {text!r}; write it as 1280x720")
    return int(width), int(height)
