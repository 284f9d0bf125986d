"""The conditions under which digits are photographed, scanned and captured: one row each."""

from functools import partial
from typing import Any

from experiments.data.archive import DatasetError
from experiments.evaluation.photographed import camera, paper, writing
from experiments.evaluation.photographed.photograph import BLACK, BLUE, GREEN, RED, Condition

SCREEN: dict[str, Any] = {
    "paper": (255, 255, 255),
    "tints": (BLACK,),
    "turn": 0,
    "light": camera.even,
    "blur": 0,
    "noise": 0,
    "encode": camera.png,
}
SCAN: dict[str, Any] = {
    "light": camera.even,
    "blur": 0.6,
    "noise": 2,
    "paper": (248, 248, 246),
    "turn": 3,
    "encode": camera.grey_png,
}
DARK: dict[str, Any] = {"paper": (48, 46, 44), "tints": (BLACK,)}
BOARD: dict[str, Any] = {"paper": (52, 66, 58), "tints": (BLACK,), "contrast": -130, "texture": writing.chalk}
ON_TABLE: dict[str, Any] = {"covers": (0.4, 0.9), "height": 120, "turn": 12, "tilt": 0.1}
WIDE_RULED = partial(paper.ruled, lines=1.8)
WIDE_GREY_RULED = partial(paper.ruled, lines=1.8, colour=paper.GREY_LINE)
GREY_SQUARED = partial(paper.squared, squares=0.9, colour=paper.GREY_LINE)
DARK_SQUARED = partial(paper.squared, squares=3, colour=(140, 140, 140))

