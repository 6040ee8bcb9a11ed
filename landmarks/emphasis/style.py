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

_CORNER = face68.HALF_FACE["lip_corner"]  # the corner itself comes first
_CORNERS = [list(_CORNER), [int(face68.MIRROR[point]) for point in _CORNER]]
_SHARES = np.array(list(_CORNER.values()), np.float32)
APART = 0.05  # eye distances between the lips at which half of a style's factor counts


@dataclass(frozen=True)
class Style:
    """Factors on what the networks predict, 1 is as they have it.

    Parameters
    ----------
    opening : of lips and jaw, up and down
    width : of lips and jaw, to the sides
    corners : of the height of the lip corners, and of what an emotion does to the face
    brows : of the brows
    lids : of squint and widening, in eye distances, see `landmarks.emphasis.upper_face`
    head, roll : of the head's motion; of its roll on top
    emphasis : of the effect of the voice's effort
    """

    name: str
    opening: float = 1.0
    width: float = 1.0
    corners: float = 1.0
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
    Style("calm", opening=1.0, width=1.0, corners=1.0, brows=0.8, lids=0.6, head=0.6, roll=1.0, emphasis=0.5),
    Style("natural", opening=1.2, width=1.2, corners=1.55, brows=1.4, lids=1.0, head=1.0, roll=1.3, emphasis=1.0),
    Style("vivid", opening=1.7, width=1.75, corners=1.6, brows=2.4, lids=1.2, head=1.3, roll=1.1, emphasis=1.3),
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
    for points in _CORNERS:
        more = (style.corners * gain[1] - up_down) * moved[:, points[0], 1]
        out[:, points, 1] += more[:, None] * _SHARES
    return face68.uncross_lips((rest + out).astype(np.float32))


def move_more(head: NDArray, style: Style) -> NDArray:
    """Motion of a head, float32 [frame, 5] as `head-motion`, in a style; the shift that a roll brings grows with it."""
    return head * np.float32(style.head) * np.array([1, 1, style.roll, style.roll, 1], np.float32)
