"""A composed film shows and says what its truth states: measured here on decoded pictures and sound."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from chronotope.annotators.compose.drawing import COLOURS
from chronotope.annotators.compose.film import (
    FilmParams,
    FilmTruth,
    compose_film,
    film_frames,
    film_narration,
    film_scenes,
)
from chronotope.annotators.compose.voice import SAMPLE_RATE_HZ, speak
from pydantic import ValidationError

SMALL = {"width": 320, "height": 180, "narration": False}


def decoded(path: Path) -> tuple[list[float], list[np.ndarray]]:
    import av

    with av.open(str(path)) as container:
        frames = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    return [t for t, _ in frames], [picture for _, picture in frames]


def decoded_sound(path: Path) -> np.ndarray:
    import av

    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    assert frames[0].time == 0.0
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


@pytest.fixture(scope="module")
def narrated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FilmParams, FilmTruth]:
    params = FilmParams(seed=4, scenes=4, width=160, height=90, scene_s=(2.0, 3.0), title="The End")
    path = tmp_path_factory.mktemp("film") / "narrated.mp4"
    return path, params, compose_film(path, params)


def test_same_parameters_give_the_same_bytes(narrated: tuple[Path, FilmParams, FilmTruth], tmp_path: Path) -> None:
    path, params, truth = narrated
    assert compose_film(tmp_path / "again.mp4", params) == truth
    assert (tmp_path / "again.mp4").read_bytes() == path.read_bytes()
    compose_film(tmp_path / "other.mp4", params.model_copy(update={"seed": 5}))
    assert (tmp_path / "other.mp4").read_bytes() != path.read_bytes()


def test_truth_survives_json(narrated: tuple[Path, FilmParams, FilmTruth]) -> None:
    truth = narrated[2]
    assert FilmTruth.from_json(truth.to_json()) == truth


def test_frames_lie_on_the_clock_that_the_truth_states(narrated: tuple[Path, FilmParams, FilmTruth]) -> None:
    path, _, truth = narrated
    times, _ = decoded(path)
    assert times == pytest.approx([i / truth.fps for i in range(truth.frames)], abs=1e-6)
    assert truth.duration_s == pytest.approx(truth.frames / truth.fps)


def test_sound_is_in_step_with_its_words(narrated: tuple[Path, FilmParams, FilmTruth]) -> None:
    path, params, truth = narrated
    sound = decoded_sound(path)
    assert len(sound) / SAMPLE_RATE_HZ == pytest.approx(truth.duration_s, abs=0.06)
    for line in film_narration(params, film_scenes(params)):
        voice = line.utterance.samples.astype(np.float32)
        reach = 2000
        low = max(0, line.first_sample - reach)
        piece = sound[low : line.first_sample + len(voice) + reach]
        lag = int(np.argmax(np.correlate(piece, voice[: len(voice) // 2], "valid"))) + low - line.first_sample
        assert abs(lag) / SAMPLE_RATE_HZ < 0.03


def test_words_follow_each_other_inside_their_sentences(narrated: tuple[Path, FilmParams, FilmTruth]) -> None:
    truth = narrated[2]
    assert len(truth.speech) >= truth.duration_s / 6
    assert len({line.text for line in truth.speech}) == len(truth.speech)
    assert all(a.end_s < b.start_s for a, b in pairwise(truth.speech))
    said = iter(truth.words)
    for line in truth.speech:
        words = [next(said) for _ in line.text.split()]
        assert [w.word for w in words] == [w.strip(".,") for w in line.text.split()]
        assert words[0].start_s == pytest.approx(line.start_s) and words[-1].end_s == pytest.approx(line.end_s)
        assert all(0.02 < w.end_s - w.start_s < 1.2 for w in words)
        assert all(a.end_s <= b.start_s + 1e-9 for a, b in pairwise(words))


def test_a_voice_does_not_depend_on_what_was_said_before() -> None:
    first = speak("In the evening of the day we rest.")
    speak("Something quite different.")
    again = speak("In the evening of the day we rest.")
    assert np.array_equal(first.samples, again.samples) and first.words == again.words
    assert [w.word for w in first.words] == ["In", "the", "evening", "of", "the", "day", "we", "rest"]


def test_a_film_without_narration_has_no_sound_stream(tmp_path: Path) -> None:
    import av

    truth = compose_film(tmp_path / "mute.mp4", FilmParams(scenes=1, scene_s=(1.5, 1.5), **SMALL))
    with av.open(str(tmp_path / "mute.mp4")) as container:
        assert not container.streams.audio
    assert not truth.words and not truth.speech


def measured_motion(before: np.ndarray, after: np.ndarray) -> tuple[float, float, float, float]:
    """Shift in pixels, log scale and clockwise turn in degrees of the content about the centre."""
    import cv2

    first, second = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (before, after))
    points = cv2.goodFeaturesToTrack(first, 300, 0.01, 6)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(first, second, points, np.zeros_like(points))
    centre = np.array([before.shape[1] / 2, before.shape[0] / 2])
    kept = found.ravel() == 1
    matrix, _ = cv2.estimateAffinePartial2D(points[kept] - centre, moved[kept] - centre)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    return matrix[0, 2], matrix[1, 2], float(np.log(scale)), float(np.degrees(np.arctan2(*matrix[1::-1, 0])))


def test_the_camera_moves_as_stated(tmp_path: Path) -> None:
    kinds = ("pan_left", "pan_right", "tilt_up", "tilt_down", "zoom_in", "zoom_out", "roll_cw", "roll_ccw", "still")
    params = FilmParams(seed=2, scenes=9, kinds=kinds, joins=("cut",), scene_s=(1.6, 1.6), lettering=False, **SMALL)
    truth = compose_film(tmp_path / "camera.mp4", params)
    _, pictures = decoded(tmp_path / "camera.mp4")
    assert [move.kind for move in truth.camera] == [*kinds[:-1], "static"]
    for move in truth.camera:
        middle = round((move.start_s + move.end_s) / 2 * truth.fps)
        dx, dy, log_scale, turn = measured_motion(pictures[middle - 4], pictures[middle + 4])
        step = move.rate * 8 / truth.fps
        wanted = {
            "pan_left": (step * 320, 0, 0, 0),
            "pan_right": (-step * 320, 0, 0, 0),
            "tilt_up": (0, step * 180, 0, 0),
            "tilt_down": (0, -step * 180, 0, 0),
            "zoom_in": (0, 0, step, 0),
            "zoom_out": (0, 0, -step, 0),
            "roll_cw": (0, 0, 0, -step),
            "roll_ccw": (0, 0, 0, step),
            "static": (0, 0, 0, 0),
        }[move.kind]
        assert (dx, dy) == pytest.approx(wanted[:2], abs=0.6), move.kind
        assert log_scale == pytest.approx(wanted[2], abs=0.01), move.kind
        assert turn == pytest.approx(wanted[3], abs=0.25), move.kind


def test_objects_are_where_their_boxes_say(tmp_path: Path) -> None:
    kinds = ("move_left", "move_up", "pan_right", "track_left", "zoom_in", "roll_cw")
    params = FilmParams(seed=3, scenes=6, kinds=kinds, joins=("cut",), scene_s=(2, 2), lettering=False, **SMALL)
    truth = compose_film(tmp_path / "objects.mp4", params)
    _, pictures = decoded(tmp_path / "objects.mp4")
    assert len(truth.objects) >= 12
    for thing in truth.objects:
        for at in thing.boxes:
            picture = pictures[round(at.t_s * truth.fps)].astype(np.float32)
            x1, y1, x2, y2 = np.array(at.box) * [320, 180, 320, 180]
            assert 0 <= x1 < x2 <= 320 and 0 <= y1 < y2 <= 180
            colour = np.array(COLOURS[thing.colour], np.float32)
            middle = picture[round((y1 + y2) / 2), round((x1 + x2) / 2)]
            assert np.abs(middle - colour).max() < 60, (thing.shape, thing.colour, at)


def test_directions_separate_the_object_from_the_camera() -> None:
    from chronotope.annotators.compose.record import film_truth

    kinds = ("move_left", "move_right", "move_up", "move_down", "pan_right", "tilt_up", "track_left", "still")
    params = FilmParams(seed=1, scenes=8, kinds=kinds, joins=("cut",), scene_s=(3, 3), **SMALL)
    scenes = film_scenes(params)
    truth = film_truth(params, scenes, [])
    heroes = []
    for scene in scenes:
        lead = next(prop for prop in scene.props if prop.hero)
        start = scene.first_frame / params.fps
        heroes.append(next(o for o in truth.objects if start <= o.start_s < start + 3 and o.colour == lead.colour))
    assert [hero.image_direction for hero in heroes] == [
        "left", "right", "up", "down", "left", "down", "still", "still",
    ]  # fmt: skip
    assert [hero.world_direction for hero in heroes] == [
        "left", "right", "up", "down", "still", "still", "left", "still",
    ]  # fmt: skip


def test_every_cut_is_a_jump_at_its_frame_and_nowhere_else(tmp_path: Path) -> None:
    params = FilmParams(
        seed=6, scenes=5, kinds=("still", "pan_left", "move_up", "zoom_in", "still"),
        joins=("lookalike", "cut", "dissolve", "lookalike"), scene_s=(1.5, 2.0), lettering=False, **SMALL,
    )  # fmt: skip
    truth = compose_film(tmp_path / "cuts.mp4", params)
    _, pictures = decoded(tmp_path / "cuts.mp4")
    jump = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(pictures)]
    cuts = [round(t.start_s * truth.fps) for t in truth.transitions if t.kind == "cut"]
    assert sorted(np.argsort(jump)[-3:] + 1) == cuts
    assert [t.lookalike for t in truth.transitions] == [True, False, False, True]
    fade = next(t for t in truth.transitions if t.kind == "dissolve")
    assert 0.4 <= fade.end_s - fade.start_s <= 1.0
    assert [s.start_s for s in truth.shots][1:] == [s.end_s for s in truth.shots][:-1]
    assert truth.shots[0].start_s == 0 and truth.shots[-1].end_s == truth.duration_s
    assert fade.start_s < truth.shots[3].start_s < fade.end_s


def test_flashes_and_whips_are_distractors_inside_a_shot(tmp_path: Path) -> None:
    params = FilmParams(seed=8, scenes=2, kinds=("flash", "whip_right"), joins=("cut",), scene_s=(2, 2), **SMALL)
    truth = compose_film(tmp_path / "tricks.mp4", params)
    _, pictures = decoded(tmp_path / "tricks.mp4")
    flash, _, whip = truth.transitions
    assert (flash.kind, whip.kind, len(truth.shots)) == ("flash", "whip", 2)
    bright = [i for i, picture in enumerate(pictures) if picture.mean() > 225]
    assert bright == list(range(round(flash.start_s * 25), round(flash.end_s * 25)))
    moved = [i for i in range(51, 100) if np.abs(pictures[i].astype(int) - pictures[i - 1]).mean() > 6]
    assert moved == list(range(round(whip.start_s * 25) + 1, round(whip.end_s * 25) + 1))


def test_lettering_is_shown_for_its_span_and_in_its_box() -> None:
    params = FilmParams(seed=0, scenes=6, kinds=("still",), joins=("cut",), scene_s=(3.5, 4), **SMALL)
    from chronotope.annotators.compose.record import film_truth

    truth = film_truth(params, film_scenes(params), [])
    pictures = list(film_frames(params))
    assert len(truth.texts) >= 3
    for text in truth.texts:
        first, last = round(text.start_s * truth.fps), round(text.end_s * truth.fps)
        with_text, without = pictures[first].astype(int), pictures[first - 1].astype(int)
        rows, columns = np.nonzero(np.abs(with_text - without).max(axis=2) > 40)
        plate = columns.min() / 320, rows.min() / 180, (columns.max() + 1) / 320, (rows.max() + 1) / 180
        x1, y1, x2, y2 = text.box
        assert plate[0] <= x1 < x2 <= plate[2] and plate[1] <= y1 < y2 <= plate[3]
        assert x2 - x1 > 0.8 * (plate[2] - plate[0])
        assert np.array_equal(pictures[first], pictures[last - 1])
        assert not np.array_equal(pictures[last - 1], pictures[last])


def test_a_long_film_repeats_its_script(tmp_path: Path) -> None:
    base = FilmParams(seed=9, scenes=2, width=64, height=36, fps=10, scene_s=(1.5, 2.0))
    once = compose_film(tmp_path / "once.mp4", base)
    long = compose_film(tmp_path / "long.mp4", base.model_copy(update={"min_duration_s": 3 * once.duration_s - 1}))
    assert long.frames == 3 * once.frames and len(long.words) == 3 * len(once.words)
    shift = 2 * once.duration_s
    assert [w.start_s for w in long.words[-len(once.words) :]] == pytest.approx([w.start_s + shift for w in once.words])
    sound, tile = decoded_sound(tmp_path / "long.mp4"), round(once.duration_s * SAMPLE_RATE_HZ)
    loud = [np.abs(sound[i * tile : (i + 1) * tile]).mean() for i in range(3)]
    assert min(loud) > 0.9 * max(loud) > 0.01


def test_impossible_scripts_are_refused() -> None:
    with pytest.raises(ValidationError, match="with shortest"):
        FilmParams(scene_s=(0.2, 1.0))
    with pytest.raises(ValidationError, match="only the first scene"):
        FilmParams(joins=("start",))
    with pytest.raises(ValueError, match="no word"):
        speak(" . ")
