"""The documented SQL views of a dataset: `videos`, `kept_clips`, and `clip_view`, over which selection rules are written.

`clip_view` has one row per clip with its medium's properties and values pooled by time (see `views_pooled`). Nothing is
guessed: a value is NULL where there is no data. A count is 0 only where somebody looked and found nothing, that is
where the ledger has the medium as 'done' by a producer that writes the table, or the table has rows about the medium.
"""

from __future__ import annotations

from .tables import TABLES
from .view import View, ViewColumn, select_list
from .views_captions import CAPTION_VIEWS
from .views_checks import CHECK_VIEWS
from .views_pooled import POOLED_VIEWS
from .views_samples import SAMPLE_VIEWS

C = ViewColumn

_MEDIUM = """SELECT * FROM media QUALIFY row_number() OVER (PARTITION BY media_id ORDER BY producer, row_id) = 1"""


def _counted(table: str, value: str) -> str:
    """The value, 0 where the table was looked at for the medium, else NULL."""
    return f"coalesce({value}, CASE WHEN list_contains(k.tables, '{table}') THEN 0 END)"


def _share(seconds: str) -> str:
    """`seconds` by the clip's length, at most 1; NULL stays NULL (which `least` alone would not do)."""
    share = f"{seconds} / nullif(c.end_s - c.start_s, 0)"
    return f"CASE WHEN {share} > 1 THEN 1.0 ELSE {share} END"


VIDEOS = View(
    "videos",
    "Media that have moving pictures.",
    tuple(C(c.name, c.doc, c.unit) for c in TABLES["media"].all_columns),
    "SELECT * FROM media WHERE kind = 'video'",
)

_KEPT_COLUMNS = (
    C("recipe", "the recipe whose rules kept it", sql="s.recipe"),
    *(C(n, d, u, f"c.{n}") for n, d, u in (
        ("clip_id", "the clip", ""),
        ("media_id", "its medium", ""),
        ("start_s", "start", "s"),
        ("end_s", "end, half-open", "s"),
    )),
    C("duration_s", "length", "s", "c.end_s - c.start_s"),
    C("policy", "what cut it: whole, shot, merged, window or manifest", sql="c.policy"),
    C("user_json", "columns of the manifest row that made it", sql="c.user_json"),
)  # fmt: skip
KEPT_CLIPS = View(
    "kept_clips",
    "Clips that every rule of a recipe kept, one row per recipe and clip.",
    _KEPT_COLUMNS,
    f"""SELECT DISTINCT
    {select_list(_KEPT_COLUMNS)}
FROM clip_spans c JOIN selection s ON s.clip_id = c.clip_id WHERE s.kept""",
)

