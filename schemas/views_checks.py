"""The SQL view `sample_check_view`: what checks found out about a sample beyond its verdict, a column for each question.

A value is NULL where the check did not look or could not say. Where several producers wrote the same check, the worst counts.
"""

from __future__ import annotations

from .view import View, ViewColumn, select_list

C = ViewColumn


def _of(check: str, value: str, variant: str = "") -> str:
    return f"{value} FILTER (check_name = '{check}' AND variant = '{variant}')"


_COLUMNS = (
    C("sample_id", "the sample", sql="sample_id"),
    C("leak", "whether the question gives its answer away by quoting it", sql=f"NOT {_of('leak', 'bool_and(passed)')}"),
    C("slots_hold", "whether what a model wrote resolves over the evidence that it was shown",
      sql=_of("slots", "bool_and(passed)")),
    C("claims_hold", "whether its temporal claims hold and all numbers are explained; NULL: a number is open",
      sql=f"CASE WHEN count(*) FILTER (check_name = 'claims' AND passed IS NULL) = 0 "
          f"OR NOT {_of('claims', 'bool_and(passed)')} THEN {_of('claims', 'bool_and(passed)')} END"),
    C("key_grounded", "whether numbers and quotations of the answer stand in the cited evidence",
      sql=_of("key", "bool_and(passed)")),
    C("guessable", "whether a blind reader finds the answer more often than by chance", sql=f"NOT {_of('blind', 'bool_and(passed)')}"),
    C("blind_score", "1: guessed as often as by chance or less, 0: always guessed", "0..1", _of("blind", "min(score)")),
    C("judge_passed", "whether a judge gave every criterion at least the score that the recipe asks for",
      sql=_of("judge", "bool_and(passed)")),
    C("judge_score", "mean of the judge's criteria", "0..1", _of("judge", "min(score)")),
    *(
        C(f"judge_{name}", f"the judge's score for {name.replace('_', ' ')}", "0..1", _of("judge", "min(score)", name))
        for name in ("grounded", "correct", "answerable", "unambiguous", "well_worded")
    ),
    C("agreement", "share of replies of a model with the evidence that agree with the key", "0..1",
      _of("agreement", "min(score)")),
    C("answered_without", "what was taken away though the sample needs it, and the answer was found all the same: "
      "no_pictures, no_speech, middle_frame; NULL when none is known",
      sql="list_sort(list(DISTINCT variant) FILTER (check_name = 'ablation' AND variant <> 'full' AND NOT passed AND score = 1))"),
    C("lost_without", "what was taken away though the sample does not say that it needs it, and the answer was lost; NULL when none is known",
      sql="list_sort(list(DISTINCT variant) FILTER (check_name = 'ablation' AND variant <> 'full' AND NOT passed AND score = 0))"),
    C("failed_checks", "names of the checks that speak against it; NULL when none does",
      sql="list_sort(list(DISTINCT check_name) FILTER (NOT passed AND check_name <> 'ablation' "
          "AND NOT (check_name = 'judge' AND variant <> '')))"),
)  # fmt: skip

SAMPLE_CHECK_VIEW = View(
    "sample_check_view",
    "One row per sample that was checked beyond its verdict: leaks, guesses, judgements, agreement.",
    _COLUMNS,
    f"""SELECT
    {select_list(_COLUMNS)}
FROM sample_checks GROUP BY sample_id""",
)

CHECK_VIEWS = (SAMPLE_CHECK_VIEW,)
