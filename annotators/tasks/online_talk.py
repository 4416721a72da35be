"""Questions about a walk as one conversation: new pictures come with each turn, and questions about all that was shown so far.

A part is a sample of its own that shows the pictures up to its turn; joined, each set of pictures stands once, before the first
question of its turn. What a part is about is kept in the conversation's factors as places in its evidence, so that it can be
solved again on the cited rows with the pictures of its own prefix and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...schemas.markup import AnswerMark, Media, MediaKind, OptionsMark, Token, parse, render
from ...schemas.sample import Evidence, MediumRef, Sample, Turn, TurnPart, TurnsAnswer
from ...schemas.span import Span, to_us
from ..asks.ask import About
from .common import Withheld
from .talk import NEEDS

PICTURE: MediaKind = "image"


@dataclass(frozen=True)
class Asked:
    """A question of a turn: its own sample, and what it is about."""

    turn: int
    about: About
    sample: Sample


def talked(task: str, asked: Sequence[Asked], per_turn: int) -> Sample:
    """The conversation of questions in order of turns; the last one shows every picture. Raises `Withheld` without questions,
    or where turns go backwards or a set of pictures has no question.
    """
    if not asked:
        raise Withheld("nothing can be asked about this walk")
    stills = max((a.sample.media[0].frame_times for a in asked), key=len)
    sets = [stills[i : i + per_turn] for i in range(0, len(stills), per_turn)]
    turns = [a.turn for a in asked]
    if turns != sorted(turns) or set(turns) != set(range(1, len(sets) + 1)):
        raise Withheld("every set of pictures needs a question, in order")
    first = asked[0].sample
    window = first.window
    evidence = joined(a.sample.evidence for a in asked)
    objects = list(dict.fromkeys(str(e.values["object_id"]) for e in evidence if e.table == "boxes3d"))
    cameras = [to_us(e.values["t_s"]) for e in evidence if e.table == "cameras"]
    said: list[Turn] = []
    parts: list[TurnPart] = []
    factors = {"turns": float(len(sets)), "questions": float(len(asked)), "pictures": float(len(stills))}
    used = 0
    for number, item in enumerate(asked, start=1):
        sample = item.sample
        opens = number == 1 or asked[number - 2].turn < item.turn
        question, answer = (_marked(t.text, number, item.turn if opens else 0) for t in sample.turns)
        said += [Turn(role="user", text=question), Turn(role="assistant", text=answer)]
        end = used + len(sample.options)
        last = sets[item.turn - 1][-1]
        assert not isinstance(sample.answer, TurnsAnswer)
        parts.append(
            TurnPart(
                task=task,
                turn=2 * number - 1,
                answer=sample.answer,
                options=(used, end),
                scope=(window.start_s, _after(last, window)),
                at_s=last,
                lead=sample.wording,
                form=sample.answer_form,
            )
        )
        used = end
        factors |= _kept(number, item.about, objects, cameras)
    needs = {need for a in asked for need in a.sample.needs}
    return first.model_copy(
        update={
            "media": tuple(
                MediumRef(
                    media_id=first.media[0].media_id, kind=PICTURE, start_s=window.start_s, end_s=window.end_s,
                    frame_times=tuple(of),
                )
                for of in sets
            ),
            "turns": tuple(said),
            "answer": TurnsAnswer(parts=tuple(parts)),
            "options": tuple(o for a in asked for o in a.sample.options),
            "rationale": (),
            "evidence": evidence,
            "needs": tuple(need for need in NEEDS if need in needs),
            "difficulty": factors,
        }
    )  # fmt: skip


def shown_until(sample: Sample, part: TurnPart) -> tuple[float, ...]:
    """Times of the pictures that stand in the text up to a part's question. Raises `Withheld` when the part says that it is
    asked at another time than that of the last of them: something later would then be needed, or something be missing.
    """
    shown = {
        token.medium for turn in sample.turns[: part.turn] for token in parse(turn.text) if isinstance(token, Media)
    }
    times = tuple(t for i, ref in enumerate(sample.media, start=1) if i in shown for t in ref.frame_times)
    if not times or part.at_s is None or to_us(part.at_s) != to_us(times[-1]):
        raise Withheld("a question is asked at another time than that of the newest picture")
    return times


def about_of(sample: Sample, number: int) -> About:
    """What a part of a conversation is about, from its factors and evidence. Raises `Withheld`."""
    objects = list(dict.fromkeys(str(e.values["object_id"]) for e in sample.evidence if e.table == "boxes3d"))
    times = [float(e.values["t_s"]) for e in sample.evidence if e.table == "cameras"]

    def places(role: str) -> list[int]:
        keys = sorted(k for k in sample.difficulty if k.startswith(f"part_{number}_{role}_"))
        return [int(sample.difficulty[k]) for k in keys]

    try:
        return About(
            tuple(objects[i] for i in places("object")),
            tuple(times[i] for i in places("camera")),
            int(sample.difficulty.get(f"part_{number}_variant", 0)),
        )
    except IndexError:
        raise Withheld("fewer objects or cameras are cited than are asked about") from None


def joined(evidence: Iterable[Sequence[Evidence]]) -> tuple[Evidence, ...]:
    """Cited rows, each once with all values used, in order of first mention."""
    found: dict[tuple[str, str], Evidence] = {}
    for of in evidence:
        for e in of:
            known = found.get((e.table, e.row_id))
            values = {**known.values, **e.values} if known else e.values
            found[e.table, e.row_id] = Evidence(table=e.table, row_id=e.row_id, values=values)
    order = ("media", "clips", "scenes", "cameras", "boxes3d", "tracks", "boxes", "points")
    return tuple(sorted(found.values(), key=lambda e: order.index(e.table)))


def _kept(number: int, about: About, objects: Sequence[str], cameras: Sequence[int]) -> dict[str, float]:
    found = {f"part_{number}_object_{i}": float(objects.index(o)) for i, o in enumerate(about.objects)}
    found |= {f"part_{number}_camera_{i}": float(cameras.index(to_us(t))) for i, t in enumerate(about.times)}
    return found | ({f"part_{number}_variant": float(about.variant)} if about.variant else {})


def _marked(text: str, part: int, medium: int) -> str:
    """A question or answer as the given part: its pictures (0: none are new), and its own options and answer."""
    tokens: list[Token] = []
    for token in parse(text):
        match token:
            case Media():
                tokens += [Media(PICTURE, medium)] if medium else []
            case OptionsMark():
                tokens.append(OptionsMark(part))
            case AnswerMark():
                tokens.append(AnswerMark(part))
            case _:
                tokens.append(token)
    return render(tokens).strip()


def _after(t_s: float, window: Span) -> float:
    """The end of a span that holds a time: a microsecond later, within the window."""
    return min(round(t_s + 1e-6, 6), window.end_s)
