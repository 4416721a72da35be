"""hippovlog_av_mcq (row 5): planted tones and cards lie in the evidence, episodes end in silence, and the muted copy fails."""

from __future__ import annotations

import numpy as np
from chronotope.annotators.composers.needle import Needle
from chronotope.annotators.tasks.av_episode_choice import AvEpisodeChoice
from chronotope.engine.annotator import Medium, Rows, Unit
from chronotope.engine.media.render_sound import read_sound
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.ids import seeded_fraction
from chronotope.schemas.markup import unescape
from chronotope.schemas.sample import Sample
from chronotope.schemas.span import Span, overlap_s
from chronotope.schemas.tables import TABLES
from long_footage import completed, files_in, material_in, rows_in, samples_in, source_in

SMALL = {
    "CHRONOTOPE_VIDEOS": 3,
    "CHRONOTOPE_MIN_DURATION_S": 50,
    "CHRONOTOPE_FPS": 6,
    "CHRONOTOPE_WIDTH": 96,
    "CHRONOTOPE_HEIGHT": 54,
}
RATE = 16_000
HEARD = ("words", "speech", "sounds")


def level_db(samples):
    return 20 * np.log10(max(1e-6, float(np.sqrt(np.mean(samples.astype(float) ** 2)))))


def test_cues_lie_in_the_evidence_and_episodes_end_in_silence(build):
    root = build("hippovlog_av_mcq", **SMALL)
    assert verify_root(root).problems == []
    files = files_in(root)
    tones = {r["row_id"]: r for r in rows_in(root, "sounds") if r["label"] == "tone"}
    cards = {(r["media_id"], r["start_s"]): r for r in rows_in(root, "events") if r["kind"] == "needle"}
    bound = 0
    for sample in samples_in(root):
        for e in sample.evidence:
            if e.table == "sounds" and e.row_id in tones:
                tone = tones[e.row_id]
                card = cards[tone["media_id"], tone["start_s"]]
                assert (tone["start_s"], tone["end_s"]) == (card["start_s"], card["end_s"])
                middle = (tone["start_s"] + tone["end_s"]) / 2 - 0.2
                heard = read_sound(files[tone["media_id"]], 0.0, middle, RATE * 4 // 10, RATE).astype(float)
                peak = np.argmax(np.abs(np.fft.rfft(heard))) * RATE / len(heard)
                assert abs(peak - tone["pitch_hz"]) < 4
                bound += 1
    assert bound >= 4
    quiet = [e for e in rows_in(root, "episodes") if e["boundary"] == "sound"]
    assert len(quiet) >= 2
    for episode in quiet:
        after = read_sound(files[episode["media_id"]], 0.0, episode["end_s"] + 0.05, RATE // 4, RATE)
        assert level_db(after) < -40  # within a frame of the recorded end it is silent
    # planted fault: ends that are two seconds late are no silences
    late = [read_sound(files[e["media_id"]], 0.0, e["end_s"] + 2.05, RATE // 4, RATE) for e in quiet]
    assert any(level_db(s) > -40 for s in late)


def reader(sample, rows, muted, guess):
    """The option that a reader of the rows takes: the one that holds with, or next after, the cue that the question names.

    Without sound nothing that is heard is known; a cue or options that are heard leave it to guess.
    """
    told = {}
    for e in sample.evidence:
        if e.table in ("media", "clips", "episodes") or (muted and e.table in HEARD):
            continue
        row = rows[e.row_id]
        told.setdefault(e.table, []).append(row)
    kind = {"a": "seen_while", "b": "heard_while", "c": "heard_after", "d": "seen_after"}[sample.wording[1]]
    texts = [unescape(o.text) for o in sample.options]
    spans = {}
    for table, mine in told.items():
        for row in mine if table != "words" else ():
            text = row.get("text") or f"a {row.get('label')} of {row.get('pitch_hz') or 0:.0f} Hz"
            spans[" ".join(str(text).split()).rstrip(".")] = Span(row["start_s"], row["end_s"])
    words = [w for w in told.get("words", ())]
    for text in (*texts, *_quoted(sample)):
        run = _run(text, words)
        if run is not None:
            spans[text] = run
    question = unescape(sample.turns[0].text)
    question = question.replace("“", "‘").replace("”", "’")
    plain = {t: t.replace("“", "‘").replace("”", "’") for t in spans}
    cue = next((s for t, s in spans.items() if t not in texts and plain[t] in question), None)
    known = [spans.get(t) for t in texts]
    if cue is None or any(s is None for s in known):
        return int(seeded_fraction("guess", guess, sample.sample_id) * len(texts))
    if kind.endswith("while"):
        return int(np.argmax([overlap_s(s, cue) for s in known]))
    later = [s.start_s - cue.end_s if s.start_s >= cue.end_s - 1e-6 else 1e9 for s in known]
    return int(np.argmin(later))


def _quoted(sample):
    return [unescape(sample.turns[0].text).split("“")[1].split("”")[0]] if "“" in sample.turns[0].text else []


def _run(text, words):
    """The span of the words that make a text."""
    wanted = text.split()
    ordered = sorted(words, key=lambda w: w["position"])
    for i in range(len(ordered) - len(wanted) + 1):
        run = ordered[i : i + len(wanted)]
        if " ".join(w["word"] for w in run).strip(" .,?!") == text:
            return Span(run[0]["start_s"], run[-1]["end_s"])
    return None


def test_the_muted_copy_drops_to_chance(films, tmp_path, monkeypatch):
    for key, value in {**SMALL, "CHRONOTOPE_VIDEOS": 12, "CHRONOTOPE_FOOTAGE": films}.items():
        monkeypatch.setenv(key, str(value))
    source = source_in("hippovlog_av_mcq")
    task = AvEpisodeChoice(AvEpisodeChoice.Params(per_kind=8))
    right: dict[tuple[bool, bool], list[float]] = {}
    for number, draft in enumerate(Needle(Needle.Params(**source.settings)).compose(material_in(source, tmp_path), 0)):
        media_id = f"film{number}"
        tables = completed(draft, media_id)
        facts = {"kind": "video", "duration_s": draft.duration_s, "origin": "composed", "width": 96, "height": 54}
        media = TABLES["media"].complete(facts, "probe", media_id, media_id)
        clip = {"clip_id": "whole", "start_s": 0.0, "end_s": draft.duration_s, "policy": "whole"}
        tables |= {"media": [media], "clips": [TABLES["clips"].complete(clip, "clips", media_id, media_id)]}
        medium = Medium(media_id, media_id, None, "video", draft.duration_s, 6.0, None, 96, 54, True, True, row=media)
        rows = {r["row_id"]: r for mine in tables.values() for r in mine}
        for _, values in task.annotate(Unit(media_id, "medium", medium, "r", 0), Rows(tables)):
            sample = Sample.from_row(values)
            for muted in (False, True):
                took = [reader(sample, rows, muted, k) == sample.answer.index for k in range(25 if muted else 1)]
                right.setdefault((muted, "audio" in sample.needs), []).append(float(np.mean(took)))
    counts = {key: (len(v), round(float(np.mean(v)), 3)) for key, v in right.items()}
    print(counts)
    assert counts[False, True][1] >= 0.95 and counts[False, False][1] >= 0.95, counts
    assert abs(counts[True, True][1] - 0.25) <= 0.05 and counts[True, False][1] >= 0.95, counts
