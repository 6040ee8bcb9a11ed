"""Lay teeth behind the moved lips of a photo: chosen once, rigid, in the photo's light.

Reads, writes: nothing. Where a tooth's edge lies cannot be told from shut lips: a network that has to guess draws the mean of
all guesses, a white band, and another one in each frame. So the upper row is fixed to the skull and the lower one to the
jaw, and the lips uncover them. A photo that shows teeth keeps its own.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import face68
from render.parts.dentition import ENAMEL, row_of_teeth
from render.parts.part import lip_outline
from render.parts.softness import SEEN_PX, blur_of
from render.parts.view import PartView
from render.photo import Photo

EDGE, OVERBITE = 0.035, 0.015  # eye distances: the upper teeth's edge below the line of shut lips; the lower ones' above it
MOUTH_WIDTH, SCALES = 0.80, (0.88, 1.12)  # eye distances a mouth is wide at rest; how much smaller or larger teeth may be
OPEN = 0.014, 0.045  # eye distances between the lips: teeth begin to show, and are whole
OWN = 0.05, 0.25  # the same of a photo that shows its own teeth; beyond, its tongue as well, which is not rigid
FROM_PX, WHOLE_PX = 45, 90  # of an eye distance: smaller photos leave drawn teeth to the painter, larger ones show them whole
PALER, SHARE = 0.75, 0.35  # teeth have less of a hue than lips, of theirs; share of what lies between the lips
GREY, LIGHTER = 0.08, 1.15  # lips of less hue are those of a photo without colours; how much lighter than they teeth are there
SHADED = 0.7  # of the lips' light that the teeth at the corners have
LESS_RED = 0.65  # than lips, a tooth is at least by this
EDGE_DROP, EDGE_FROM = 0.8, 0.035  # share of a tooth's light that ends it; eye distances below the upper lip that it begins
EDGE_SMOOTH = 0.09, 0.014  # eye distances of a median, and of a Gaussian, along the edge of the photo's own teeth
BELOW, BOW_ROUNDS = 0.015, 15  # eye distances that a tooth may be longer than its neighbours tell
SHADOW, SHADE = 0.05, 0.45  # eye distances below the upper lip that lie in its shadow; the light on its deepest
CORNERS = 1.15, 0.75  # the light falls by the latter towards the corners
LIGHT, SKIN = (0.35, 0.65), 0.70  # of the teeth: always, and by the light on the skin; a light skin in good light, 0..1
HUE, PALE = 0.5, (1.16, 0.96, 0.88)  # how much of the skin's hue lies in its light; that of skin in white light
BEHIND = np.array((0.83, 0.77, 0.73))  # of the light, on the lower teeth: it comes from the lip and the tongue
DEPTH, TONGUE = np.array((0.20, 0.09, 0.085)), np.array((0.58, 0.32, 0.31))  # behind the teeth; towards the lower lip
PAINTED = 0.15  # of what lies there, the painter's
MATCH, GAINS = 0.5, (0.6, 1.25)  # how far the mean colour follows the painter's, which knows when teeth are seen; at most
SAMPLED = 0.3  # px a picture is blurred by when it is sampled
_INNER = slice(60, 65)
_CHIN = slice(6, 11)


def pale(picture: NDArray, lips: NDArray, lightness: float = 1.0) -> NDArray:
    """What of a picture, uint8 [row, column, rgb], is as pale and light as teeth beside `lips`, bool [row, column]: bool.

    `lightness`, of the lips', that will do.
    """
    if not lips.any():
        return np.zeros(lips.shape, bool)
    value = picture.max(2).astype(np.float32)
    hue = 1 - picture.min(2) / np.maximum(value, 1)
    if np.median(hue[lips]) < GREY:  # without hues light alone tells
        return value > LIGHTER * np.median(value[lips])
    return (hue < PALER * np.median(hue[lips])) & (value > lightness * np.median(value[lips]))


def _less_red(picture, lips):
    """What may be a tooth, be it yellow: lit, and less red than `lips`; by its light alone in a photo without colours."""
    value = picture.max(2).astype(np.float32)
    redness = (picture[..., 0] - picture[..., 1].astype(np.float32)) / np.maximum(value, 1)
    if not lips.any() or np.median(redness[lips]) < GREY:
        return pale(picture, lips)
    return (redness < LESS_RED * np.median(redness[lips])) & (value > SHADED * np.median(value[lips]))


def shows_teeth(view: PartView) -> bool:
    """Whether the photo shows teeth between lips that are a little open: something paler and lighter than they are."""
    if not OWN[0] <= _gap(view.face) <= OWN[1]:
        return False
    lips = view.masks(view.face)[..., 0]
    inside = lips > 240
    return bool(inside.any() and pale(view.picture, (lips > 100) & (lips < 150), SHADED)[inside].mean() > SHARE)


def _in_one_bow(columns, edge, unit_px):
    """`edge` (y px of each of `columns`) with nothing that hangs from it, where a lower tooth touches and is taken for more.

    Teeth end along a bow, a quartic; what lies below it counts the less, the further.
    """
    weights, x = np.ones(len(columns)), columns - columns.mean()
    for _ in range(BOW_ROUNDS):
        bow = np.polynomial.Polynomial.fit(x, edge, min(4, len(x) - 1), w=np.sqrt(weights))(x)
        below = np.maximum(edge - bow, 0) / (BELOW * unit_px)
        weights = 1 / (1 + below**2) ** 2
    return np.minimum(edge, bow + BELOW * unit_px)


def upper_edge(view: PartView) -> NDArray | None:
    """Where the upper teeth that a photo shows end, y px of the view for each column; None where none are shown.

    Going down from the upper lip, it is where the light falls: on the dark, on the lower teeth's edge or on the lip.
    """
    lips, unit = view.masks(view.face)[..., 0], view.part.unit_px
    inside, red = lips > 240, (lips > 100) & (lips < 150)
    columns = np.flatnonzero(inside.any(0))
    if len(columns) < 3:
        return None
    inside, y = inside[:, columns], np.arange(len(lips))[:, None]
    smooth = cv2.GaussianBlur(view.picture, (0, 0), 0.004 * unit)
    value, tooth = smooth.max(2)[:, columns] * inside.astype(np.float32), _less_red(smooth, red)[:, columns] & inside
    lip = (value > SHADED * np.median(smooth.max(2)[red])) & ~tooth if red.any() else np.zeros_like(tooth)
    lightest, first, begun = np.maximum.accumulate(value, 0), inside.argmax(0), np.maximum.accumulate(tooth, 0)
    ends = begun & (lip | (value < EDGE_DROP * lightest)) & (y > first + EDGE_FROM * unit)
    ends = np.where(tooth.any(0), ends, lip)  # in the dark at the corners lips alone end what shows
    edge = np.where(ends.any(0), ends.argmax(0), len(inside) - inside[::-1].argmax(0)) - first
    edge = cv2.medianBlur(edge.clip(0, 255).astype(np.uint8)[None], 2 * round(EDGE_SMOOTH[0] * unit / 2) + 1)
    edge = cv2.GaussianBlur(edge + first.astype(np.float32), (0, 0), EDGE_SMOOTH[1] * unit)[0]  # the lip's steps as well
    edge = _in_one_bow(columns, edge, unit)
    return np.interp(np.arange(lips.shape[1]), columns, edge).astype(np.float32)


def _gap(face):
    return float(face68.mouth_opening(face[None])[0])


class Teeth:
    """The teeth of one photo, in the view of its mouth.

    Parameters
    ----------
    view : of the photo's mouth
    photo : the same photo; its own teeth are those of `photo.opened`
    """

    def __init__(self, view: PartView, photo: Photo):
        self.view, self.unit = view, view.part.unit_px
        blur_px = blur_of(photo)
        self.blur = float(np.hypot(SAMPLED, blur_px) * self.unit / photo.pose[0])  # px of the view
        self.is_soft = blur_px > SEEN_PX
        self.reach = max(3, round(2 * self.blur))  # px of the view that it reaches
        rest = face68.closed_mouth(view.face, 0)
        self.chin, self.light = rest[_CHIN].mean(0), 255 * self._light()
        width = float(np.ptp(rest[[48, 54], 0]))
        place = self.unit * float(np.clip(width / MOUTH_WIDTH, *SCALES)), rest[62, 0], rest[61:64, 1].mean() + EDGE
        was = photo.opened or photo
        opened = PartView(view.part, was.picture, was.face, was.pose, middle=view.part.middle(view.face))
        self.own = shows_teeth(opened)
        self.upper = self._own_teeth(opened) if self.own else self._place(True, *place, 0.0, 1.0)
        if self.own:
            self.light = self._light_of_teeth(opened)
        self.lower = self._place(False, *place, -OVERBITE, BEHIND)
        self.share = 1.0 if self.own else float(np.clip((photo.pose[0] - FROM_PX) / (WHOLE_PX - FROM_PX), 0, 1))

    def _light(self) -> NDArray:
        """The light on the skin around the mouth, float [rgb], 1 in good light."""
        lips, near = cv2.split(self.view.masks(self.view.face))
        skin = np.median(self.view.picture[(near > 127) & (lips == 0)], 0) / 255
        lightness = max(float(skin.mean()), 0.02)
        hue = (skin / lightness / PALE) ** HUE
        return (LIGHT[0] + LIGHT[1] * lightness / SKIN) * hue / hue.mean()

    def _light_of_teeth(self, opened) -> NDArray:
        """The light on the photo's own teeth, float [rgb], 255 where they are as white as enamel."""
        lips = opened.masks(opened.face)[..., 0]
        teeth = opened.picture[(lips > 240) & pale(opened.picture, (lips > 100) & (lips < 150), SHADED)]
        lightness = teeth.max(1)  # the lighter half: lips may be lighter than any tooth
        return np.median(teeth[lightness >= np.median(lightness)], 0) / ENAMEL

    def _own_teeth(self, opened):
        """The upper teeth the photo shows between its lips, float32 [row, column, rgb times cover, and cover]."""
        cover = self._inside(lip_outline(opened.face), slice(None), slice(None))
        edge = upper_edge(opened)
        if edge is not None:
            above = np.clip((edge - np.arange(len(cover))[:, None]) / max(2 * self.blur, 2) + 0.5, 0, 1)
            cover = cover * above.astype(np.float32)
        if self.is_soft:
            cover = cv2.GaussianBlur(cover, (0, 0), self.blur)
        return np.dstack([opened.picture * cover[..., None], cover]).astype(np.float32)

    def _place(self, upper, unit_px, x, y, lower, light):
        """A row of teeth in the view, its edge's middle at a point of face space, `lower` below it: as `_own_teeth`."""
        picture, middle = row_of_teeth(upper, round(unit_px))
        at = (np.array([x, y + lower]) - self.view.corner) * self.unit - middle
        lit = cv2.merge([picture[..., :3] * picture[..., 3:] * (self.light * light).astype(np.float32), picture[..., 3]])
        placed = cv2.warpAffine(lit, np.array([[1, 0, at[0]], [0, 1, at[1]]]), self.view.part.size[::-1])
        return cv2.GaussianBlur(placed, (0, 0), self.blur)

    def _inside(self, outline, rows, columns):
        """How much of each pixel of a box lies between the lips: float32 [row, column]."""
        mask = np.zeros(self.view.part.size, np.uint8)
        cv2.fillPoly(mask, [np.round((outline - self.view.corner) * self.unit * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        return cv2.GaussianBlur(mask[rows, columns], (0, 0), max(self.blur, 0.0055 * self.unit)).astype(np.float32) / 255

    def lay(self, patch: NDArray, face: NDArray) -> None:
        """Lay them into a painted patch, uint8 [row, column, rgb and mask] of the view, for landmarks `face` [68, 2]."""
        shown = self.share * float(np.clip((_gap(face) - OPEN[0]) / (OPEN[1] - OPEN[0]), 0, 1))
        outline = lip_outline(face)
        lips = (outline - self.view.corner) * self.unit
        (left, top), (right, bottom) = (np.clip(edge, 0, self.view.part.size[::-1]).astype(int)
                                        for edge in (lips.min(0) - self.reach, lips.max(0) + self.reach + 1))
        if not shown or right <= left or bottom <= top:
            return
        box = slice(top, bottom), slice(left, right)
        inside = np.float32(shown) * self._inside(outline, *box)
        x, y, half = np.arange(left, right), np.arange(top, bottom, dtype=np.float32)[:, None], len(lips) // 2
        upper_lip, lower_lip = (np.interp(x, line[:, 0], line[:, 1]).astype(np.float32)
                                for line in (lips[:half], lips[:half - 1:-1]))
        corners = np.clip(CORNERS[0] - CORNERS[1] * ((x - lips[:, 0].mean()) / max(1.0, np.ptp(lips[:, 0]) / 2)) ** 2, 0, 1)
        corners, below = corners.astype(np.float32), y - upper_lip
        shade = _wide(np.clip(SHADE + below * np.float32(1 / (SHADOW * self.unit)), 0, 1) * corners)
        deep = np.clip(below / np.maximum(lower_lip - upper_lip, 1), 0, 1)
        jaw = (face[_CHIN].mean(0) - self.chin) * self.unit - (left, top)
        lower = cv2.warpAffine(self.lower, np.array([[1, 0, jaw[0]], [0, 1, jaw[1]]]), inside.shape[::-1])
        upper = self.upper[box]
        painted = cv2.cvtColor(patch[box], cv2.COLOR_RGBA2RGB).astype(np.float32)
        share = 0 if self.own else PAINTED  # beside teeth that smile in the photo the painter paints more of them
        lit = corners * np.float32(1 - share)
        tongue = lit * deep * np.sqrt(deep)
        behind = np.stack([DEPTH, TONGUE - DEPTH], 1) * np.reshape(self.light, (-1, 1))
        laid = cv2.merge([dark * lit + pink * tongue for dark, pink in behind.astype(np.float32)]) + np.float32(share) * painted
        laid = laid * _wide(1 - lower[..., 3]) + _colours(lower) * shade
        laid = laid * _wide(1 - upper[..., 3]) + (_colours(upper) if self.own else _colours(upper) * shade)
        weight = inside.ravel() / max(float(inside.sum()), 1e-3)
        means = (np.maximum(weight @ picture.reshape(-1, 3), 8) for picture in (painted, laid))
        gain = 1 if self.own else (np.clip(np.divide(*means), *GAINS) ** MATCH).astype(np.float32)
        shown_px = cv2.add(painted, (laid * gain - painted) * _wide(inside), dtype=cv2.CV_8U)
        mask = cv2.max(cv2.extractChannel(patch[box], 3), cv2.convertScaleAbs(inside, alpha=255))
        patch[box] = cv2.merge([shown_px, mask])


def _wide(values):
    """The same in three channels: float32 [row, column] -> [row, column, 3]."""
    return cv2.merge([values] * 3)


def _colours(lit):
    return cv2.cvtColor(lit, cv2.COLOR_RGBA2RGB)
