"""A scene as a page that can be turned: boxes, surface points, the camera's way; plain script on a canvas, nothing to fetch.

Drag to turn, wheel or + and - to come nearer, arrow keys to turn, a slider for the time of what moves and of the camera. Below
it stands the same as a table, for readers who do not see the picture.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from ..schemas.geometry.camera import Camera
from ..schemas.space import SpaceObject
from .asked_space import AskedSpace
from .top_view import extent

_MOST_POINTS = 24_000
_REST = (150, 158, 168)
_WALL = 1.5
"""Walls are shown up to this height above the floor, and no ceiling."""


def write_space_view(page: Path, title: str, asked: AskedSpace) -> None:
    """Write the page of a space to `page`."""
    data = json.dumps(space_data(asked), separators=(",", ":"))
    filled = _PAGE.replace("{{title}}", escape(title)).replace("{{table}}", _table(asked.space.objects))
    page.write_text(filled.replace("{{data}}", data.replace("<", "\\u003c")), encoding="utf-8")


def space_data(asked: AskedSpace) -> dict[str, Any]:
    """What the page draws: metres rounded to millimetres, colours as red, green, blue."""
    space = asked.space
    low, high = extent(space)
    floor = space.scene.get("floor_z") or 0.0
    points, colours = _points(asked)
    return {
        "middle": [*(round(float(v), 3) for v in (low + high) / 2), round(float(floor) + 0.8, 3)],
        "reach": round(float(np.hypot(*(high - low))), 3),
        "floor": round(float(floor), 3),
        "polygon": [round(float(v), 3) for v in space.scene.get("polygon") or ()],
        "things": [_thing(o, asked) for o in space.objects],
        "cameras": [_camera(c) for c in space.cameras],
        "points": points,
        "colours": colours,
    }


def _thing(thing: SpaceObject, asked: AskedSpace) -> dict[str, Any]:
    return {
        "name": thing.phrase,
        "ink": asked.ink(thing.object_id) or "",
        "times": [round(t, 3) for t in thing.times],
        "corners": [[round(float(v), 3) for v in box.corners.ravel()] for box in thing.boxes],
    }


def _camera(camera: Camera) -> list[float]:
    """Time, place, and the four corners of its picture half a metre ahead."""
    u, v = np.array([0, camera.width, camera.width, 0.0]), np.array([0, 0, camera.height, camera.height])
    ahead = camera.back_project(np.stack([u, v], axis=1), np.full(4, 0.5))
    return [round(float(x), 3) for x in (camera.t_s, *camera.centre, *ahead.ravel())]


def _points(asked: AskedSpace) -> tuple[list[float], list[int]]:
    """Surface points with their colours, evenly thinned out."""
    places, colours = [], []
    top = (asked.space.scene.get("floor_z") or 0.0) + _WALL
    rows = [*(r for o in asked.space.objects if not o.moving for r in o.points_rows), *asked.space.rest_rows]
    for row in rows:
        xyz = np.asarray(row["xyz"] or (), np.float64).reshape(-1, 3)
        rgb = np.frombuffer(row.get("rgb") or b"", np.uint8).reshape(-1, 3)
        if len(rgb) != len(xyz):
            rgb = np.tile(np.array(_REST, np.uint8), (len(xyz), 1))
        low = xyz[:, 2] < top if not row["object_id"] else np.ones(len(xyz), bool)
        places.append(xyz[low])
        colours.append(rgb[low])
    if not places:
        return [], []
    every, inks = np.concatenate(places), np.concatenate(colours)
    kept = np.linspace(0, len(every) - 1, min(len(every), _MOST_POINTS)).astype(np.int64)
    return [round(float(v), 2) for v in every[kept].ravel()], [int(v) for v in inks[kept].ravel()]


def _table(things: Sequence[SpaceObject]) -> str:
    rows = "".join(
        f"<tr><td>{escape(o.phrase)}</td><td>{' x '.join(f'{v:.2f}' for v in o.box.size)}</td>"
        f"<td>{', '.join(f'{v:.2f}' for v in o.box.centre)}</td><td>{'moves' if o.moving else 'stays'}</td></tr>"
        for o in sorted(things, key=lambda o: (o.phrase, o.object_id))
    )
    return f"<table><thead><tr><th>Thing</th><th>Size, m</th><th>Centre, m</th><th></th></tr></thead><tbody>{rows}</tbody></table>"


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title>
<style>
body { margin: 0; background: #eef1f5; color: #17202b; font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 16px; }
h1 { font-size: 22px; margin: 0 0 4px; overflow-wrap: anywhere; }
p { margin: 0 0 10px; color: #566374; }
canvas { width: 100%; height: 68vh; display: block; background: #fff; border: 1px solid #d5dbe3; border-radius: 10px; touch-action: none; cursor: grab; }
canvas:focus-visible { outline: 3px solid #2563ab; }
form { display: flex; flex-wrap: wrap; gap: 8px 20px; padding: 10px 2px; align-items: center; }
input[type=range] { width: min(360px, 60vw); vertical-align: middle; }
table { border-collapse: collapse; background: #fff; }
th, td { text-align: left; padding: 4px 14px; border-bottom: 1px solid #d5dbe3; }
</style>
</head>
<body>
<main>
<h1>{{title}}</h1>
<p>Drag to turn, wheel or + and - to come nearer, arrow keys to turn.</p>
<canvas id="view" tabindex="0" role="img" aria-label="The scene in three dimensions; the table below says the same in words"></canvas>
<form>
<label>Time <input id="time" type="range" min="0" max="0" step="1" value="0"> <output id="now"></output></label>
<label><input id="names" type="checkbox" checked> names</label>
<label><input id="dots" type="checkbox" checked> surfaces</label>
<label><input id="way" type="checkbox" checked> camera</label>
</form>
<details><summary>As a table</summary>{{table}}</details>
</main>
<script>
const data = {{data}};
const canvas = document.getElementById("view"), pen = canvas.getContext("2d");
const get = id => document.getElementById(id);
let yaw = -0.9, pitch = 0.75, far = data.reach * 1.7, wide = 0, high = 0;
const EDGES = [[0,1],[2,3],[4,5],[6,7],[0,2],[1,3],[4,6],[5,7],[0,4],[1,5],[2,6],[3,7]];
get("time").max = Math.max(0, data.cameras.length - 1);
function eye(x, y, z) {
  x -= data.middle[0]; y -= data.middle[1]; z -= data.middle[2];
  const a = x * Math.cos(yaw) + y * Math.sin(yaw), b = -x * Math.sin(yaw) + y * Math.cos(yaw);
  const depth = far + b * Math.cos(pitch) - z * Math.sin(pitch), up = b * Math.sin(pitch) + z * Math.cos(pitch);
  if (depth < 0.05) return null;
  const f = Math.min(wide, high * 1.4) * 1.15 / depth;
  return [wide / 2 + a * f, high / 2 - up * f, depth, f];
}
function line(points, ink, width, closed) {
  pen.beginPath();
  let on = false;
  for (const q of closed ? [...points, points[0]] : points) {
    const s = eye(q[0], q[1], q[2]);
    if (!s) { on = false; continue; }
    if (on) pen.lineTo(s[0], s[1]); else pen.moveTo(s[0], s[1]);
    on = true;
  }
  pen.strokeStyle = ink; pen.lineWidth = width; pen.stroke();
}
function triples(list) { const out = []; for (let i = 0; i + 2 < list.length; i += 3) out.push([list[i], list[i+1], list[i+2]]); return out; }
function draw() {
  const ratio = window.devicePixelRatio || 1;
  wide = canvas.clientWidth; high = canvas.clientHeight;
  canvas.width = wide * ratio; canvas.height = high * ratio;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const camera = data.cameras[+get("time").value], now = camera ? camera[0] : 0;
  get("now").value = camera ? now.toFixed(2) + " s" : "";
  if (data.polygon.length) {
    const floor = []; for (let i = 0; i < data.polygon.length; i += 2) floor.push([data.polygon[i], data.polygon[i+1], data.floor]);
    line(floor, "#17202b", 2, true);
  }
  if (get("dots").checked) {
    const dots = [];
    for (let i = 0; i < data.points.length; i += 3) {
      const s = eye(data.points[i], data.points[i+1], data.points[i+2]);
      if (s) dots.push([...s, i]);
    }
    dots.sort((a, b) => b[2] - a[2]);
    for (const [x, y, , f, i] of dots) {
      pen.fillStyle = "rgb(" + data.colours[i] + "," + data.colours[i+1] + "," + data.colours[i+2] + ")";
      const size = Math.max(1.5, 0.018 * f);
      pen.fillRect(x, y, size, size);
    }
  }
  const names = [];
  for (const thing of data.things) {
    let k = 0;
    while (k + 1 < thing.times.length && thing.times[k+1] <= now + 1e-6) k++;
    const c = triples(thing.corners[k]), ink = thing.ink || (thing.times.length > 1 ? "#b45f06" : "#566374");
    for (const [a, b] of EDGES) line([c[a], c[b]], ink, thing.ink ? 3 : 1.4, false);
    if (thing.times.length > 1)
      line(thing.corners.map(v => { const t = triples(v); return [0,1,2].map(j => t.reduce((s, q) => s + q[j], 0) / 8); }), ink, 1.5, false);
    const top = eye(...[0,1].map(j => c.reduce((s, q) => s + q[j], 0) / 8), Math.max(...c.map(q => q[2])));
    if (top) names.push([top[2], top[0], top[1], thing.name, ink]);
  }
  if (get("way").checked && camera) {
    line(data.cameras.map(c => c.slice(1, 4)), "#2563ab", 2, false);
    const at = camera.slice(1, 4), ahead = triples(camera.slice(4));
    line(ahead, "#2563ab", 2, true);
    for (const q of ahead) line([at, q], "#2563ab", 2, false);
  }
  if (get("names").checked) {
    pen.font = "600 13px system-ui, sans-serif"; pen.textAlign = "center";
    const taken = [];
    for (const [, x, y, name, ink] of names.sort((a, b) => a[0] - b[0])) {
      const w = pen.measureText(name).width / 2 + 3;
      if (taken.some(t => Math.abs(t[0] - x) < t[2] + w && Math.abs(t[1] - y) < 16)) continue;
      taken.push([x, y, w]);
      pen.fillStyle = "rgba(255,255,255,0.85)"; pen.fillRect(x - w, y - 18, 2 * w, 16);
      pen.fillStyle = ink; pen.fillText(name, x, y - 6);
    }
  }
}
let held = null;
canvas.addEventListener("pointerdown", e => { held = [e.clientX, e.clientY]; canvas.setPointerCapture(e.pointerId); });
canvas.addEventListener("pointermove", e => {
  if (!held) return;
  turn((e.clientX - held[0]) * 0.008, (e.clientY - held[1]) * 0.008); held = [e.clientX, e.clientY];
});
canvas.addEventListener("pointerup", () => { held = null; });
canvas.addEventListener("wheel", e => { e.preventDefault(); nearer(Math.exp(e.deltaY * 0.001)); }, { passive: false });
canvas.addEventListener("keydown", e => {
  const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[e.key];
  if (step) turn(...step); else if (e.key === "+") nearer(0.9); else if (e.key === "-") nearer(1.1); else return;
  e.preventDefault();
});
function turn(a, b) { yaw -= a; pitch = Math.min(1.55, Math.max(-0.2, pitch + b)); draw(); }
function nearer(by) { far = Math.min(8 * data.reach, Math.max(0.3, far * by)); draw(); }
for (const id of ["time", "names", "dots", "way"]) get(id).addEventListener("input", draw);
window.addEventListener("resize", draw);
draw();
</script>
</body>
</html>
"""
