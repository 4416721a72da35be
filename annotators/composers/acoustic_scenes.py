"""Acoustic scenes: some notes of six instruments in a row, with silences, and questions that programs answer (CLEAR2).

A scene is 5 to 15 notes of at least three instruments, two of which play twice or more; 5 to 20% of silence are spread
unevenly between them; a room and hiss may be added. What sounds when is known to the sample, and questions come with the
functional program that answers them, balanced over all scenes of the recipe. Written as FLAC, mono, 16 bits. Unlike the
published set, notes are synthesised instead of taken from recordings.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.composing import Draft, Material, MediaComposer
from ...schemas.acoustic_asking import OPTIONS, Asker, Question, Rules
from ...schemas.acoustic_programs import Scene, Sound
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.span import from_us, to_us
from ..compose.instruments import (
    INSTRUMENTS,
    NOTES,
    RATE_HZ,
    TIMBRES,
    in_a_room,
    pitch_hz,
    played,
    sixteen_bits,
    with_hiss,
)


class Params(BaseParams):
    """Parameters of acoustic_scenes; defaults are those of the source."""

    scenes: int = Field(50, ge=1, description="Scenes to make.")
    sounds: tuple[int, int] = Field(
        (5, 15), description="Fewest and most sounds of a scene; (10, 10): the fixed variant."
    )
    note_s: tuple[float, float] = Field((0.5, 1.8), description="Shortest and longest note.")
    silence: tuple[float, float] = Field((0.05, 0.2), description="Least and greatest share of silence that is added.")
    least_gap_s: float = Field(0.03, ge=0, description="Shortest silence between two sounds.")
    families: int = Field(3, ge=1, le=6, description="Different instruments of a scene, at least.")
    repeated: int = Field(2, ge=0, le=6, description="Instruments that play more than once, at least.")
    questions: int = Field(4, ge=0, description="Questions per scene, at most.")
    reset_every: int = Field(400, ge=1, description="Scenes after which the balance of answers starts anew.")
    slack: int | None = Field(
        2,
        ge=1,
        description="By how many an answer may lead the rarest of its template; null: the published rule alone.",
    )
    reverb: float = Field(0.5, ge=0, le=1, description="Share of scenes that stand in a room.")
    room: tuple[float, float] = Field((30, 100), description="Smallest and largest room.")
    delay_ms: tuple[float, float] = Field((50, 400), description="Shortest and longest echo.")
    noise: float = Field(0.5, ge=0, le=1, description="Share of scenes with white noise.")
    noise_db: tuple[float, float] = Field((-90, -80), description="Least and greatest level of the noise, dBFS.")


class AcousticScenes(MediaComposer[Params]):
    """Makes scenes of notes; needs no material."""

    name: ClassVar[str] = "acoustic_scenes"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    needs_material: ClassVar[bool] = False

    def compose(self, material: Sequence[Material], seed: int) -> Iterable[Draft]:
        """One draft per scene."""
        p = self.params
        rules = Rules(per_scene=p.questions, reset_every=p.reset_every, slack=p.slack, labels=INSTRUMENTS)
        asker = Asker(rules, derive_id("acoustic", seed))
        for number in range(p.scenes):
            scene = self._scene(number, seed)
            yield self._draft(scene, asker.ask(scene), number, seed)

    def _scene(self, number: int, seed: int) -> Scene:
        p = self.params

        def drawn(*name: Any) -> float:
            return seeded_fraction("acoustic_scenes", seed, number, *name)

        count = p.sounds[0] + int(drawn("count") * (p.sounds[1] - p.sounds[0] + 1))
        for attempt in range(100):
            played_by = [INSTRUMENTS[int(drawn("instrument", attempt, i) * len(INSTRUMENTS))] for i in range(count)]
            tally = Counter(played_by)
            if len(tally) >= p.families and sum(n > 1 for n in tally.values()) >= p.repeated:
                break
        lengths = [
            round((p.note_s[0] + drawn("length", i) * (p.note_s[1] - p.note_s[0])) * RATE_HZ) for i in range(count)
        ]
        share = p.silence[0] + drawn("silence") * (p.silence[1] - p.silence[0])
        weights = [drawn("gap", i) ** 3 + 1e-3 for i in range(count + 1)]
        total = share * sum(lengths)
        gaps = [max(round(total * w / sum(weights)), round(p.least_gap_s * RATE_HZ)) for w in weights]
        sounds, at = [], gaps[0]
        for i, (instrument, length) in enumerate(zip(played_by, lengths, strict=True)):
            sounds.append(
                Sound(
                    start_s=_seconds(at),
                    end_s=_seconds(at + length),
                    instrument=instrument,
                    note=NOTES[int(drawn("note", i) * len(NOTES))],
                    loudness=OPTIONS["loudness"][int(drawn("loudness", i) * 2)],
                    brightness=OPTIONS["brightness"][int(drawn("brightness", i) * 2)],
                )
            )
            at += length + gaps[i + 1]
        return Scene(sounds=tuple(sounds), duration_s=_seconds(at))

    def _draft(self, scene: Scene, asked: Sequence[Question], number: int, seed: int) -> Draft:
        p = self.params

        def between(name: str, bounds: tuple[float, float]) -> float:
            return round(bounds[0] + seeded_fraction("acoustic room", seed, number, name) * (bounds[1] - bounds[0]), 3)

        told: dict[str, Any] = {}
        if seeded_fraction("acoustic room", seed, number, "reverb") < p.reverb:
            told |= {"room": between("room", p.room), "delay_s": between("delay", p.delay_ms) / 1000}
        if seeded_fraction("acoustic room", seed, number, "noise") < p.noise:
            told |= {"noise_dbfs": between("level", p.noise_db)}
        noise_seed = int(derive_id("acoustic noise", seed, number)[:8], 16)
        sounds = [_sound_row(sound, i) for i, sound in enumerate(scene.sounds)]
        digest = derive_id(self.name, self.version, scene.model_dump(), told, noise_seed, [q.text for q in asked])
        return Draft(
            digest=digest,
            suffix=".flac",
            write=partial(_write, scene, told, noise_seed),
            duration_s=scene.duration_s,
            rows={"sounds": sounds, "questions": [_question_row(q, i) for i, q in enumerate(asked)]},
            parameters={"sounds": len(scene.sounds), **told},
        )


def _seconds(samples: int) -> float:
    return from_us(to_us(samples / RATE_HZ))


def _sound_row(sound: Sound, number: int) -> dict[str, Any]:
    told = {
        "number": number + 1,
        "note": sound.note,
        "octave": TIMBRES[sound.instrument].octave,
        "loudness": sound.loudness,
        "brightness": sound.brightness,
    }
    return {
        "start_s": sound.start_s,
        "end_s": sound.end_s,
        "label": sound.instrument,
        "pitch_hz": round(pitch_hz(sound.instrument, sound.note), 3),
        "attributes_json": json.dumps(told, sort_keys=True),
    }


def _question_row(question: Question, number: int) -> dict[str, Any]:
    return {
        "question_id": f"q{number + 1}",
        "question": question.text,
        "options": list(question.options),
        "answer_index": question.options.index(question.answer),
        "answer_text": question.answer,
        "kind": question.template,
        "needs": ["audio"],
        "program_json": json.dumps([n.model_dump(mode="json") for n in question.program], sort_keys=True),
        "attributes_json": json.dumps({"type": question.type, "alike": question.key}, sort_keys=True),
    }


def rendered(scene: Scene, told: dict[str, Any], noise_seed: int) -> Any:
    """int16 samples of a scene at 22,050 Hz."""
    sound = np.zeros(round(scene.duration_s * RATE_HZ), np.float32)
    for s in scene.sounds:
        first, past = round(s.start_s * RATE_HZ), round(s.end_s * RATE_HZ)
        sound[first:past] += played(s.instrument, s.note, s.loudness, s.brightness, past - first)
    if "room" in told:
        sound = in_a_room(sound, told["room"], told["delay_s"], noise_seed)
    if "noise_dbfs" in told:
        sound = with_hiss(sound, told["noise_dbfs"], noise_seed + 1)
    return sixteen_bits(sound)


def _write(scene: Scene, told: dict[str, Any], noise_seed: int, path: Path) -> None:
    """Encode as FLAC, bit-exact."""
    import av
    from av.codec.context import Flags

    samples = rendered(scene, told, noise_seed)
    with av.open(str(path), "w", format="flac", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("flac", rate=RATE_HZ, layout="mono", format="s16")
        stream.codec_context.flags |= Flags.bitexact
        for first in range(0, len(samples), 4096):
            block = av.AudioFrame.from_ndarray(samples[None, first : first + 4096], format="s16", layout="mono")
            block.sample_rate, block.pts = RATE_HZ, first
            container.mux(stream.encode(block))
        container.mux(stream.encode())


COMPOSER = AcousticScenes
