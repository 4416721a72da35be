"""How well described events are found: mIoU and R@1 per localiser and fused, and how honest the calibrated probability is.

`python benchmarks/grounding.py ROOT --fit 12` takes a finished dataset with told events (composed films or a manifest of events)
and the tables that localisers read. The texts of the events are looked for and their spans hidden; media are ordered by
identifier, the first `--fit` of them fit the calibration, the others are measured. A description that is true several times in
a medium is found when any of its times is. `--write FILE` stores the calibration.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chronotope.annotators.temporal.events import setting_of
from chronotope.annotators.temporal.localise import Localise
from chronotope.annotators.temporal.localise_by_picture import LocaliseByPicture
from chronotope.engine.annotator import Medium, Rows, SkipUnit, Unit
from chronotope.engine.captions import told_rows
from chronotope.engine.catalog import Catalog
from chronotope.engine.grounding.calibrating import Known, calibrate, lenient
from chronotope.engine.grounding.calibration import reliability
from chronotope.engine.grounding.fusion import Fused, FusionRules, fuse, fuse_all
from chronotope.engine.grounding.proposals import Candidate, query_id
from chronotope.schemas.metrics import mean, share_at
from chronotope.schemas.span import Span, tiou
from chronotope.schemas.tables import TABLES

THRESHOLDS = (0.3, 0.5, 0.7)
TOLD = ("composed_truth", "manifest_captions", "imported")


def rows_by_medium(root: Path, origins: Sequence[str]) -> dict[str, Rows]:
    """What localisers read, by medium: of tables that truth and recognisers both write, the recognisers' rows."""
    with Catalog(root) as catalog:
        media = catalog.rows("SELECT * FROM media WHERE duration_s > 0 ORDER BY media_id")
        wanted = [m for m in media if (m["origin"] or "real") in origins]
        found: dict[str, dict[str, list[dict[str, Any]]]] = {m["media_id"]: {"media": [m]} for m in wanted}
        told_speech = ", ".join(f"'{name}'" for name in TOLD)
        for row in catalog.rows(f"SELECT * FROM speech WHERE producer IN ({told_speech})"):
            if row["media_id"] in found:
                said = {
                    **row,
                    "text": f"someone says “{row['text'].rstrip('.!')}”",
                    "level": "event",
                    "model": "composer",
                }
                found[row["media_id"]].setdefault("captions", []).append({**said, "producer": "composed_truth"})
        for table in (*Localise.reads[1:], "embeddings"):
            told = ", ".join(f"'{name}'" for name in TOLD)
            where = "" if table in ("captions", "events") else f"WHERE producer NOT IN ({told})"
            for row in catalog.rows(f"SELECT * FROM {table} {where}"):
                if row["media_id"] in found:
                    found[row["media_id"]].setdefault(table, []).append(row)
    return {media_id: Rows(tables) for media_id, tables in found.items()}


def candidates_of(rows: Rows, annotators: Sequence[Any]) -> dict[str, list[Candidate]]:
    """Candidates of a medium by description."""
    media = rows["media"][0]
    medium = Medium(
        media["media_id"], media.get("uri", ""), None, media["kind"], media["duration_s"], media["fps"],
        media["frames"], media["width"], media["height"], True, bool(media["audio_codec"]), row=media,
    )  # fmt: skip
    unit = Unit(media["media_id"], "medium", medium, "benchmark", 0)
    found: dict[str, list[Candidate]] = {}
    for annotator in annotators:
        try:
            made = list(annotator.annotate(unit, rows))
        except SkipUnit:
            continue
        for table, row in made:
            if table == "candidates":
                full = TABLES["candidates"].complete(row, annotator.name, media["media_id"], media["media_id"])
                candidate = Candidate.from_row(full)
                assert candidate is not None
                found.setdefault(row["text"], []).append(candidate)
    return found


def known_of(rows: Rows, annotators: Sequence[Any]) -> list[Known]:
    """Every described event of a medium with its proposals, also where there are none."""
    media = rows["media"][0]
    told: dict[str, tuple[str, list[Span]]] = {}
    described = [c for c in told_rows(rows["captions"]) if c["level"] in ("clip", "event")]
    described += [e for e in rows["events"] if e["localiser"] is None]
    for row in described:
        if row["end_s"] > row["start_s"]:
            text = row["text"].rstrip(".!")
            told.setdefault(query_id(text), (text, []))[1].append(Span(row["start_s"], row["end_s"]))
    found = {query_id(text): own for text, own in candidates_of(rows, annotators).items()}
    setting = setting_of(media["duration_s"], rows["shots"], rows["words"])
    return [
        Known(media["media_id"], text, tuple(spans), tuple(found.get(key, ())), setting)
        for key, (text, spans) in told.items()
    ]


def best_tiou(one: Known, span: Span | None) -> float:
    """tIoU with the nearest true span; 0 without a span."""
    return max((tiou(span, true) for true in one.truth), default=0.0) if span else 0.0


def line_of(name: str, scores: Sequence[float], asked: int) -> str:
    """A row of the table: over the descriptions for which it proposed something, and over all of them."""
    own = [s for s in scores if s >= 0]
    every = [max(0.0, s) for s in scores]
    shares = "  ".join(f"{share_at(own, m):.2f}" for m in THRESHOLDS) if own else "-"
    total = "  ".join(f"{share_at(every, m):.2f}" for m in THRESHOLDS)
    return (
        f"{name:42s} {len(own):4d}/{asked:<4d}  {mean(own) if own else 0:.3f}  {shares}   |  {mean(every):.3f}  {total}"
    )


