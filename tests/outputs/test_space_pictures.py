"""Pictures of space: what is drawn stands where the numbers say, on frames, in the plan and on the page that can be turned."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import s0
from chronotope.outputs.asked_space import INKS, AskedSpace, asked_space
from chronotope.outputs.overlays import MarkedTrack, draw_marks
from chronotope.outputs.pen import ANSWER, Pen
from chronotope.outputs.scene_pictures import show_scene
from chronotope.outputs.show import ShowError, show_samples
from chronotope.outputs.space_view import space_data, write_space_view
from chronotope.outputs.top_view import extent, ground, nearest, top_view
from chronotope.schemas.geometry.box3d import Box3D
from chronotope.schemas.masks import encode_mask
from chronotope.schemas.sample import Evidence, MediumRef, NumberAnswer, Sample
from PIL import Image

PLAN = (440, 400)
SCALE = (440 - 28) / 5
"""Pixels per metre of S0's floor of 5 x 4 m in that plan: the width decides."""


def pixel(x: float, y: float) -> tuple[int, int]:
    """Where a point of the floor lies in the plan."""
    return round(14 + x * SCALE), round(14 + (4 - y) * SCALE)


def colour(picture: Image.Image, at: tuple[int, int], reach: int = 2) -> set[str]:
    """Colours within some pixels of a place."""
    x, y = at
    found = np.asarray(picture)[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1].reshape(-1, 3)
    return {"#{:02x}{:02x}{:02x}".format(*c) for c in found.tolist()}


def test_what_is_asked_about_is_outlined_in_its_colour_where_it_stands() -> None:
    asked = AskedSpace(s0.s0(), ("table", "bin"), spans=(("table", "bin", "1.8 m"),))
    plan = top_view(dataclasses.replace(asked, spans=()), *PLAN)
    for name, ink in zip(asked.objects, INKS, strict=False):
        for x, y in ground(asked.space.by_id[name].box):
            assert ink in colour(plan, pixel(float(x), float(y)), 3), name
        assert ink not in colour(plan, pixel(0.2, 0.4), 3)
    plan = top_view(asked, *PLAN)
    a, b = nearest(ground(asked.space.by_id["table"].box), ground(asked.space.by_id["bin"].box))
    near_table = a + 0.25 * (b - a)
    assert ANSWER in colour(plan, pixel(float(near_table[0]), float(near_table[1])))
    assert float(np.hypot(*(b - a))) == pytest.approx(1.760, abs=1e-3)


def test_a_camera_looks_the_way_it_looks_and_an_angle_opens_to_the_side_it_says() -> None:
    asked = AskedSpace(s0.s0(), times=(0.0,))
    plan = top_view(asked, *PLAN)
    bare = np.asarray(top_view(AskedSpace(asked.space), *PLAN), np.int64)
    _, y = pixel(1.0, 0.5)
    changed = np.abs(np.asarray(plan, np.int64) - bare).sum(axis=2) > 0
    assert changed[: y - 8].sum() > 10 * changed[y + 8 :].sum()  # it faces north
    turned = AskedSpace(asked.space, ("chair3", "table", "sofa"), angle=("chair3", "table", "sofa", 60.0))
    green = colour(top_view(turned, *PLAN), pixel(*_between(turned, "chair3", "sofa")), 3)
    assert ANSWER in green


def _between(asked: AskedSpace, one: str, other: str) -> tuple[float, float]:
    a, b = (np.asarray(asked.space.by_id[n].box.centre[:2]) for n in (one, other))
    middle = a + 0.5 * (b - a)
    return float(middle[0]), float(middle[1])


def test_the_outline_from_above_of_a_tilted_box_holds_all_its_corners() -> None:
    c, s = np.cos(0.5), np.sin(0.5)
    box = Box3D((1.0, 2.0, 1.0), (c, 0.0, s, 0.0, 1.0, 0.0, -s, 0.0, c), (1.0, 0.5, 0.8))
    outline = ground(box)
    assert 4 <= len(outline) <= 8
    assert outline.min(axis=0) == pytest.approx(box.corners[:, :2].min(axis=0))
    assert outline.max(axis=0) == pytest.approx(box.corners[:, :2].max(axis=0))
    low, high = extent(s0.s0())
    assert (low.tolist(), high.tolist()) == ([0.0, 0.0], [5.0, 4.0])