_CLIP_COLUMNS = (
    C("clip_id", "the clip", sql="c.clip_id"),
    C("media_id", "its medium", sql="c.media_id"),
    C("start_s", "start", "s", "c.start_s"),
    C("end_s", "end, half-open", "s", "c.end_s"),
    C("duration_s", "length", "s", "c.end_s - c.start_s"),
    C("policy", "what cut it: whole, shot, merged, window or manifest", sql="c.policy"),
    C("title", "file name of its medium", sql="m.title"),
    C("kind", "video, image or audio", sql="m.kind"),
    C("media_duration_s", "length of its medium", "s", "m.duration_s"),
    C("fps", "frame rate of its medium", "1/s", "m.fps"),
    C("width", "display width of its medium", "px", "m.width"),
    C("height", "display height of its medium", "px", "m.height"),
    C("has_audio", "whether its medium has sound; NULL when it was not probed",
      sql="CASE WHEN m.media_id IS NOT NULL THEN m.audio_codec IS NOT NULL END"),
    C("origin", "real, edited, composed or rendered", sql="m.origin"),
    C("licence", "licence of its medium, as the manifest gives it", sql="m.licence"),
    C("group_id", "footage that must stay in one split", sql="m.group_id"),
    C("official_split", "split of its medium, as the manifest gives it", sql="m.official_split"),
    C("user_json", "user columns: of the clip's manifest row, over those of its medium",
      sql="CASE WHEN c.user_json IS NULL OR m.user_json IS NULL THEN coalesce(c.user_json, m.user_json) "
          "ELSE CAST(json_merge_patch(m.user_json, c.user_json) AS VARCHAR) END"),
    C("signals", "frames with numbers inside it; NULL without any", sql="g.signals"),
    C("luma_mean", "mean luma", "0..255", "g.luma_mean"),
    C("contrast_mean", "mean standard deviation of luma", "0..255", "g.contrast_mean"),
    C("sharpness_p10", "tenth percentile of sharpness (variance of the Laplacian)", "", "g.sharpness_p10"),
    C("sharpness_mean", "mean sharpness", "", "g.sharpness_mean"),
    C("black_share", "share of frames that are almost without light", "0..1", "g.black_share"),
    C("letterbox_mean", "mean share of the picture that black bars cover", "0..1", "g.letterbox_mean"),
    C("motion_mean", "mean length of the optical flow", "frame widths/s", "g.motion_mean"),
    C("motion_max", "largest mean length of the optical flow of a frame", "frame widths/s", "g.motion_max"),
    C("pan_mean", "mean pan; right is positive", "frame widths/s", "g.pan_mean"),
    C("tilt_mean", "mean tilt; up is positive", "frame heights/s", "g.tilt_mean"),
    C("zoom_mean", "mean zoom; in is positive", "1/s", "g.zoom_mean"),
    C("roll_mean", "mean roll; clockwise content is positive", "degrees/s", "g.roll_mean"),
    C("inlier_share_mean", "mean share of the flow that a camera motion explains", "0..1", "g.inlier_share_mean"),
    C("camera_static_share", "share of the frames with a known camera motion whose camera stands still", "0..1",
      "g.camera_static_share"),
    C("residual_mean", "mean flow left after the camera's part", "frame widths/s", "g.residual_mean"),
    C("residual_area_mean", "mean share of the picture that moves by itself", "0..1", "g.residual_area_mean"),
    C("shots", "shots that overlap it (of the detector that sees most)", "", _counted("shots", "sh.shots")),
    C("words", "recognised words that start inside it (of the recogniser that hears most)", "",
      _counted("words", "w.words")),
    C("words_per_s", "words by its length", "1/s",
      _counted("words", "w.words") + " / nullif(c.end_s - c.start_s, 0)"),
    C("speech_share", "share of its time with recognised speech (union of segments; subtitles do not count)", "0..1",
      _counted("speech", _share("sp.speech_s"))),
    C("speech_confidence", "confidence of its recognised speech, weighted by time; NULL without speech", "0..1",
      "sp.speech_confidence"),
    C("text_regions", "text regions that overlap it (of the reader that finds most)", "",
      _counted("text_regions", "tx.text_regions")),
    C("text_area", "mean share of the picture that text covers, over its time (overlapping boxes count twice, at most 1)",
      "0..1", _counted("text_regions", _share("tx.text_area_s"))),
    C("captions", "captions of people or composers that overlap it, of all producers", "", _counted("captions", "ca.captions")),
    C("scores", "prompt name -> mean similarity of its pictures, weighted by time; NULL without pictures", "",
      "cs.scores"),
    C("scores_max", "prompt name -> largest similarity", "", "cs.scores_max"),
    C("measured", "measurement name -> mean of its numbers", "", "me.measured"),
    C("is_duplicate", "whether it repeats the representative of its group; NULL when it was not compared", "",
      "d.is_duplicate"),
    C("duplicate_group", "smallest clip_id of its group of near duplicates", "", "d.duplicate_group"),
)  # fmt: skip

CLIP_VIEW = View(
    "clip_view",
    "One row per clip: its span, its medium, and everything that is known about it, pooled by time.",
    _CLIP_COLUMNS,
    f"""SELECT
    {select_list(_CLIP_COLUMNS)}
FROM clip_spans c
LEFT JOIN ({_MEDIUM}) m ON m.media_id = c.media_id
LEFT JOIN (SELECT media_id, list(DISTINCT table_name) AS tables FROM looked_at GROUP BY media_id) k
    ON k.media_id = c.media_id
LEFT JOIN pooled_signals g ON g.media_id = c.media_id AND g.clip_id = c.clip_id
LEFT JOIN pooled_shots sh ON sh.media_id = c.media_id AND sh.clip_id = c.clip_id
LEFT JOIN pooled_words w ON w.media_id = c.media_id AND w.clip_id = c.clip_id
LEFT JOIN pooled_speech sp ON sp.media_id = c.media_id AND sp.clip_id = c.clip_id
LEFT JOIN pooled_text tx ON tx.media_id = c.media_id AND tx.clip_id = c.clip_id
LEFT JOIN pooled_captions ca ON ca.media_id = c.media_id AND ca.clip_id = c.clip_id
LEFT JOIN pooled_scores cs ON cs.media_id = c.media_id AND cs.clip_id = c.clip_id
LEFT JOIN pooled_measurements me ON me.media_id = c.media_id AND me.clip_id = c.clip_id
LEFT JOIN (SELECT clip_id, bool_or(is_duplicate) AS is_duplicate, min(duplicate_group) AS duplicate_group
    FROM duplicates GROUP BY clip_id) d ON d.clip_id = c.clip_id""",
)

VIEWS: dict[str, View] = {
    view.name: view
    for view in (*POOLED_VIEWS, VIDEOS, KEPT_CLIPS, CLIP_VIEW, *CAPTION_VIEWS, *CHECK_VIEWS, *SAMPLE_VIEWS)
}
"""All views in the order in which they can be created; those without columns serve the others."""