def measure(known: Sequence[Known], calibration: Any, rules: FusionRules) -> None:
    """Print the tables."""
    print(f"{'localiser':42s} spoke/asked  mIoU   R@1 {THRESHOLDS} of what it spoke about | of all")
    localisers = sorted({(c.localiser, c.family) for one in known for c in one.candidates})
    for name, family in localisers:
        scores = []
        for one in known:
            top = min((c for c in one.candidates if c.localiser == name), key=lambda c: c.rank, default=None)
            scores.append(best_tiou(one, top.span) if top else -1.0)
        print(line_of(f"{name} ({family})", scores, len(known)))
    weighs = {"fused, own scores": lambda c: c.score}
    if calibration:
        weighs["fused, calibrated"] = calibration.weigh
    for name, weigh in weighs.items():
        events = [_first(fuse(one.text, one.candidates, one.setting, lenient(rules), weigh)) for one in known]
        print(
            line_of(
                f"{name}: every description",
                [best_tiou(k, e.span) if e else -1.0 for k, e in zip(known, events, strict=True)],
                len(known),
            )
        )
        kept = _kept(known, rules, weigh)
        print(
            line_of(
                f"{name}: kept by the rules",
                [best_tiou(k, e.span) if e else -1.0 for k, e in zip(known, kept, strict=True)],
                len(known),
            )
        )
        if calibration and name == "fused, calibrated":
            _reliability(known, events, calibration)
    oracle = [max((best_tiou(one, c.span) for c in one.candidates), default=-1.0) for one in known]
    print(line_of("(the best of all proposals)", oracle, len(known)))


def _reliability(known: Sequence[Known], events: Sequence[Fused | None], calibration: Any) -> None:
    p, hits, ious = [], [], []
    for one, event in zip(known, events, strict=True):
        q = calibration.p_of(event, one.setting.duration_s) if event else None
        if event and q is not None:
            p.append(q)
            hits.append(one.is_hit(event.span))
            ious.append(best_tiou(one, event.span))
    bins, ece = reliability(p, hits)
    print(f"  p_correct on these media: {len(p)} events, expected calibration error {ece:.3f}")
    for b in bins:
        print(f"    p {b.low:.1f}..{b.high:.1f}: {b.count:4d} events, mean p {b.mean_p:.2f}, right {b.right:.2f}")
    for least in (0.5, 0.8, 0.9):
        own = [(h, s) for q, h, s in zip(p, hits, ious, strict=True) if q >= least]
        if own:
            print(
                f"    p >= {least}: {len(own)} kept, right {sum(h for h, _ in own) / len(own):.3f}, mIoU {mean([s for _, s in own]):.3f}"
            )


def _first(found: Sequence[Any]) -> Fused | None:
    return next((f for f in found if isinstance(f, Fused)), None)


def _kept(known: Sequence[Known], rules: FusionRules, weigh: Any) -> list[Fused | None]:
    by_medium: dict[str, list[Known]] = {}
    for one in known:
        by_medium.setdefault(one.media_id, []).append(one)
    events: dict[tuple[str, str], Fused] = {}
    for media_id, own in by_medium.items():
        queries: Mapping[str, Sequence[Candidate]] = {one.text: one.candidates for one in own if one.candidates}
        for event in fuse_all(queries, own[0].setting, rules, weigh).events:
            events.setdefault((media_id, event.text), event)
    return [events.get((one.media_id, one.text)) for one in known]


def main() -> None:
    """Measure, and store the calibration when asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--fit", type=int, default=12, help="media that fit the calibration")
    parser.add_argument("--calibration", type=Path, help="a stored calibration instead of fitting one")
    parser.add_argument("--model", default="composed-tiny", help="CLIP model of the stored vectors")
    parser.add_argument("--origins", nargs="+", default=["composed", "real"])
    parser.add_argument("--name", default="composed_films")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--rules", default="{}", help="fusion rules, as JSON")
    parser.add_argument("--show", action="store_true", help="every description with what was found")
    given = parser.parse_args()
    rules = FusionRules.model_validate({"min_length_s": 0.2, **json.loads(given.rules)})
    annotators = [Localise(Localise.Params()), LocaliseByPicture(LocaliseByPicture.Params(model=given.model))]
    rows = rows_by_medium(given.root, given.origins)
    known = {media_id: known_of(rows[media_id], annotators) for media_id in sorted(rows)}
    known = {media_id: own for media_id, own in known.items() if own}
    media = list(known)
    fitted = [one for m in media[: given.fit] for one in known[m]]
    held = [one for m in media[given.fit :] for one in known[m]]
    calibration = None
    if given.calibration:
        from chronotope.engine.grounding.calibration import Calibration

        calibration = Calibration.from_json(given.calibration.read_text())
    elif fitted:
        calibration = calibrate(given.name, fitted, rules)
    print(f"{len(media)} media; measured on {len(media) - min(given.fit, len(media))} with {len(held)} descriptions")
    measure(held, calibration, rules)
    if given.show:
        for one in held:
            event = _first(
                fuse(
                    one.text,
                    one.candidates,
                    one.setting,
                    lenient(rules),
                    calibration.weigh if calibration else lambda c: c.score,
                )
            )
            print(
                f"{best_tiou(one, event.span if event else None):.2f} {one.text!r} {[(s.start_s, s.end_s) for s in one.truth]} {(event.span.start_s, event.span.end_s, event.best.localiser) if event else None}"
            )
    if given.write and calibration:
        given.write.write_text(calibration.to_json(), encoding="utf-8")
        print(f"{given.write}: {calibration.title}, held out in turn: expected calibration error {calibration.ece:.3f}")


if __name__ == "__main__":
    main()
