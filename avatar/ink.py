"""A comic without a network, by edges and flat colours: the translator's input and baseline.

Reads, writes: nothing.
Texture goes, edges stay (Tomasi & Manduchi, bilateral filtering, ICCV 1998); light falls on a few steps, which are counted from
the face's own light, so that dark and light skin, day and night are drawn alike; lines where light changes (Winnemoeller et
al., XDoG, 2012). Sizes are for a face whose eyes lie about 60 px apart.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

INK = np.array([22, 14, 14], np.float32)
COLOURFULNESS = 1.35
FACE_LIGHT = 3, 92  # percentiles of the face's light that are called 0 and 1
PAINTS = 0.08, 0.45, 0.72, 0.97  # light of the flat paints
STEPS, STEEPNESS = (0.12, 0.42, 0.68), 40.0  # where one goes over to the next
FLATNESS = 0.85
_FINE, _COARSE, _GAIN = 0.8, 1.3, 16.0  # px and strength of the difference of Gaussians
_LINE_AT, _LINE_STEEPNESS = 0.35, 6.0
_REACH_PX, _SAME_LIGHT = 8, 60.0  # of the guided filter: px; square of the difference of light that is still one paint


def remove_texture(picture: NDArray) -> NDArray:
    """A photo without its fine texture, edges kept: uint8 [row, column, rgb] -> the same."""
    for _ in range(2):
        picture = cv2.bilateralFilter(picture, 7, 35, 3)
    return picture


def lines_of(light: NDArray) -> NDArray:
    """Ink of a picture's light, float32 [row, column] around 0..1: 1 where there is none, 0 where all is ink."""
    near, far = (cv2.GaussianBlur(light, (0, 0), px) for px in (_FINE, _COARSE))
    edge = near + _GAIN * (near - far) - _LINE_AT
    return np.where(edge >= 0, 1, 1 + np.tanh(_LINE_STEEPNESS * edge)).astype(np.float32)


def posterise(light: NDArray) -> NDArray:
    """Light on a few steps: float32 [row, column] -> the same; what is brighter than a face stays."""
    flat = np.full_like(light, PAINTS[0])
    for step, below, above in zip(STEPS, PAINTS, PAINTS[1:]):
        flat += (above - below) / (1 + np.exp(np.clip((step - light) * STEEPNESS, -30, 30)))
    return np.where(light > 1, np.maximum(flat, light * PAINTS[-1]), flat)


def draw_ink(soft: NDArray, points: NDArray) -> NDArray:
    """Draw what `remove_texture` gives, uint8 [row, column, rgb] with points [68, 2] px, in ink and paint -> the same."""
    lab = cv2.cvtColor(soft.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    face = np.zeros(soft.shape[:2], np.uint8)
    cv2.fillConvexPoly(face, cv2.convexHull(np.round(points).astype(np.int32)), 1)
    seen = lab[..., 0][face > 0]
    low, high = np.percentile(seen if len(seen) else lab[..., 0], FACE_LIGHT)
    light = (lab[..., 0] - low) / max(high - low, 5.0)
    flat = low + (high - low) * posterise(light)
    lab[..., 0] += FLATNESS * (flat - lab[..., 0])
    lab[..., 1:] *= COLOURFULNESS
    painted = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) * 255
    drawn = INK + (painted - INK) * lines_of(light)[..., None]
    return drawn.clip(0, 255).astype(np.uint8)


def repaint(drawn: NDArray, ink_and_paint: NDArray, soft: NDArray, share: float | NDArray) -> NDArray:
    """A drawing with the paints of another: both uint8 [row, column, rgb], as `soft`, whose light says where paints end.

    The difference of the two is smoothed within the edges of `soft` (He et al., guided filter, ECCV 2010) and added by
    `share` (a number, or float [row, column, 1]): ink and shading stay those of the drawing.
    """
    guide = cv2.cvtColor(soft, cv2.COLOR_RGB2GRAY).astype(np.float32)
    apart = ink_and_paint.astype(np.float32) - drawn

    def mean(values):
        return cv2.blur(values, (2 * _REACH_PX + 1,) * 2)

    middle = mean(guide)
    spread = mean(guide * guide) - middle * middle + _SAME_LIGHT
    moved = np.empty_like(apart)
    for channel in range(3):
        own = apart[..., channel]
        slope = (mean(guide * own) - middle * mean(own)) / spread
        moved[..., channel] = mean(slope) * guide + mean(mean(own) - slope * middle)
    return (drawn + share * moved).round().clip(0, 255).astype(np.uint8)