def test_boxes_masks_and_trails_are_drawn_at_their_times_and_not_where_nothing_is_known() -> None:
    mask = np.zeros((100, 100), bool)
    mask[40:60, 20:40] = True
    rows = tuple(
        {"t_s": t, "x1": 0.2 + t, "y1": 0.4, "x2": 0.4 + t, "y2": 0.6, "mask": encode_mask(mask) if t == 0 else None}
        for t in (0.0, 0.2, 0.4)
    )
    track = MarkedTrack("red cart", INKS[0], rows)

    def drawn(t_s: float, **how: Any) -> Image.Image:
        picture = Image.new("RGB", (200, 200), "#808080")
        draw_marks(Pen(picture), (0, 0, 200, 200), t_s, [track], **how)
        return picture

    at_start = drawn(0.0)
    assert INKS[0] in colour(at_start, (40, 100), 2)
    assert at_start.getpixel((60, 100)) != (128, 128, 128)  # tinted by its mask
    assert at_start.getpixel((120, 100)) == (128, 128, 128)
    between = drawn(0.1)
    assert INKS[0] in colour(between, (60, 100), 2)
    assert between.getpixel((90, 100)) == (128, 128, 128)  # no mask was stored for this time
    assert drawn(0.8).getcolors() == [(40000, (128, 128, 128))]
    assert INKS[0] in colour(drawn(0.4, trails=True), (100, 100), 2)


def test_the_page_in_three_dimensions_turns_shows_all_things_and_fetches_nothing(tmp_path: Path, opened: Any) -> None:
    asked = AskedSpace(s0.s0(), ("table",))
    data = space_data(asked)
    assert sorted(t["name"] for t in data["things"]) == sorted(o.phrase for o in asked.space.objects)
    assert len(data["cameras"]) == 4
    assert len(data["colours"]) == len(data["points"])
    page = tmp_path / "space.html"
    write_space_view(page, "S0 </script>", asked)
    window, troubles = opened(page.as_uri(), viewport={"width": 900, "height": 700})
    before = window.evaluate("document.getElementById('view').toDataURL()")
    window.locator("#view").focus()
    window.keyboard.press("ArrowLeft")
    after = window.evaluate("document.getElementById('view').toDataURL()")
    assert len(before) > 5000
    assert before != after
    assert window.locator("tbody tr").count() == 9
    assert not troubles
    window.close()


@pytest.fixture
def shown(world: Any, make: Any) -> tuple[Any, str]:
    """S0 as a dataset: a film of 4 s in grey, its rows, and a question about a distance."""
    film = make.film(world.root.parent / "room.mp4", seconds=4)
    media_id = world.film(film, duration_s=4.0, title="room.mp4")
    cited = []
    for table, rows in s0.s0_rows().items():
        for row in rows:
            values = {k: v for k, v in row.items() if k not in ("row_id", "producer", "unit", "media_id")}
            world.add(table, values, media_id, media_id)
            stored = world.rows[table][-1]
            if table == "scenes" or (table == "boxes3d" and row["object_id"] in ("table", "lamp")):
                cited.append(Evidence(table=table, row_id=stored["row_id"], values={"object_id": row.get("object_id")}))
    cited = [e if e.table == "boxes3d" else Evidence(table=e.table, row_id=e.row_id, values={}) for e in cited]
    sample = make.sample(
        media_id, ("<video>\nHow far is the lamp from the table, in metres?", "1.6"), NumberAnswer(value=1.6, unit="m"),
        media=(MediumRef(media_id=media_id, start_s=0.0, end_s=4.0),), evidence=tuple(cited),
        difficulty={"objects": 2.0, "cameras": 0.0},
    )  # fmt: skip
    return world, world.sample(sample)


def test_a_sample_about_a_room_is_shown_with_its_boxes_and_the_room_from_above(shown: tuple[Any, str]) -> None:
    world, sample_id = shown
    with world.catalog() as catalog:
        pages = show_samples(world.root, ids=[sample_id], folder=world.root.parent / "pictures")
        row = catalog.rows("SELECT * FROM samples WHERE sample_id = ?", [sample_id])[0]
        asked = asked_space(catalog, Sample.from_row(row))
    assert asked is not None
    assert set(asked.objects) == {"table", "lamp"}
    assert asked.spans == ((*asked.objects, "1.6 m"),)
    card = Image.open(pages.pictures[0])
    inks = {f"#{r:02x}{g:02x}{b:02x}" for _, (r, g, b) in card.getcolors(1 << 20)}
    assert {INKS[0], INKS[1], ANSWER} <= inks
    assert "The room from above" in pages.page.read_text(encoding="utf-8")


def test_a_scene_is_drawn_without_a_sample_and_what_has_none_is_refused_by_name(shown: tuple[Any, str]) -> None:
    world, _ = shown
    with world.catalog():
        pass
    made = show_scene(world.root, "room", world.root.parent / "scene")
    assert made.plan.exists()
    assert "table" in made.page.read_text(encoding="utf-8")
    assert made.frames is not None
    with pytest.raises(ShowError, match="media with a scene"):
        show_scene(world.root, "kitchen")


def test_a_space_without_a_floor_plan_is_drawn_all_the_same() -> None:
    space = s0.s0()
    bare = dataclasses.replace(space, scene={**space.scene, "polygon": None, "scale_status": "unit"})
    assert top_view(AskedSpace(bare), *PLAN).size[0] == PLAN[0]
