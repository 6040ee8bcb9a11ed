"""How far a face moves: styles, and what they and the effort of the voice do to predicted landmarks.

Reads, writes: nothing.
The networks err towards the mean, and so move less than people do; a style is the factors that bring each part of the face to
a range that was measured: `natural` to that of people who talk to a camera, `vivid` to that of VASA-1's clips, `calm` stays
below (`make eval-life`). Lips that the speech shuts stay shut: what lies between them grows only where they are apart.
"""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.face import face68

MOST_TURN = np.array([0.3, 0.4], np.float32)  # rad of yaw and of pitch, softly: a photo turned further shows to be flat
MOST = 0.05  # eye distances, softly, that a style raises or lowers a corner further than the network does


def _shares(group):
    """How far each point goes with the right, with the left corner: float32 [2, 68]."""
    right = np.zeros(face68.N_POINTS, np.float32)
    right[list(face68.HALF_FACE[group])] = list(face68.HALF_FACE[group].values())
    return np.stack([right, right[face68.MIRROR]])


# A corner that rises is a smile; one that sinks takes the lips along, else it would hang from them.
_UP, _DOWN = _shares("lip_corner"), _shares("lips")
_CORNERS = [next(iter(face68.HALF_FACE["lip_corner"])), int(face68.MIRROR[next(iter(face68.HALF_FACE["lip_corner"]))])]
APART = 0.05  # eye distances between the lips at which half of a style's factor counts


@dataclass(frozen=True)
class Style:
    """Factors on what the networks predict, 1 is as they have it.

    Parameters
    ----------
    opening : of lips and jaw, up and down
    width : of lips and jaw, to the sides
    corners : of the height of the lip corners
    emotion : of what an emotion does to the face
    brows, lids : of the brows; of how lids narrow and widen
    head, roll : of the head's motion; of its roll on top
    emphasis : of the effect of the voice's effort
    """

    name: str
    opening: float = 1.0
    width: float = 1.0
    corners: float = 1.0
    emotion: float = 1.0
    brows: float = 1.0
    lids: float = 1.0
    head: float = 1.0
    roll: float = 1.0
    emphasis: float = 1.0

    def over(self, other: "Style") -> "Style":
        """The factors from another style to this one."""
        own, others = asdict(self), asdict(other)
        return Style(self.name, **{name: own[name] / others[name] for name in own if name != "name"})


STYLES = {style.name: style for style in (
    Style("calm", opening=0.88, width=0.85, emotion=0.7, brows=0.8, lids=0.6, head=0.6, emphasis=0.5),
    Style("natural", opening=1.08, width=1.0, corners=2.1, brows=1.25, lids=1.3, roll=1.3),
    Style("vivid", opening=1.55, width=1.45, corners=2.1, brows=2.0, lids=1.6, head=1.3, roll=1.1, emphasis=1.3),
)}
DEFAULT = "natural"


def style_of(name: str | None) -> Style:
    """The style of this name, the usual one for None. Raises InputError for a name that is none."""
    if (name or DEFAULT) not in STYLES:
        raise InputError("--style", repr(name), f"one of {', '.join(STYLES)}")
    return STYLES[name or DEFAULT]


def enlarge(face: NDArray, rest: NDArray, style: Style, effort: NDArray | None = None,
            slopes: NDArray | None = None) -> NDArray:
    """Predicted landmarks in a style, larger where the voice makes an effort.

    Parameters
    ----------
    face : float32 [frame, 68, 2], face space
    rest : float32 [68, 2], the face it moves about
    effort : float [frame], `landmarks.emphasis.effort`; slopes : [2] its effect on the logarithm of opening and corners

    Returns
    -------
    float32 [frame, 68, 2]; lips that touch do so still
    """
    gain = np.ones((2, len(face)))
    if effort is not None and slopes is not None:
        gain = np.exp(style.emphasis * np.outer(slopes, effort))
    moved = face - rest
    opening = np.square(face68.mouth_opening(face))
    apart = opening / (opening + APART**2)
    lower, out = face68.LOWER_FACE, moved.copy()
    up_down = 1 + (style.opening * gain[0] - 1) * apart
    out[:, lower, 1] *= up_down[:, None]
    out[:, lower, 0] *= style.width
    more = MOST * np.tanh((style.corners * gain[1] - up_down)[:, None] * moved[:, _CORNERS, 1] / MOST)
    out[..., 1] += np.minimum(more, 0) @ _UP + np.maximum(more, 0) @ _DOWN
    return face68.uncross_lips((rest + out).astype(np.float32))


def move_more(head: NDArray, style: Style) -> NDArray:
    """Motion of a head, float32 [frame, 5] as `head-motion`, in a style; the shift that a roll brings grows with it."""
    moved = head * np.float32(style.head) * np.array([1, 1, style.roll, style.roll, 1], np.float32)
    moved[:, :2] = MOST_TURN * np.tanh(moved[:, :2] / MOST_TURN)
    return moved