_ROWS = (
    # Size
    Condition("plain photo", "the usual picture from a phone"),
    Condition("digit an eighth of it", "held too far away, and not cropped", height=80, pen=(0.07, 0.1)),
    Condition("40 px of 640", "a digit on a whole page", height=40, pen=(0.08, 0.12)),
    Condition("60 px of 1000", "the same by a better camera", height=60, side=1000, pen=(0.08, 0.12)),
    Condition("fills the photo", "held very near", height=440, side=640, aspects=(1,)),
    Condition("in a corner", "nobody centres a digit", height=120, place=(0.02, 0.06)),
    Condition("near the border", "cropped by hand", height=390, side=480, aspects=(1,), turn=2),
    # Writing tools
    Condition("ballpoint", "a thin line on a large digit", pen=(0.015, 0.025), contrast=130),
    Condition("pencil", "grey and grainy", pen=(0.03, 0.05), contrast=85, tints=(BLACK,), texture=writing.pencil),
    Condition("felt pen", "strokes as wide as the gaps", pen=(0.1, 0.14), tints=(BLACK, BLUE, RED, GREEN)),
    Condition("marker", "loops nearly closed by ink", pen=(0.15, 0.19), contrast=185),
    Condition("faint, 60 levels", "an old pen", contrast=60),
    Condition("faint, 30 levels", "a hard pencil by weak light", contrast=30, tints=(BLACK,)),
    Condition("faint and small", "both at once", contrast=30, height=60, pen=(0.08, 0.12), tints=(BLACK,)),
    # Paper
    Condition("ruled, one line high", "school paper", height=110, printed=(paper.ruled,)),
    Condition("ruled, over two lines", "lines through the digit", height=200, printed=(WIDE_RULED,)),
    Condition("squared, 5 mm", "digits two squares high", height=120, printed=(paper.squared,)),
    Condition("squared, one digit a square", "sums in a school book", height=80, printed=(GREY_SQUARED,)),
    Condition("squared, dark lines", "a cheap block", height=160, printed=(DARK_SQUARED,)),
    Condition("dotted", "a grid of dots", height=120, printed=(paper.dotted,)),
    Condition("red margin", "the line beside which one writes", height=110, printed=(paper.ruled, paper.margin_line)),
    Condition("framed", "a box drawn around it", height=180, printed=(paper.frame,)),
    Condition("cell of a form", "postcodes, marks", height=90, pen=(0.07, 0.1), printed=(paper.cells,)),
    Condition("circled", "the answer to a sum", height=180, marks=(writing.circle,)),
    Condition("underlined", "likewise", height=180, marks=(writing.underline,)),
    Condition("other writing at the border", "cut out of a page", height=200, turn=0, marks=(writing.cut_off,)),
    Condition("ring binder", "punched holes", height=180, printed=(paper.holes,)),
    Condition("stained", "a coffee cup", height=180, printed=(paper.stain,)),
    Condition("folded", "a crease beside or under the digit", height=180, printed=(paper.crease,)),
    Condition("printed on the other side", "words show through", height=180, printed=(paper.other_side,)),
    Condition("brown paper", "an envelope", paper=(188, 160, 122), contrast=110),
    # Grounds
    Condition("sheet on a dark table", "more than the sheet is seen", **ON_TABLE, ground=paper.dark_table),
    Condition(
        "small sheet on a dark table",
        "paper is the lesser part",
        **ON_TABLE | {"covers": (0.25, 0.5)},
        ground=paper.dark_table,
    ),
    Condition("sheet on wood", "a ground with lines of its own", **ON_TABLE, ground=paper.wood),
    Condition("sheet on cloth", "a ground nearly as light as paper", **ON_TABLE, ground=paper.cloth),
    Condition("sticky note", "yellow, on wood", **ON_TABLE, ground=paper.wood, paper=(248, 228, 120)),
    Condition("held by fingers", "in the hand, not on a table", height=160, turn=2, printed=(paper.fingers,)),
    # Boards and light on dark
    Condition(
        "whiteboard",
        "coloured markers, reflections",
        paper=(222, 228, 230),
        tints=(BLACK, BLUE, RED, GREEN),
        pen=(0.06, 0.1),
        printed=(paper.smears,),
        light=camera.flash,
    ),
    Condition("blackboard", "chalk, not quite wiped", **BOARD, printed=(paper.smears,)),
    Condition("blackboard, small digit", "from the back row", **BOARD, height=70, pen=(0.09, 0.12)),
    Condition("white pen on black card", "light on dark", **DARK, contrast=-150),
    Condition("light on dark, faint", "30 levels", **DARK, contrast=-30),
    Condition("light on dark, small", "a tenth of the photo", **DARK, contrast=-130, height=60, pen=(0.08, 0.12)),
    Condition("light on dark, by night", "with a camera's noise", **DARK, contrast=-70, noise=8, colour_noise=9),
    Condition(
        "black card on wood", "the sheet is darker than the table", **DARK | ON_TABLE, ground=paper.wood, contrast=-150
    ),
    Condition("photo of a screen", "dark mode by a phone", **DARK, contrast=-150, printed=(paper.screen,)),
    # Light and camera
    Condition("shadow's edge", "the phone's own shadow across the digit", light=camera.shadow_edge),
    Condition("lamp", "dark corners", light=camera.lamp),
    Condition("flash", "burnt out beside the digit", light=camera.flash),
    Condition("night", "coloured noise, soft", paper=(120, 112, 96), contrast=75, noise=8, colour_noise=9, blur=1.4),
    Condition("blurred", "out of focus", blur=4),
    Condition("JPEG, quality 20", "sent from program to program", encode=partial(camera.jpeg, quality=20)),
    Condition("JPEG of 37 kB", "what a messenger leaves", side=1000, encode=partial(camera.jpeg_within, size=37_000)),
    Condition("turned", "up to 15°", turn=15),
    Condition("tilted", "seen from one side", tilt=0.25, printed=(partial(paper.ruled, lines=0.7),), height=160),
    # Scans
    Condition("scan, 300 dpi", "8 mm high, dust on the glass", **SCAN, side=1000, height=95, printed=(paper.dust,)),
    Condition("scan, ruled", "grey lines", **SCAN, height=110, printed=(WIDE_GREY_RULED,)),
    Condition("scan, squared", "light blue lines", **SCAN, height=120, printed=(paper.squared,)),
    Condition("scan, inverted", "microfilm", **SCAN | {"paper": (28, 28, 28)}, height=120, contrast=-180),
    Condition("fax", "one bit", **SCAN | {"encode": camera.bilevel}, height=120, printed=(paper.dust,)),
    # Programs
    Condition(
        "white sheet on a grey page", "a screenshot", **SCREEN, ground=paper.grey_page, covers=(0.3, 0.8), height=150
    ),
    Condition("dark mode", "a screenshot", **SCREEN | {"paper": (24, 24, 27)}, contrast=-200),
    Condition("line along the picture's edge", "a bordered canvas", **SCREEN, printed=(paper.border,), side=400),
    Condition("transparent PNG", "a canvas's toDataURL", **SCREEN | {"encode": camera.transparent}, contrast=255),
    Condition(
        "transparent PNG, white ink",
        "the same of a dark page",
        **SCREEN | {"encode": partial(camera.transparent, colour=255)},
        contrast=255,
    ),
    Condition("16 bits, low contrast", "laboratory cameras", **SCREEN | {"encode": camera.deep}, contrast=30),
    Condition(
        "12 bits of 16",
        "X-ray; levels of the bits that are used",
        **SCREEN | {"encode": partial(camera.deep, bits=12)},
        contrast=150,
    ),
    Condition(
        "8×8 enlarged",
        "scikit-learn's digits; little is left to see",
        **SCREEN | {"encode": partial(camera.enlarged, times=10)},
        place=(0.4, 0.5),
        height=7,
        side=8,
        aspects=(1,),
        pen=(0.14, 0.16),
        contrast=240,
    ),
    Condition(
        "16×16 enlarged",
        "thumbnails",
        **SCREEN | {"encode": partial(camera.enlarged, times=12, smoothly=True)},
        place=(0.4, 0.5),
        height=13,
        side=16,
        aspects=(1,),
        pen=(0.1, 0.14),
        contrast=240,
    ),
)
CONDITIONS = {condition.name: condition for condition in _ROWS}
"""By name. In all but the last two the digit is at least 40 px high, and in all the ink at least 30 levels."""


def choose(part: str) -> list[str]:
    """The names that contain this; all for an empty one. Raises DatasetError if there are none."""
    if names := [name for name in CONDITIONS if part in name]:
        return names
    raise DatasetError(f"No condition's name contains {part!r}. The table has: {'; '.join(CONDITIONS)}.")
