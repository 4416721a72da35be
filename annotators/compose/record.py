"""The truth of a film, computed from its script alone: nothing is measured on pictures or sound.

What the script states per scene and cycle is put on the film's clock here. Objects and camera motions are
listed only where a scene is alone on screen: dissolves and whips would blur what they mean.
"""

from itertools import pairwise
from math import hypot

from .script import FilmParams, Line
from .stage import Move, Prop, SceneSpec, place_text, prop_box
from .truth import (
    BoxAt,
    CameraTruth,
    Direction,
    FilmTruth,
    ObjectTruth,
    ShotTruth,
    SpeechTruth,
    TextTruth,
    TransitionTruth,
    Velocity,
    WordTruth,
)

_STILL_PER_S = 0.01
_DOMINANCE = 4.0


def cycle_frames(scenes: list[SceneSpec]) -> int:
    """Frames of one pass through the script."""
    return scenes[-1].first_frame + scenes[-1].frames


def cycles(params: FilmParams, scenes: list[SceneSpec]) -> int:
    """How often the script is played to reach `min_duration_s`; at least once."""
    wanted = round(params.min_duration_s * params.fps)
    return max(1, -(-wanted // cycle_frames(scenes)))


def film_truth(params: FilmParams, scenes: list[SceneSpec], narration: list[Line]) -> FilmTruth:
    """The truth of the whole film, all cycles."""
    length, rounds = cycle_frames(scenes), cycles(params, scenes)
    fps = params.fps
    transitions: list[TransitionTruth] = []
    borders: list[float] = [0.0]
    words: list[WordTruth] = []
    speech: list[SpeechTruth] = []
    texts: list[TextTruth] = []
    objects: list[ObjectTruth] = []
    camera: list[CameraTruth] = []
    for turn in range(rounds):
        for scene in scenes:
            zero = turn * length + scene.first_frame
            _join(scene, zero, turn, fps, transitions, borders)
            for text in scene.letterings:
                box = place_text(text, params.width, params.height).box
                at = {"start_s": (zero + text.first) / fps, "end_s": (zero + text.last) / fps}
                texts.append(TextTruth(**at, text=text.text, style=text.style, box=box))
            for move in scene.moves:
                first, last = max(move.first, scene.solo[0]), min(move.last, scene.solo[1])
                if first < last:
                    start_s, end_s = (zero + first) / fps, (zero + last) / fps
                    camera.append(CameraTruth(start_s=start_s, end_s=end_s, kind=move.kind, rate=move.rate))
                    if not move.whip:
                        seen = (_object(scene, prop, move, first, last, zero, params) for prop in scene.props)
                        objects += [one for one in seen if one is not None]
        for line in narration:
            start = turn * length / fps + line.start_s
            end_s = start + line.utterance.duration_s
            speech.append(SpeechTruth(start_s=start, end_s=end_s, text=line.utterance.text))
            for w in line.utterance.words:
                words.append(WordTruth(start_s=start + w.start_s, end_s=start + w.end_s, word=w.word))
    borders.append(rounds * length / fps)
    return FilmTruth(
        fps=fps,
        frames=rounds * length,
        duration_s=rounds * length / fps,
        width=params.width,
        height=params.height,
        transitions=tuple(transitions),
        shots=tuple(ShotTruth(start_s=a, end_s=b) for a, b in pairwise(borders)),
        words=tuple(words),
        speech=tuple(speech),
        texts=tuple(texts),
        objects=tuple(objects),
        camera=tuple(camera),
    )


def _join(
    scene: SceneSpec,
    zero: int,
    turn: int,
    fps: int,
    transitions: list[TransitionTruth],
    borders: list[float],
) -> None:
    """Add how a scene begins and the distractors within it."""
    if scene.join == "dissolve":
        start_s, end_s = zero / fps, (zero + scene.join_frames) / fps
        transitions.append(TransitionTruth(start_s=start_s, end_s=end_s, kind="dissolve", lookalike=False))
        borders.append((zero + scene.join_frames // 2) / fps)
    elif scene.join != "start" or turn > 0:
        at, alike = zero / fps, scene.join == "lookalike"
        transitions.append(TransitionTruth(start_s=at, end_s=at, kind="cut", lookalike=alike))
        borders.append(at)
    if scene.flash:
        start_s, end_s = (zero + scene.flash[0]) / fps, (zero + scene.flash[1]) / fps
        transitions.append(TransitionTruth(start_s=start_s, end_s=end_s, kind="flash", lookalike=False))
    for move in scene.moves:
        if move.whip:
            start_s, end_s = (zero + move.first) / fps, (zero + move.last) / fps
            transitions.append(TransitionTruth(start_s=start_s, end_s=end_s, kind="whip", lookalike=False))


def _object(
    scene: SceneSpec, prop: Prop, move: Move, first: int, last: int, zero: int, params: FilmParams
) -> ObjectTruth | None:
    """A prop over the longest run of frames [first, last) that shows it wholly; none below 0.4 s."""
    fps, aspect = params.fps, params.width / params.height
    boxes = [prop_box(scene, prop, n, fps, aspect) for n in range(first, last)]
    inside = [b[0] >= 0 and b[1] >= 0 and b[2] <= 1 and b[3] <= 1 for b in boxes]
    best, begin = (0, 0), None
    for n, yes in enumerate([*inside, False]):
        if yes and begin is None:
            begin = n
        elif not yes and begin is not None:
            best = max(best, (begin, n), key=lambda run: run[1] - run[0])
            begin = None
    count = best[1] - best[0]
    if count < max(2, 0.4 * fps):
        return None
    run = boxes[best[0] : best[1]]
    start = zero + first + best[0]
    span_s = (count - 1) / fps
    seen = ((_mid(run[-1], 0) - _mid(run[0], 0)) / span_s, (_mid(run[-1], 1) - _mid(run[0], 1)) / span_s)
    turning = move.kind.startswith(("zoom", "roll"))
    every = max(1, round(0.2 * fps))
    samples = sorted({*range(0, count, every), count - 1})
    return ObjectTruth(
        start_s=start / fps,
        end_s=(start + count) / fps,
        shape=prop.shape,
        colour=prop.colour,
        image_direction=_direction(seen, aspect, turning),
        world_direction=_direction((prop.vx, prop.vy), aspect, False),
        image_velocity=seen,
        world_velocity=(prop.vx, prop.vy),
        boxes=tuple(BoxAt(t_s=(start + n) / fps, box=run[n]) for n in samples),
    )


def _mid(box: tuple[float, float, float, float], axis: int) -> float:
    return (box[axis] + box[axis + 2]) / 2


def _direction(velocity: Velocity, aspect: float, turning: bool) -> Direction:
    """The name of a velocity; "mixed" for the curved or spreading ways under roll and zoom."""
    vx, vy = velocity[0] * aspect, velocity[1]
    if hypot(vx, vy) < _STILL_PER_S * aspect:
        return "still"
    if turning or max(abs(vx), abs(vy)) < _DOMINANCE * min(abs(vx), abs(vy)):
        return "mixed"
    if abs(vx) > abs(vy):
        return "right" if vx > 0 else "left"
    return "down" if vy > 0 else "up"
