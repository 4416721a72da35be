"""The documented SQL view `sample_view`: one row per sample with everything that is known about it.

The effective `grade` joins what the verdict says of the evidence with what was found out later: a person who calls the
sample right makes it `reviewed`, a second method that finds the same answer in the packaged media lifts `model` to
`two_source`. Packages choose by this view, so that SQL over it shows what they will take.
"""

from __future__ import annotations

from .view import View, ViewColumn, select_list

C = ViewColumn

SAMPLE_OPINIONS = View(
    "sample_opinions",
    "What people and second methods say of a sample.",
    (),
    """SELECT sample_id,
    bool_or(verdict = 'wrong') AS called_wrong, bool_or(verdict = 'right') AS called_right, NULL AS deep_agrees
FROM reviews GROUP BY sample_id
UNION ALL BY NAME
SELECT sample_id, bool_and(CASE WHEN agrees AND contains(method, 'same model') THEN NULL ELSE agrees END) AS deep_agrees
FROM deep_checks WHERE removed = 'nothing' GROUP BY sample_id""",
)

_GRADE = """CASE
        WHEN o.called_wrong THEN 'refuted'
        WHEN v.evidence_grade = 'exact' THEN 'exact'
        WHEN o.called_right THEN 'reviewed'
        WHEN o.deep_agrees AND v.evidence_grade = 'model' THEN 'two_source'
        ELSE v.evidence_grade END"""

_BUCKETS = ((15, "0_15s"), (60, "15_60s"), (180, "1_3min"), (600, "3_10min"), (1800, "10_30min"), (3600, "30_60min"))
"""Upper edge in s, not included, and name (row 10 of the list of papers); what is longer is over_60min."""
_BUCKET = " ".join((
    "CASE",
    *(f"WHEN round(s.window_end_s - s.window_start_s, 6) < {edge} THEN '{name}'" for edge, name in _BUCKETS),
    "ELSE 'over_60min' END",
))  # fmt: skip
_TASK_CLASS = """CASE s.answer_kind
        WHEN 'span' THEN 'temporal_grounding' WHEN 'spans' THEN 'temporal_grounding' WHEN 'box' THEN 'spatial_grounding'
        WHEN 'span_box' THEN 'spatiotemporal_grounding' WHEN 'tube' THEN 'spatiotemporal_grounding'
        WHEN 'order' THEN 'ordering' WHEN 'choice' THEN 'multiple_choice'
        WHEN 'number' THEN 'counting' WHEN 'absent' THEN 'absence' WHEN 'turns' THEN 'conversation' ELSE 'open_answer' END"""
_REACH = """CASE
        WHEN s.answer_kind IN ('order', 'spans', 'turns') THEN 'cross_event'
        WHEN s.answer_kind = 'box' OR s.media[1].kind = 'image' OR (len(s.media) = 1 AND len(s.media[1].frame_times) = 1)
            THEN 'frame'
        WHEN s.answer_kind = 'absent' OR CAST(s.difficulty_json->>'evidence_ratio' AS DOUBLE) >= 0.9 THEN 'whole'
        WHEN s.answer_kind IN ('span', 'span_box', 'tube') OR s.difficulty_json->>'evidence_ratio' IS NOT NULL THEN 'event'
        ELSE 'whole' END"""

