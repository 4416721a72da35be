"""What composed films tell: themes with palettes, sentences to speak and words to put on signs.

A theme binds a backdrop to lines about one matter, so that picture, lettering and narration belong together.
Lines hold plain words only (no numbers, no abbreviations), each line and each sign is unique, and all text
was written for this project.
"""

from dataclasses import dataclass
from typing import Literal

from .drawing import Rgb


@dataclass(frozen=True)
class Theme:
    """A world to film: its backdrop, its colours (far to near or dark to light), its lines and lettering."""

    name: str
    backdrop: Literal["hills", "planks", "tiles"]
    sky: tuple[Rgb, ...]
    ground: tuple[Rgb, ...]
    lines: tuple[str, ...]
    signs: tuple[str, ...]
    lost_colours: tuple[str, ...]  # names of colours that would drown in this backdrop


THEMES: tuple[Theme, ...] = (
    Theme(
        "kitchen",
        "planks",
        (),
        ((104, 62, 34), (158, 102, 58), (212, 160, 104)),
        (
            "Cut the onions into small pieces.",
            "Melt some butter in a heavy pan.",
            "The soup needs a little more salt.",
            "Stir the sauce until it becomes thick.",
            "Let the bread cool next to the window.",
            "Add the tomatoes and cover the pot.",
            "Wash the rice in plenty of cold water.",
            "With a sharp knife the work is easy.",
            "Taste everything before you serve it.",
            "The cake stays in the oven for an hour.",
            "Slice the lemon and squeeze out the juice.",
            "Mix the flour with warm milk and sugar.",
            "Keep the water very hot for the tea.",
            "Fresh herbs go in at the very end.",
            "The children are waiting for their dinner.",
            "Turn the fish over when it looks golden.",
        ),
        ("FRESH BREAD", "HOT SOUP", "Lunch is ready", "Apple pie", "OPEN KITCHEN", "Add more salt",
         "TEA AND CAKE", "Wash your hands", "SUGAR", "Dinner time", "BUTTER AND MILK", "Good morning"),
        ("brown", "orange"),
    ),
    Theme(
        "workshop",
        "tiles",
        (),
        ((52, 98, 120), (104, 152, 170), (196, 216, 216)),
        (
            "First we loosen the rusty screws.",
            "The old clock has stopped again.",
            "Please bring the lamp a little closer.",
            "The broken wheel is easy to replace.",
            "Clean the parts with a soft cloth.",
            "The hammer hangs beside the door.",
            "Now the engine runs without any noise.",
            "Measure the board before you cut it.",
            "The woman painted the table with a small brush.",
            "It will be dry again tomorrow morning.",
            "Put the tools back on the shelf.",
            "This bicycle needs a new front wheel.",
            "My father will repair the machine with a hammer.",
            "The radio plays quietly in the corner.",
            "Every drawer has its own label.",
            "Some oil will help the old machine.",
        ),
        ("TOOLS", "Wet paint", "DANGER", "No smoking", "REPAIR SHOP", "Push the button",
         "SPARE PARTS", "Keep clear", "EXIT", "Fix it yourself", "CLEAN WATER", "Safety first"),
        ("blue", "white"),
    ),
    Theme(
        "journey",
        "hills",
        ((120, 182, 240), (206, 228, 244), (250, 240, 214)),
        ((178, 196, 186), (120, 164, 100), (74, 124, 66), (42, 80, 48)),
        (
            "The train leaves the city early.",
            "Beyond the hills lies a quiet village.",
            "We follow the river toward the coast.",
            "The road climbs slowly to the pass.",
            "A traveler asks for the way home.",
            "Our bus waits in front of the market.",
            "From the tower you can see the whole valley.",
            "Our map shows a bridge behind the forest.",
            "They carry everything across the bridge.",
            "The last boat crosses the lake in the evening.",
            "Many people visit the castle in summer.",
            "The driver waits at the station.",
            "A narrow path leads around the mountain.",
            "We sleep for one hour under a big tree.",
            "Tomorrow we will reach the border.",
            "The hotel is near a beautiful garden.",
        ),
        ("BUS STOP", "To the station", "MOUNTAIN ROAD", "Welcome home", "TICKETS", "Slow down",
         "RIVER BRIDGE", "Turn left here", "CITY CENTER", "Have a nice trip", "HOTEL", "Long way"),
        ("green",),
    ),
    Theme(
        "evening",
        "hills",
        ((96, 112, 190), (206, 150, 172), (252, 206, 150)),
        ((186, 160, 192), (140, 110, 160), (94, 78, 130), (56, 52, 96)),
        (
            "The sun goes down behind the mountains.",
            "An owl calls from the old barn.",
            "The wind moves softly through the grass.",
            "Soon the first stars will appear.",
            "A fox runs along the edge of the field.",
            "The lake is as smooth as a mirror.",
            "Two horses come out of the dark forest.",
            "Warm light shines from the open window.",
            "The birds return to their nests.",
            "Rain clouds gather over the sea.",
            "The men bring their boats home from the sea.",
            "Nobody hears the snow falling in the valley.",
            "The moon rises above the silent trees.",
            "Cows walk slowly back to the stable.",
            "A cold breeze comes from the north.",
            "The day ends with a song.",
        ),
        ("GOOD NIGHT", "Quiet please", "LIGHT HOUSE", "Closed today", "NIGHT MARKET", "Look up",
         "HARBOR", "Sweet dreams", "MUSIC HALL", "Last boat home", "STAR GARDEN", "See you soon"),
        ("purple", "black", "brown"),
    ),
    Theme(
        "garden",
        "hills",
        ((170, 214, 236), (220, 238, 226), (252, 246, 220)),
        ((200, 206, 130), (236, 190, 84), (206, 138, 62), (150, 84, 50)),
        (
            "Many bees visit the yellow flowers.",
            "Plant the seeds before the rain comes.",
            "The apples will be ripe in autumn.",
            "My mother gives the flowers water every day.",
            "A snail crosses the wet stone slowly.",
            "The gate makes a noise when you open it.",
            "The yellow pumpkins grow near the fence.",
            "Some birds eat the apples from the tree.",
            "We make a hole for the young plant.",
            "A black cat is asleep under the table.",
            "We pick the beans in the morning.",
            "Dry leaves cover the ground.",
            "The tools are in the little house.",
            "A green frog jumped into the water.",
            "The farmer sells honey and eggs.",
            "The carrots need very soft ground.",
        ),
        ("HONEY", "Fresh eggs", "ROSE GARDEN", "Water daily", "FARM SHOP", "Pick your own",
         "GREEN APPLES", "Close the gate", "FLOWERS", "Beware of bees", "SEEDS", "Harvest time"),
        ("orange", "brown", "yellow"),
    ),
)  # fmt: skip
"""The themes in their fixed order."""
