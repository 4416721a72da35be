"""Subtitles of every text format end up as the same speech rows, on the presentation clock."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest
from chronotope.annotators.text.subtitle_lines import BrokenSubtitles, language_code, language_of_file, plain
from chronotope.annotators.text.subtitles import Subtitles, SubtitlesParams
from chronotope.engine.annotator import Medium, Rows, SkipUnit, Unit

SRT = """1
00:00:00,500 --> 00:00:01,500
<i>First</i> line, with <font color="red">commas</font>

2
00:00:02,000 --> 00:00:03,000
Second &amp;
last row
"""
VTT = """WEBVTT

STYLE
::cue { color: red }

00:00.500 --> 00:01.500 align:start
<v Anna><i>First</i> line, with <c.red>commas</c>

NOTE nobody says this

2
00:00:02.000 --> 00:00:03.000
<00:00:02.200><c>Second</c> &amp;
last row
"""
ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,20

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.50,0:00:01.50,Default,,0,0,0,,{\\i1}First{\\i0} line, with {\\c&HFF&}commas
Dialogue: 0,0:00:02.00,0:00:03.00,Default,,0,0,0,,Second &\\Nlast row
"""
LINES = [(0.5, 1.5, "First line, with commas"), (2.0, 3.0, "Second & last row")]


def run(
    sidecars: list[Path],
    path: Path | None = None,
    duration_s: float = 4.0,
    start_pts_s: float = 0.0,
    **params,
) -> list[dict]:
    medium = Medium(
        media_id="m1",
        uri="a/talk.mp4",
        path=path,
        kind="video",
        duration_s=duration_s,
        fps=25.0,
        frames=100,
        width=160,
        height=90,
        has_video=True,
        has_audio=False,
        start_pts_s=start_pts_s,
        row={"subtitle_streams": 1 if path else 0},
    )
    listed = [{"uri": str(p), "size": 1, "digest": p.name} for p in sidecars]
    source = {"uri": "a/talk.mp4", "sidecars_json": json.dumps(listed) if listed else None}
    annotator = Subtitles(SubtitlesParams(**params))
    return [row for _, row in annotator.annotate(Unit("m1", "medium", medium, "r", 0), Rows({"sources": [source]}))]


def lines(rows: list[dict]) -> list[tuple[float, float, str]]:
    return [(r["start_s"], r["end_s"], r["text"]) for r in rows]


@pytest.fixture
def written(tmp_path):
    def write(name: str, text: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize(("ending", "text"), [("srt", SRT), ("vtt", VTT), ("ass", ASS)])
def test_every_sidecar_format_gives_the_same_lines(written, ending, text) -> None:
    rows = run([written(f"talk.en.{ending}", text)])
    assert lines(rows) == LINES
    assert {(r["language"], r["origin"], r["track"], r["confidence"]) for r in rows} == {
        ("en", "sidecar", f"talk.en.{ending}", None)
    }


@pytest.mark.parametrize(
    ("container", "codec"), [("mkv", "subrip"), ("mkv", "ass"), ("mp4", "mov_text"), ("webm", "webvtt")]
)
def test_embedded_streams_are_read_on_the_presentation_clock(written, tmp_path, container, codec) -> None:
    film = tmp_path / f"film.{container}"
    picture = ["-c:v", "libvpx" if container == "webm" else "libx264"]
    made = ["-f", "lavfi", "-i", "testsrc=size=160x90:rate=25:duration=4"]
    with_lines = ["-i", str(written("s.srt", SRT)), "-c:s", codec, "-metadata:s:s:0", "language=ger"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *made, *with_lines, *picture, str(film)]
    subprocess.run(command, check=True)
    rows = run([], film, start_pts_s=0.25)
    assert [(s + 0.25, e + 0.25, t) for s, e, t in lines(rows)] == LINES
    assert rows[0]["origin"] == "embedded" and rows[0]["track"] == "stream 1"
    assert rows[0]["language"] in ("de", None if codec == "webvtt" else "de")


def test_lines_past_the_end_are_cut_or_left_out_and_reported(written, caplog) -> None:
    rows = run([written("talk.srt", SRT + "\n3\n00:00:09,000 --> 00:00:10,000\nlate\n")], duration_s=2.5)
    assert lines(rows) == [LINES[0], (2.0, 2.5, LINES[1][2])]
    assert "of 3 lines 1 lie outside of the medium (left out), 1 were cut at its end" in caplog.text


def test_subtitles_of_other_footage_are_an_error(written) -> None:
    with pytest.raises(
        BrokenSubtitles,
        match=r"talk\.srt: all 2 lines lie outside of talk\.mp4 "
        r"\(0\.2 s long\)",
    ):
        run([written("talk.srt", SRT)], duration_s=0.2)


@pytest.mark.parametrize("text", ["", "just a text\nwithout times\n", "1\n00:00:aa --> 3\nx\n"])
def test_a_broken_file_is_named(written, text) -> None:
    with pytest.raises(BrokenSubtitles, match=r"talk\.srt.*repair or remove"):
        run([written("talk.srt", text)])


def test_other_encodings_are_told_not_guessed(written) -> None:
    path = written("talk.srt", SRT.replace("First", "Grüße").encode("cp1252"))
    with pytest.raises(BrokenSubtitles, match=r"talk\.srt is not utf-8 text .*subtitles\.encoding"):
        run([path])
    assert run([path], encoding="cp1252")[0]["text"].startswith("Grüße")
    utf16 = written("other.srt", SRT.encode("utf-16"))
    assert lines(run([utf16])) == LINES


def test_tracks_in_other_languages_can_be_left_out(written) -> None:
    files = [written("talk.de.srt", SRT.replace("First", "Erste")), written("talk.en.srt", SRT)]
    assert {r["language"] for r in run(files)} == {"de", "en"}
    assert {r["language"] for r in run(files, languages=("en",))} == {"en"}


def test_a_medium_without_subtitles_is_skipped() -> None:
    with pytest.raises(SkipUnit, match="no subtitles"):
        run([])


def test_language_tags() -> None:
    assert [language_code(t) for t in ("en", "pt-BR", "ger", "und", None, "x1")] == ["en", "pt", "de", None, None, None]
    assert language_of_file(Path("talk.pt-BR.forced.vtt")) == "pt"
    assert language_of_file(Path("talk.srt")) is None


def test_plain_text_keeps_what_is_no_tag() -> None:
    assert plain(r"{\an8}3 < 4 &amp; <b>5</b>\N♪ la ♪") == "3 < 4 & 5 ♪ la ♪"