_COLUMNS = (
    *(C(n, d, u, f"s.{n}") for n, d, u in (
        ("sample_id", "the sample", ""),
        ("task", "the task", ""),
        ("recipe", "the recipe", ""),
        ("media_id", "its first medium", ""),
        ("clip_id", "the clip that it was made for", ""),
        ("pair_id", "shared by a minimal pair", ""),
        ("origin", "real, edited, composed or rendered", ""),
        ("needs", "vision, audio, speech_text, on_screen_text, motion, 3d", ""),
        ("wording", "identifier of the question wording", ""),
        ("answer_form", "identifier of the answer form", ""),
        ("answer_kind", "span, spans, box, choice, order, number, text, absent ...", ""),
        ("window_start_s", "start of the shown window", "s"),
        ("window_end_s", "its end", "s"),
    )),
    C("window_s", "length of the shown window", "s", "s.window_end_s - s.window_start_s"),
    C("duration_bucket", "its length: 0_15s, 15_60s, 1_3min, 3_10min, 10_30min, 30_60min or over_60min; lower edges belong to it",
      sql=_BUCKET),
    C("task_class", "what kind of answer is asked for: temporal_grounding, spatial_grounding, spatiotemporal_grounding, ordering, "
      "multiple_choice, counting, absence, conversation or open_answer", sql=_TASK_CLASS),
    C("reach", "how far its evidence reaches: frame (a moment or a still), event (one span), cross_event (several) or whole "
      "(at least nine tenths of the window, or no part is known)", sql=_REACH),
    C("answer_text", "text of the right option of a choice; NULL for other answers",
      sql="CASE WHEN s.answer_kind = 'choice' THEN s.options[CAST(s.answer_json->>'index' AS INT) + 1].text END"),
    C("question", "the first turn, in neutral markup", sql="s.turns[1].text"),
    C("title", "file name of its first medium", sql="m.title"),
    C("group_id", "footage that must stay in one split", sql="g.group_id"),
    C("split", "train, validation or test", sql="coalesce(g.split, m.official_split, 'train')"),
    C("check_status", "recomputed; where the answer is a model's: judged when a judge passed it, else unchecked",
      sql="CASE WHEN v.check_status = 'unchecked' AND v.passed AND k.judge_passed THEN 'judged' ELSE v.check_status END"),
    C("passed", "whether the answer follows from the evidence", sql="v.passed"),
    C("problem", "why not", sql="v.problem"),
    C("evidence_grade", "exact, two_source, model or judge: the lowest of its evidence", sql="v.evidence_grade"),
    C("grade", "the same with what was found out later: refuted, exact, reviewed, two_source, model or judge", sql=_GRADE),
    C("deep_agrees", "whether second methods found the same answer; NULL where none looked", sql="o.deep_agrees"),
    C("evidence_ratio", "share of the window that is evidence", "0..1", "CAST(s.difficulty_json->>'evidence_ratio' AS DOUBLE)"),
    C("evidence_position", "where in the window the middle of the evidence lies", "0..1",
      "CAST(s.difficulty_json->>'position' AS DOUBLE)"),
    C("margin", "margin of the nearest wrong option", "",
      "coalesce(list_min(list_transform(s.options, lambda o: o.margin)), CAST(s.difficulty_json->>'margin' AS DOUBLE))"),
    C("distractor_kinds", "kinds of its wrong options", "",
      "list_sort(list_distinct(list_filter(list_transform(s.options, lambda o: o.distractor_kind), lambda k: k IS NOT NULL)))"),
    C("shortcut", "whether a question-only and a single-frame baseline both get it right; NULL without a ladder",
      sql="t.shortcut"),
    C("rollout_difficulty", "1 - mean reward of models under test, each model and profile counting alike; NULL without `rollout`",
      "0..1", "q.difficulty"),
    C("rollout_attempts", "attempts of models under test; NULL without `rollout`", "", "q.attempts"),
    C("contaminated_by", "registered benchmarks that hold its footage or question; NULL when none", sql="x.benchmarks"),
    C("unanswerable_for", "trainer profiles that do not show what it needs; NULL when none is known", sql="p.profiles"),
    C("also_answered_by", "modalities that give its answer without what it says it needs: vision, audio; NULL when none is known",
      sql="n.ways"),
    C("chain_holds", "whether its typed chain gives the answer again, rests on all that it cites, and cites what is shown; NULL "
      "without a chain", sql="h.replayed AND h.faithful AND h.shown"),
    C("path_tier", "of sampled reasoning: A (right and sound) or B; NULL for others", sql="w.tier"),
    C("path_score", "of sampled reasoning: 1 to 5", sql="w.score"),
    *(C(n, d, u, f"k.{n}") for n, d, u in (
        ("leak", "whether the question gives its answer away by quoting it; NULL where nobody looked", ""),
        ("guessable", "whether a blind reader finds the answer more often than by chance; NULL without one", ""),
        ("judge_score", "mean of a judge's criteria; NULL without one", "0..1"),
        ("judge_passed", "whether every criterion reached the judge's bar", ""),
        ("agreement", "share of a model's replies with the evidence that agree with the key", "0..1"),
        ("failed_checks", "checks that speak against it (see `sample_check_view`); NULL when none does", ""),
    )),
)  # fmt: skip

