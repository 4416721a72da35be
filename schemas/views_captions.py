"""SQL views over captions and their claims: the text that may be used, and how often each model was right.

A sentence that holds a contradicted claim is cut; a caption without sentences (one of people) counts as a single one. The
same rule in Python is `engine.captions.kept_text`.
"""

from __future__ import annotations

from .view import View, ViewColumn, select_list

C = ViewColumn

_CLAIMS_OF = View(
    "claims_of_captions",
    "Claims per caption.",
    (),
    """SELECT caption_id, count(*) AS claims,
    count(*) FILTER (status = 'supported') AS supported,
    count(*) FILTER (status = 'contradicted') AS contradicted,
    count(*) FILTER (status = 'unchecked') AS unchecked,
    count(DISTINCT sentence) AS claiming,
    coalesce(list(DISTINCT sentence) FILTER (status = 'contradicted'), []) AS cut
FROM claims GROUP BY caption_id""",
)

_KEPT = """CASE WHEN q.contradicted IS NULL OR q.contradicted = 0 THEN c.text
        WHEN c.sentences IS NULL OR len(c.sentences) = 0 THEN ''
        ELSE array_to_string(list_transform(
            list_filter(range(len(c.sentences)), lambda i: NOT list_contains(q.cut, i)),
            lambda i: c.sentences[i + 1].text), ' ') END"""

_COLUMNS = (
    *(C(n, d, u, s) for n, d, u, s in (
        ("caption_id", "row of `captions`", "", "c.row_id"),
        ("media_id", "the medium", "", "c.media_id"),
        ("clip_id", "the clip that a model described", "", "c.clip_id"),
        ("start_s", "start", "s", "c.start_s"),
        ("end_s", "end, half-open", "s", "c.end_s"),
        ("level", "clip, event or medium; of models: brief, dense, objects, summary or chapter", "", "c.level"),
        ("title", "title of a chapter", "", "c.title"),
        ("model", "the model, 'manifest' or 'composer'", "", "c.model"),
        ("producer", "the producer", "", "c.producer"),
        ("text", "the caption as written", "", "c.text"),
    )),
    C("kept_text", "the caption without sentences that hold a contradicted claim; '' when none is left", sql=_KEPT),
    C("sentences", "its sentences", sql="greatest(1, coalesce(len(c.sentences), 1))"),
    C("silent", "of these, sentences that claim nothing; NULL when it was not split, or claims nothing at all",
      sql="greatest(1, coalesce(len(c.sentences), 1)) - q.claiming"),
    C("cut", "of these, sentences that a contradicted claim cut", sql="len(q.cut)"),
    C("claims", "claims that it was split into; NULL when there are none", sql="q.claims"),
    C("supported", "of these, supported", sql="q.supported"),
    C("contradicted", "of these, contradicted", sql="q.contradicted"),
    C("unchecked", "of these, unchecked", sql="q.unchecked"),
)  # fmt: skip

CAPTION_VIEW = View(
    "caption_view",
    "One row per caption: what it says, what of it may be used, and its claims by status.",
    _COLUMNS,
    f"""SELECT
    {select_list(_COLUMNS)}
FROM captions c LEFT JOIN claims_of_captions q ON q.caption_id = c.row_id""",
)

_RATES = (
    C("model", "model that wrote the captions"),
    C("kind", "kind of claim"),
    C("claims", "claims", sql="count(*)"),
    C("supported", "claims that evidence supports", sql="count(*) FILTER (status = 'supported')"),
    C("contradicted", "claims that evidence contradicts", sql="count(*) FILTER (status = 'contradicted')"),
    C("unchecked", "claims that nobody could check", sql="count(*) FILTER (status = 'unchecked')"),
    C("share", "supported of those that were checked; NULL when none was", "0..1",
      "count(*) FILTER (status = 'supported') / nullif(count(*) FILTER (status <> 'unchecked'), 0)"),
)  # fmt: skip

CLAIM_RATES = View(
    "claim_rates",
    "How often what a model wrote in captions is supported, per kind of claim.",
    _RATES,
    f"SELECT {select_list(_RATES)} FROM claims GROUP BY model, kind",
)

CAPTION_VIEWS = (_CLAIMS_OF, CAPTION_VIEW, CLAIM_RATES)
