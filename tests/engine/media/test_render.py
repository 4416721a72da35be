"""Rendered edit graphs: every frame is the one that the graph says, sound lies where it says, the bytes never differ."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from chronotope.engine.media.container import MediaError
from chronotope.engine.media.decode import VideoReader
from chronotope.engine.media.render import Sound, render
from chronotope.engine.media.render_sound import read_sound
from chronotope.schemas.edit_graph import Graph
from chronotope.schemas.edit_operations import (
    cut,
    freeze,
    insert,
    join,
    mirror,
    mute,
    overlay,
    reverse,
    speed,
    stack,
    take,
)
from chronotope.schemas.edit_pieces import Source
from made_footage import HEIGHT, WIDTH, clicks, numbered, read_number, write_media

FPS, SIZE, RATE = Fraction(25), (WIDTH, HEIGHT), 48_000
A = Source("a", Fraction(4), Fraction(25), WIDTH, HEIGHT, True)
B = Source("b", Fraction(2), Fraction(25), WIDTH, HEIGHT, True)
NTSC = Source("n", Fraction(60 * 1001, 30000), Fraction(30000, 1001), WIDTH, HEIGHT)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("render")
    return {
        "a": write_media(folder / "a.mp4", frames=100, sound=clicks([0.5, 1.2, 3.1], 4.0, RATE), options={"g": "20"}),
        "b": write_media(folder / "b.mp4", frames=50, picture=lambda i: numbered(1000 + i), sound=clicks([0.4], 2.0, RATE)),
        "n": write_media(
            folder / "n.webm", frames=60, pts=[round(i * 1001 / 30) for i in range(60)], time_base=Fraction(1, 1000),
            codec="libvpx", options={"b": "1M", "deadline": "realtime", "cpu-used": "8"},
        ),
    }  # fmt: skip


def numbers(path: Path, top: int = 0, height: int = HEIGHT, *, mirrored: bool = False) -> list[int]:
    """The numbers that the frames carry; of a stack those in the panel that begins at row `top`."""
    found = []
    for frame in VideoReader(path):
        luma = frame.luma_at(WIDTH, height)[top : top + HEIGHT]
        found.append(read_number(luma[:, ::-1] if mirrored else luma))
    return found


def heard(path: Path, duration_s: float) -> list[float]:
    """Times at which a click begins."""
    sound = read_sound(path, 0.0, 0.0, round(duration_s * RATE), RATE)
    loud = np.flatnonzero(np.abs(sound) > 0.15)
    starts = [t for t, before in zip(loud, [-RATE, *loud], strict=False) if t - before > RATE // 20]
    return [round(t / RATE, 4) for t in starts]


def a(*span: float) -> Graph:
    return take(A, FPS, SIZE, *span)


def b(*span: float) -> Graph:
    return take(B, FPS, SIZE, *span)


FULL = list(range(100))
EDITS = {
    "cut": (lambda: cut(a(), 2.4, 3.2), FULL[60:80], [0.7]),
    "join": (lambda: join([b(0.2, 1.0), a(1.0, 2.0)]), [*range(1005, 1025), *FULL[25:50]], [0.2, 1.0]),
    "reverse": (lambda: reverse(a()), FULL[::-1], []),
    "reverse a cut": (lambda: reverse(a(2.0, 3.0)), FULL[50:75][::-1], []),
    "speed 2": (lambda: speed(a(), 2), FULL[::2], [0.25, 0.6, 1.55]),
    "speed 1/2": (lambda: speed(a(1.0, 2.0), 0.5), [n for n in FULL[25:50] for _ in range(2)], [0.4]),
    "freeze": (lambda: freeze(a(0.0, 2.0), 1.0, 0.4), [*FULL[:25], *[25] * 10, *FULL[25:50]], [0.5, 1.6]),
    "freeze backwards": (
        lambda: freeze(reverse(a(0.0, 1.0)), 0.4, 0.2),
        [*FULL[15:25][::-1], *[14] * 5, *FULL[:15][::-1]],
        [],
    ),
    "insert": (
        lambda: insert(a(0.0, 2.0), b(0.0, 1.0), 1.0),
        [*FULL[:25], *range(1000, 1025), *FULL[25:50]],
        [0.5, 1.4, 2.2],
    ),
    "mute and overlay": (lambda: overlay(mute(a(0.0, 1.0)), B, 0.3), FULL[:25], [0.7]),
    "reverse twice, faster": (lambda: speed(reverse(reverse(a(1.0, 3.0))), 2), FULL[25:75:2], [0.1]),
}


@pytest.mark.parametrize("name", EDITS)
def test_every_frame_and_every_click_is_where_the_graph_says(name: str, files: dict[str, Path], tmp_path: Path) -> None:
    build, shown, clicked = EDITS[name]
    graph = build()
    made = render(graph, files, tmp_path / "out.mp4")
    assert numbers(made.path) == shown
    assert [graph_number(graph, k) for k in range(graph.frames)] == shown
    if graph.has_sound:
        found = heard(made.path, graph.duration_s)
        assert len(found) == len(clicked) and np.abs(np.array(found) - clicked).max() < 0.001


def graph_number(graph: Graph, k: int) -> int:
    """The number that the mapping of the graph predicts for the beginning of its frame k."""
    media_id, t_s = graph.to_source(k / 25 + 0.001)[0]
    return int(t_s * 25 + 1e-4) + (1000 if media_id == "b" else 0)


def test_a_stack_shows_both_and_a_mirror_turns_the_picture(files: dict[str, Path], tmp_path: Path) -> None:
    both = stack([a(1.0, 2.0), reverse(b(0.0, 1.0))])
    path = render(both, files, tmp_path / "stack.mp4").path
    assert numbers(path, 0, 2 * HEIGHT) == FULL[25:50]
    assert numbers(path, HEIGHT, 2 * HEIGHT) == list(range(1000, 1025))[::-1]
    path = render(mirror(a(0.0, 0.4)), files, tmp_path / "mirror.mp4").path
    assert numbers(path, mirrored=True) == FULL[:10]


def test_rounded_timestamps_and_odd_rates_lose_no_frame(files: dict[str, Path], tmp_path: Path) -> None:
    graph = take(NTSC, NTSC.fps, SIZE)
    assert numbers(render(graph, files, tmp_path / "n.mp4").path) == list(range(60))
    assert numbers(render(reverse(graph), files, tmp_path / "r.mp4").path) == list(range(60))[::-1]


def test_a_picture_may_be_a_needle(files: dict[str, Path], tmp_path: Path) -> None:
    needle = take(Source("p", Fraction(0), Fraction(25), WIDTH, HEIGHT), FPS, SIZE, hold_s=0.2)
    path = render(insert(a(0.0, 1.0), needle, 0.4), {**files, "p": numbered(3000)}, tmp_path / "p.mp4").path
    assert numbers(path) == [*FULL[:10], *[3000] * 5, *FULL[10:25]]


@pytest.mark.parametrize("factor", [0.6, 1.5])
def test_pitch_is_kept_on_request(factor: float, files: dict[str, Path], tmp_path: Path) -> None:
    tone = Sound((9000 * np.sin(2 * np.pi * 440 * np.arange(2 * 22_050) / 22_050)).astype(np.int16), 22_050)
    source = Source("t", Fraction(2), Fraction(25), 0, 0, True)

    def pitch(keep: bool) -> float:
        graph = speed(overlay(mute(a(0.0, 2.0)), source, 0.0), factor, keep_pitch=keep)
        path = render(graph, {**files, "t": tone}, tmp_path / f"{keep}.mp4").path
        sound = read_sound(path, 0.0, 0.2, RATE, RATE)
        return float(np.abs(np.fft.rfft(sound * np.hanning(len(sound)))).argmax())

    assert pitch(True) == pytest.approx(440, abs=3)
    assert pitch(False) == pytest.approx(440 * factor, abs=3)


def test_stretched_sound_of_a_film_keeps_its_place(files: dict[str, Path], tmp_path: Path) -> None:
    graph = speed(a(), 0.8, keep_pitch=True)
    found = heard(render(graph, files, tmp_path / "s.mp4").path, graph.duration_s)
    assert np.abs(np.array([found[0], found[-1]]) - [0.625, 3.875]).max() < 0.03


def test_the_same_graph_gives_the_same_bytes(files: dict[str, Path], tmp_path: Path) -> None:
    graph = stack([join([a(0.0, 1.0), speed(b(), 1.25, keep_pitch=True)]), reverse(a())])
    one = render(graph, files, tmp_path / "one.mp4").path.read_bytes()
    assert one == render(graph, files, tmp_path / "two.mp4").path.read_bytes()


def test_a_source_that_is_too_short_leaves_nothing_behind(files: dict[str, Path], tmp_path: Path) -> None:
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(files["a"].read_bytes()[:5000])
    with pytest.raises(MediaError):
        render(a(), {"a": torn}, tmp_path / "out.mp4")
    with pytest.raises(ValueError, match="no input for a"):
        render(a(), {}, tmp_path / "out.mp4")
    assert [p.name for p in tmp_path.iterdir()] == ["torn.mp4"]
