"""Kinds of questions about a space: pure functions from what is shown of a `Space` to answers with margins and evidence.

A kind (`ask.Kind`) lists its candidates and solves one; `tasks/space_task.py` turns kinds into a task. A new kind:

    class Tallest(Kind):
        name = "tallest"                     # its wordings stand in the task's file under this name
        gravity = True                       # asked only where the z axis is vertical
        def __init__(self, ratio: float = 1.25) -> None:
            self.ratio = ratio
        def candidates(self, view):          # which two things
            for a, b in combinations(view.named(), 2):
                yield About(objects=(a.object_id, b.object_id))
        def solve(self, view, about):        # raises Withheld with a reason that can be counted
            a, b = view.asked(about, 2)
            heights = [float(np.ptp(o.box.corners[:, 2])) for o in (a, b)]
            if max(heights) < self.ratio * min(heights):
                raise Withheld("about as tall")
            tall, low = (a, b) if heights[0] > heights[1] else (b, a)
            return Solved(
                Pick(tall.label, (Wrong(low.label, OTHER_OBJECT),)), {"first": a.label, "second": b.label},
                says=f"{max(heights):.3f}", margin=abs(heights[0] - heights[1]), margin_unit="m",
                rationale=(...), labels=(a.label, b.label), sightings=(view.clearest(a), view.clearest(b)),
            )

and in a task file: `class Heights(SpaceTask[Params])` with `def kinds(self): return (Tallest(self.params.ratio),)`.
"""