_ROLLOUT_COLUMNS = (
    C("sample_id", "the sample"),
    C("task", "its task"),
    C("model", "model under test and its revision"),
    C("profile", "trainer profile whose frames it was shown"),
    C("attempts", "independent attempts"),
    C("mean_reward", "mean of their rewards", "0..1"),
    C("difficulty", "1 - mean reward", "0..1"),
    C("right_share", "share of the attempts that the verifier calls right", "0..1"),
    C("reward_spread", "standard deviation of the rewards: 0 where all attempts score alike, and nothing can be learned from "
      "comparing them"),
)  # fmt: skip

ROLLOUT_VIEW = View(
    "rollout_view",
    "One row per sample, model under test and trainer profile: how hard the sample is for it.",
    _ROLLOUT_COLUMNS,
    """SELECT sample_id, any_value(task) AS task, model, profile, count(*) AS attempts, avg(reward) AS mean_reward,
    1 - avg(reward) AS difficulty, avg(CAST(correct AS INT)) AS right_share, stddev_pop(reward) AS reward_spread
FROM attempts WHERE model IS NOT NULL GROUP BY sample_id, model, profile""",
)

SAMPLE_VIEW = View(
    "sample_view",
    "One row per sample: what it is, how true, how hard, and what stands against it.",
    _COLUMNS,
    f"""SELECT
    {select_list(_COLUMNS)}
FROM (SELECT * FROM samples QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY producer) = 1) s
LEFT JOIN (SELECT * FROM verdicts QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY producer) = 1) v USING (sample_id)
LEFT JOIN (SELECT * FROM groups QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY producer) = 1) g USING (sample_id)
LEFT JOIN (SELECT media_id, any_value(title) AS title, any_value(official_split) AS official_split FROM media GROUP BY media_id) m
    ON m.media_id = s.media_id
LEFT JOIN (SELECT sample_id, bool_or(called_wrong) AS called_wrong, bool_or(called_right) AS called_right,
    bool_and(deep_agrees) AS deep_agrees FROM sample_opinions GROUP BY sample_id) o USING (sample_id)
LEFT JOIN (SELECT sample_id, bool_or(correct) FILTER (solver = 'question_only')
    AND bool_or(correct) FILTER (solver IN ('middle_frame', 'first_frame')) AS shortcut FROM attempts GROUP BY sample_id) t
    USING (sample_id)
LEFT JOIN (SELECT sample_id, avg(difficulty) AS difficulty, CAST(sum(attempts) AS BIGINT) AS attempts FROM rollout_view
    GROUP BY sample_id) q USING (sample_id)
LEFT JOIN (SELECT sample_id, list_sort(list(DISTINCT benchmark)) AS benchmarks FROM contamination GROUP BY sample_id) x
    USING (sample_id)
LEFT JOIN (SELECT sample_id, list_sort(list(DISTINCT profile)) AS profiles FROM frame_plans WHERE NOT answerable
    GROUP BY sample_id) p USING (sample_id)
LEFT JOIN (SELECT sample_id, list_sort(list(DISTINCT other_way)) AS ways FROM need_checks WHERE NOT needed
    GROUP BY sample_id) n USING (sample_id)
LEFT JOIN sample_check_view k USING (sample_id)
LEFT JOIN (SELECT * FROM chains QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY producer) = 1) h USING (sample_id)
LEFT JOIN (SELECT sample_id, min(tier) AS tier, max(score) AS score FROM paths WHERE chosen GROUP BY sample_id) w USING (sample_id)""",
)

SAMPLE_VIEWS = (SAMPLE_OPINIONS, ROLLOUT_VIEW, SAMPLE_VIEW)
