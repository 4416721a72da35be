"""The page on which a person judges samples: one at a time, the question first, the answer on request, by keyboard.

The same page works in two ways. Served (`audit_server.py`), it asks for each item when it is opened and posts each verdict
at once. Exported, it holds all items, keeps verdicts in the browser and saves them as a CSV file for `audit --import`.
It fetches nothing from elsewhere and follows the reader's light or dark setting.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any


def audit_page(
    name: str,
    reviewer: str,
    label: str,
    items: Sequence[Mapping[str, Any]],
    done: Mapping[str, Mapping[str, str]],
    *,
    blind: bool = True,
    inside: Sequence[Mapping[str, Any]] | None = None,
    files: str = "file/",
) -> str:
    """The page. `items` have sample_id and stratum, `done` verdict and comment by sample.

    `inside` holds the full items (`AuditItems.item`) of an exported page; `files` is the folder that their files lie in.
    """
    data = {
        "name": name, "reviewer": reviewer, "label": label, "items": [dict(i) for i in items],
        "done": {k: dict(v) for k, v in done.items()}, "blind": blind, "inside": inside, "files": files,
    }  # fmt: skip
    said = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "").replace("\u2029", "")
    return (
        _PAGE.replace("{{title}}", escape(f"Audit of {name}"))
        .replace("{{name}}", escape(name))
        .replace("{{data}}", said)
    )


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; --ground: #eef1f5; --paper: #fff; --ink: #17202b; --muted: #566374; --line: #d5dbe3;
  --good: #12805c; --bad: #b3261e; --unsure: #8a5a00; --focus: #2563ab; --tint: #d3efe2; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #12171e; --paper: #1c232d; --ink: #e8edf3; --muted: #a3b0c0; --line: #36414f; --good: #4cc79b;
    --bad: #ff8f86; --unsure: #e5b45c; --focus: #7fb2f0; --tint: #17392f; }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; padding-bottom: 104px; }
header, main { max-width: 1500px; margin: 0 auto; padding: 0 clamp(14px, 2.5vw, 36px); }
header { padding-top: 16px; }
.top { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 18px; }
h1 { font-size: 20px; margin: 0; letter-spacing: -0.01em; }
.top p { margin: 0; color: var(--muted); font-size: 14px; }
.top button { margin-left: auto; }
.bar { height: 8px; border-radius: 8px; background: var(--line); margin: 10px 0 14px; overflow: hidden; display: flex; }
.bar i { display: block; height: 100%; }
.bar .right { background: var(--good); } .bar .wrong { background: var(--bad); } .bar .unclear { background: var(--unsure); }
main { display: grid; grid-template-columns: minmax(0, 1.25fr) minmax(320px, 1fr); gap: 20px; align-items: start; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 14px; padding: 16px 18px; min-width: 0; }
.facts { display: flex; flex-wrap: wrap; gap: 6px 8px; align-items: center; margin-bottom: 10px; }
.facts b { font-size: 19px; margin-right: 4px; }
.pill { font-size: 13px; padding: 1px 10px; border-radius: 99px; border: 1px solid var(--line); color: var(--muted); }
.footage { color: var(--muted); font-size: 14px; margin: 0 0 10px; overflow-wrap: anywhere; }
.stage { position: relative; width: fit-content; max-width: 100%; margin: 0 auto; }
video { display: block; cursor: pointer; max-width: 100%; max-height: 58vh; border-radius: 10px; background: #000; }
audio { width: 100%; }
.box { position: absolute; border: 3px solid var(--good); box-shadow: 0 0 0 2px #fff8; border-radius: 3px; pointer-events: none; }
.track { position: relative; height: 26px; margin: 8px 0 0; border-radius: 6px; background: var(--ground); cursor: pointer; }
.track i { position: absolute; top: 5px; bottom: 5px; min-width: 3px; background: var(--good); border-radius: 4px; }
.track u { position: absolute; top: 0; bottom: 0; width: 2px; background: var(--ink); }
.media figure { margin: 0 0 12px; }
figcaption { color: var(--muted); font-size: 13px; margin-top: 4px; }
.stills { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 10px; margin-bottom: 12px; }
.stills figure { margin: 0; }
img { display: block; max-width: 100%; height: auto; border-radius: 8px; background: #fff; }
.question { font-size: 20px; line-height: 1.4; margin: 6px 0 10px; white-space: pre-line; overflow-wrap: anywhere; }
.said { margin: 4px 0 12px; padding: 8px 12px; background: var(--tint); border-radius: 8px; white-space: pre-line; overflow-wrap: anywhere; }
ul { list-style: none; margin: 0 0 12px; padding: 0; }
li { display: grid; grid-template-columns: 24px 1fr auto; gap: 10px; padding: 4px 0; align-items: center; }
li small { color: var(--muted); }
.mark { width: 22px; height: 22px; border: 2px solid var(--line); border-radius: 50%; font: 700 13px/18px system-ui; text-align: center; }
.open .true { font-weight: 600; } .open .true .mark { background: var(--good); border-color: var(--good); color: var(--paper); }
.closed .after { display: none; }
.open .before { display: none; }
.typed { font-size: 18px; margin: 0 0 10px; } .typed b { color: var(--good); margin-right: 8px; }
details { color: var(--muted); font-size: 14px; } summary { cursor: pointer; }
details p { margin: 4px 0; overflow-wrap: anywhere; }
.trouble { border-left: 4px solid var(--bad); padding: 4px 12px; margin: 8px 0; }
label { display: block; font-size: 13px; color: var(--muted); margin-top: 12px; }
textarea { width: 100%; font: inherit; color: var(--ink); background: var(--ground); border: 1px solid var(--line); border-radius: 8px;
  padding: 8px 10px; min-height: 58px; resize: vertical; }
.wide { grid-column: 1 / -1; }
.wide img { margin: 0 auto 10px; }
footer { position: fixed; inset: auto 0 0 0; background: var(--paper); border-top: 1px solid var(--line); padding: 12px clamp(14px, 2.5vw, 36px); }
footer > div { max-width: 1428px; margin: 0 auto; display: flex; flex-wrap: wrap; gap: 8px 10px; align-items: center; }
button { font: inherit; color: var(--ink); background: var(--ground); border: 1px solid var(--line); border-radius: 10px; padding: 8px 16px; cursor: pointer; }
button:disabled { color: var(--muted); cursor: default; opacity: .6; }
button.main { background: var(--focus); border-color: var(--focus); color: #fff; font-weight: 600; }
@media (prefers-color-scheme: dark) { button.main { color: #0d1520; } }
button[data-verdict=right] { border-color: var(--good); color: var(--good); font-weight: 600; }
button[data-verdict=wrong] { border-color: var(--bad); color: var(--bad); font-weight: 600; }
button[data-verdict=unclear] { border-color: var(--unsure); color: var(--unsure); font-weight: 600; }
button[aria-pressed=true] { box-shadow: inset 0 0 0 2px currentColor; }
kbd { font: 600 12px/1 ui-monospace, monospace; border: 1px solid currentColor; border-radius: 5px; padding: 2px 6px; margin-left: 8px; opacity: .75; }
output { margin-left: auto; color: var(--muted); font-size: 14px; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.done h2 { margin: 0 0 8px; } .done { grid-column: 1 / -1; text-align: center; padding: 48px 20px; }
@media (max-width: 900px) { main { grid-template-columns: 1fr; } video { max-height: 42vh; } kbd { display: none; } body { padding-bottom: 150px; } }
</style>
</head>
<body>
<header>
<div class="top"><h1>Audit of {{name}}</h1><p id="who"></p><button id="finish">Finish<kbd>F</kbd></button></div>
<div class="bar" id="bar" role="img"></div>
</header>
<main id="item" class="closed" aria-live="polite"></main>
<footer><div>
<button id="show" class="main before">Show the answer<kbd>Enter</kbd></button>
<button data-verdict="right">Right<kbd>1</kbd></button>
<button data-verdict="wrong">Wrong<kbd>2</kbd></button>
<button data-verdict="unclear">Unclear<kbd>3</kbd></button>
<button id="play">Play<kbd>Space</kbd></button>
<button id="span">Play the answer<kbd>P</kbd></button>
<button id="back">Back<kbd>&larr;</kbd></button>
<button id="next">Skip<kbd>&rarr;</kbd></button>
<output id="told"></output>
</div></footer>
<script>
"use strict";
const D = {{data}};
const $ = id => document.getElementById(id);
const place = $("item"), KEY = "chronotope audit " + D.label + " " + D.name;
const done = Object.assign({}, D.done), drafts = {};
if (D.inside) try { Object.assign(done, JSON.parse(localStorage.getItem(KEY) || "{}")); } catch { /* private window */ }
let at = D.items.findIndex(i => !done[i.sample_id]), item = null, open = false, until = null, settle = null, wanted = 0;
if (at < 0) at = D.items.length;

function el(tag, attributes, ...inside) {
  const node = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes || {})) {
    if (k === "class") node.className = v; else if (k in node && k !== "list") node[k] = v; else node.setAttribute(k, v);
  }
  node.append(...inside.filter(x => x !== null));
  return node;
}
function tell(text) { $("told").value = text; }
function counts() {
  const n = { right: 0, wrong: 0, unclear: 0 };
  for (const i of D.items) if (done[i.sample_id]) n[done[i.sample_id].verdict]++;
  return n;
}
function progress() {
  const n = counts(), all = D.items.length, judged = n.right + n.wrong + n.unclear;
  $("bar").replaceChildren(...Object.entries(n).map(([k, v]) => el("i", { class: k, style: `width:${100 * v / Math.max(all, 1)}%` })));
  $("bar").setAttribute("aria-label", `${judged} of ${all} judged: ${n.right} right, ${n.wrong} wrong, ${n.unclear} unclear`);
  $("who").textContent = `${judged} of ${all} judged by ${D.reviewer || "you"}: ${n.right} right, ${n.wrong} wrong, ${n.unclear} unclear`;
}
function reveal(yes) {
  open = yes;
  place.className = document.body.className = yes ? "open" : "closed";
  for (const b of document.querySelectorAll("[data-verdict]")) b.disabled = !yes || !item;
  $("show").hidden = yes || !item;
  $("span").disabled = !yes || !item || !marks().length || !player();
  $("play").disabled = !player();
}
function marks() { return !item ? [] : item.spans.length ? item.spans : item.box ? [[item.box.start_s, item.box.end_s]] : []; }
function player() { return place.querySelector("video, audio"); }
function play() { const p = player(); if (p) { until = null; p.paused ? p.play() : p.pause(); } }
function playSpan() {
  const p = player(), m = item && item.media.find(x => x.kind !== "image"), s = marks()[0];
  if (!open || !p || !m || !s) return;
  const moment = s[1] - s[0] < 0.1, around = moment ? 0.5 : 0;
  p.currentTime = Math.max(0, s[0] - around - m.zero_s); until = Math.min(s[1] + around - m.zero_s, p.duration - 0.01);
  settle = moment || !item.spans.length ? (s[0] + s[1]) / 2 - m.zero_s : null;
  p.play();
}
function media(list) {
  const box = el("div", { class: "media" }), stills = list.filter(m => m.kind === "image");
  if (stills.length) box.append(el("div", { class: "stills" }, ...stills.map(m =>
    el("figure", {}, el("img", { src: D.files + m.file, alt: m.label }), el("figcaption", {}, m.label)))));
  list.filter(m => m.kind !== "image").forEach((m, k) => {
    const p = el(m.kind, { src: D.files + m.file, controls: m.kind === "audio", preload: "auto", playsInline: true });
    if (m.kind === "video") p.addEventListener("click", () => { until = null; p.paused ? p.play() : p.pause(); });
    const stage = el("div", { class: "stage" }, p);
    if (m.kind === "audio") stage.style.width = "100%";
    const figure = el("figure", {}, stage);
    const now = el("u"), track = el("div", { class: "track", title: "click to go there" }, now);
    if (k === 0) {
      if (item.box && m.kind === "video") {
        const b = item.box.at, mark = el("div", { class: "box after", hidden: true });
        Object.assign(mark.style, { left: 100 * b[0] + "%", top: 100 * b[1] + "%", width: 100 * (b[2] - b[0]) + "%", height: 100 * (b[3] - b[1]) + "%" });
        stage.append(mark);
        const check = () => { const t = p.currentTime + m.zero_s; mark.hidden = t < item.box.start_s || t >= item.box.end_s; };
        for (const e of ["timeupdate", "seeked", "loadeddata"]) p.addEventListener(e, check);
      }
      p.addEventListener("loadedmetadata", () => {
        for (const [a, b] of marks()) {
          const i = el("i", { class: "after" });
          Object.assign(i.style, { left: 100 * (a - m.zero_s) / p.duration + "%", width: 100 * (b - a) / p.duration + "%" });
          track.prepend(i);
        }
      });
      p.addEventListener("timeupdate", () => {
        if (until !== null && p.currentTime >= until) { p.pause(); until = null; if (settle !== null) p.currentTime = settle; }
      });
    }
    track.addEventListener("click", e => {
      until = null; p.currentTime = p.duration * (e.clientX - track.getBoundingClientRect().left) / track.clientWidth;
    });
    figure.append(track);
    const clock = el("span", {}), length = el("span", {}, m.label);
    const tick = () => {
      now.style.left = 100 * p.currentTime / (p.duration || 1) + "%";
      clock.textContent = `now at ${(p.currentTime + m.zero_s).toFixed(2)} s of the medium, `;
    };
    for (const e of ["timeupdate", "seeked", "loadedmetadata"]) p.addEventListener(e, tick);
    figure.append(el("figcaption", {}, clock, length));
    box.append(figure);
  });
  return box;
}
function words(turn) {
  if (turn.role !== "user") return [el("p", { class: "said after" }, turn.text)];
  const list = turn.options.map(o => el("li", { class: o.right || o.place ? "true" : "" },
    el("span", { class: "mark" }, el("span", { class: "after" }, o.right ? "\\u2713" : o.place ? String(o.place) : "")),
    el("span", {}, o.text), el("small", { class: "after" }, o.why)));
  return [el("p", { class: "question" }, turn.text), ...(list.length ? [el("ul", {}, ...list)] : [])];
}
function draw() {
  const known = D.items[at], was = done[known.sample_id];
  const facts = el("div", { class: "facts" }, el("b", {}, item.task || known.stratum),
    ...[item.grade && "evidence: " + item.grade.replace("_", " "), item.origin, ...(item.needs || [])].filter(Boolean).map(t => el("span", { class: "pill" }, t)));
  const left = el("section", {}, el("p", { class: "footage" }, item.footage || ""), media(item.media),
    ...item.trouble.map(t => el("p", { class: "trouble" }, t)));
  const comment = el("textarea", { id: "comment", value: drafts[known.sample_id] ?? (was ? was.comment : "") });
  comment.addEventListener("input", () => { drafts[known.sample_id] = comment.value; });
  const right = el("section", {}, facts, ...item.turns.flatMap(words),
    item.answer ? el("p", { class: "typed after" }, el("b", {}, item.kind), item.answer) : null,
    el("details", { class: "after" }, el("summary", {}, "Why, and what it rests on"),
      ...(item.why || []).concat(item.evidence || []).map(t => el("p", {}, t)), el("p", {}, "sample " + known.sample_id)),
    el("label", { htmlFor: "comment" }, "Comment (C to write, Escape to leave)"), comment);
  const below = item.pictures.length ? el("section", { class: "wide after" }, ...item.pictures.map((f, k) =>
    el("img", { src: D.files + f, alt: k ? "The answer in the picture" : "Frames and timeline with the answer" }))) : null;
  place.replaceChildren(...[left, right, below].filter(Boolean));
  for (const b of document.querySelectorAll("[data-verdict]")) b.setAttribute("aria-pressed", String(!!was && was.verdict === b.dataset.verdict));
  reveal(!D.blind || !!was);
  tell(`${at + 1} of ${D.items.length}` + (known.stratum ? `, ${known.stratum}` : ""));
}
async function go(to) {
  at = Math.max(0, Math.min(D.items.length, to));
  item = null; until = null;
  const turn = ++wanted;
  progress();
  $("back").disabled = at === 0; $("next").disabled = at >= D.items.length;
  if (at >= D.items.length) return finished();
  place.replaceChildren(el("section", { class: "wide" }, "Cutting the footage \\u2026"));
  reveal(false);
  tell(`${at + 1} of ${D.items.length}`);
  try {
    const found = D.inside ? D.inside[at] : await fetch("item/" + at).then(async r => { if (!r.ok) throw new Error(await r.text()); return r.json(); });
    if (turn === wanted) { item = found; draw(); window.scrollTo(0, 0); }
  } catch (error) {
    if (turn === wanted) place.replaceChildren(el("section", { class: "wide trouble" }, "This sample cannot be shown: " + error.message));
  }
}
function finished() {
  const left = D.items.length - Object.values(counts()).reduce((a, b) => a + b);
  place.replaceChildren(el("section", { class: "done" }, el("h2", {}, left ? `${left} samples are not judged yet` : "All samples are judged"),
    el("p", {}, D.inside ? "Save the verdicts, and give the file to `chronotope audit --import`." : "Finish, and the terminal tells the precision. What is judged is kept either way."),
    el("button", { class: "main", onclick: finish }, D.inside ? "Save the verdicts" : "Finish")));
  reveal(false);
  tell("");
}
async function judge(verdict) {
  if (!item) return;
  if (!open) { reveal(true); return; }
  const known = D.items[at], comment = $("comment").value.trim(), here = wanted;
  const kept = { verdict, comment, at: new Date().toISOString() };
  try {
    if (D.inside) {
      done[known.sample_id] = kept;
      try { localStorage.setItem(KEY, JSON.stringify(done)); } catch { tell("this browser keeps nothing: save the verdicts before you close it"); }
    } else {
      const answer = await fetch("verdict", { method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ sample_id: known.sample_id, verdict, comment }) });
      if (!answer.ok) throw new Error(await answer.text());
      done[known.sample_id] = kept;
    }
  } catch (error) { tell("not kept: " + error.message); return; }
  delete drafts[known.sample_id];
  if (here === wanted) go(at + 1);
}
async function finish() {
  if (D.inside) {
    const cell = t => '"' + String(t).replaceAll('"', '""') + '"';
    const lines = D.items.filter(i => done[i.sample_id]).map(i => {
      const d = done[i.sample_id];
      return [i.sample_id, d.verdict, d.comment, D.reviewer, D.label, d.at || ""].map(cell).join(",");
    });
    const text = ["sample_id,verdict,comment,reviewer,audit,reviewed_at", ...lines].join("\\r\\n") + "\\r\\n";
    el("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: "reviews.csv" }).click();
    return;
  }
  await fetch("finish", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
  wanted++; item = null;
  place.replaceChildren(el("section", { class: "done" }, el("h2", {}, "Thank you"), el("p", {}, "The verdicts are kept. This page can be closed.")));
  reveal(false);
  for (const b of document.querySelectorAll("footer button, #finish")) b.disabled = true;
  tell("");
}
for (const b of document.querySelectorAll("[data-verdict]")) b.addEventListener("click", () => judge(b.dataset.verdict));
$("show").addEventListener("click", () => reveal(true));
$("play").addEventListener("click", play);
$("span").addEventListener("click", playSpan);
$("back").addEventListener("click", () => go(at - 1));
$("next").addEventListener("click", () => go(at + 1));
$("finish").addEventListener("click", finish);
document.addEventListener("keydown", e => {
  if ($("finish").disabled || e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.target.tagName === "TEXTAREA") {
    if (e.key === "Escape" || (e.key === "Enter" && !e.shiftKey)) { e.target.blur(); e.preventDefault(); }
    return;
  }
  const keys = { "1": () => judge("right"), "2": () => judge("wrong"), "3": () => judge("unclear"), " ": play, p: playSpan,
    Enter: () => { if (item) reveal(true); else if (at >= D.items.length) finish(); }, ArrowLeft: () => go(at - 1), ArrowRight: () => go(at + 1),
    c: () => { const c = $("comment"); if (c) c.focus(); }, f: finish };
  const act = keys[e.key.length === 1 ? e.key.toLowerCase() : e.key];
  if (!act || e.repeat) return;
  e.preventDefault();
  if (e.target.tagName === "BUTTON") e.target.blur();
  act();
});
if (D.inside) $("finish").textContent = "Save the verdicts";
go(at);
</script>
</body>
</html>
"""
