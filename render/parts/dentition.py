"""Draw a row of teeth from parameters: nobody's, of a size people's are.

Reads, writes: nothing. Widths and heights of teeth are means of adults (Ash and Nelson, Wheeler's Dental Anatomy, 2003),
foreshortened along the arch; the eyes of an adult are EYES_MM apart.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

EYES_MM = 63.0
FINE = 3  # times finer drawn than shown


@dataclass(frozen=True)
class Tooth:
    """One tooth as seen from the front: width, height, how far its edge lies behind the row's, mm; its share of the light."""

    width: float
    height: float
    shorter: float
    light: float


UPPER = (Tooth(8.4, 10.4, 0.0, 1.0), Tooth(6.5, 9.0, 0.8, 0.97), Tooth(6.3, 9.9, 0.2, 0.93), Tooth(4.9, 8.4, 0.9, 0.80),
         Tooth(3.6, 7.8, 1.2, 0.64), Tooth(3.0, 7.2, 1.6, 0.46))
LOWER = (Tooth(5.2, 8.8, 0.1, 1.0), Tooth(5.7, 9.0, 0.0, 0.98), Tooth(5.9, 9.8, 0.2, 0.92), Tooth(4.7, 8.2, 0.8, 0.78),
         Tooth(3.6, 7.6, 1.2, 0.6))
ENAMEL, NECK, EDGE, GUM, GAP = (np.array(c, np.float32) for c in (  # of a tooth in full light, rgb
    (0.94, 0.92, 0.885), (0.90, 0.84, 0.75), (0.84, 0.85, 0.86), (0.72, 0.42, 0.40), (0.56, 0.44, 0.39)))
TAPER, ROUND, ARCH = 0.16, 0.10, 0.34  # of a tooth: narrower at its neck, rounder at its corners, its neck's curve
GUM_MM = 3.0  # seen above the teeth


def _soft(x, width):
    return np.clip(0.5 + x / width, 0, 1)


def _tooth(tooth, u, t, side, blur, brighter):
    """One tooth and its gum, at `u` across it, -1..1, and `t` from edge to neck, 0..1: colours and cover; what is tooth."""
    corner = ROUND * np.clip((np.abs(u) - 0.45) / 0.55, 0, 1) ** 2 * (1 + 0.6 * (u > 0))
    reach = 0.98 - TAPER * np.clip(t, 0, 1) ** 1.5
    edge = _soft((t - corner) * tooth.height, 2 * blur)
    inside = _soft((reach - np.abs(u)) * tooth.width / 2, 2.5 * blur) * edge
    gum = _soft((t - (1 - ARCH * u**2)) * tooth.height, 0.5)
    light = tooth.light * brighter * (1 - 0.20 * np.abs(u) ** 2.6 - 0.05 * u) * (
        0.93 + 0.07 * np.sin(np.pi * np.clip(t, 0, 1) ** 0.8))
    shine = 0.10 * tooth.light * np.exp(-((u + 0.25 * side) / 0.28) ** 2 - ((t - 0.5) / 0.2) ** 2)
    colour = ENAMEL + (NECK - ENAMEL) * np.clip(t, 0, 1)[..., None] ** 2.2
    colour += (EDGE - colour) * (0.55 * np.exp(-np.clip(t - corner, 0, 1) / 0.09))[..., None]
    colour = colour * light[..., None] + shine[..., None]
    pink = GUM * (tooth.light * (0.95 - 0.25 * u**2 + 0.25 * np.clip(t - 1, 0, 1)))[..., None]
    colour += (pink - colour) * gum[..., None]
    inside = np.maximum(inside, gum * _soft((1 - np.abs(u)) * tooth.width, blur))
    return np.dstack([colour, inside]), edge


@cache
def row_of_teeth(upper: bool, unit_px: int) -> tuple[NDArray, NDArray]:
    """A row of teeth from the front: float32 [row, column, rgb or cover], 0..1, and where its edge's middle lies, x and y px.

    `unit_px` an eye distance; the lower row stands on its head beside the upper one.
    """
    teeth, px = UPPER if upper else LOWER, FINE * unit_px / EYES_MM
    half = sum(tooth.width for tooth in teeth) + 1
    tall = max(tooth.height for tooth in teeth) + GUM_MM
    columns, rows = round(2 * half * px), round((tall + 1) * px)
    blur, rng = 1 / px, np.random.default_rng(5 if upper else 6)
    out = np.broadcast_to(GAP, (rows, columns, 3)).copy()
    cover = np.zeros((rows, columns), np.float32)
    y = ((np.arange(rows, dtype=np.float32) + 0.5) / px - tall)[:, None]  # mm; it grows towards the edge
    for side in (-1, 1):
        at = 0.0
        for tooth in teeth:
            ends = sorted((round((half + side * at) * px), round((half + side * (at + tooth.width)) * px)))
            own = slice(*ends)
            x = (np.arange(*ends, dtype=np.float32) + 0.5) / px - half
            u, t = (side * x - at - tooth.width / 2) / (tooth.width / 2), (-y - tooth.shorter) / tooth.height
            at += tooth.width
            u, t = np.broadcast_arrays(u[None], t)
            drawn, row = _tooth(tooth, u, t, side, blur, float(1 + 0.02 * rng.normal()))
            out[:, own] += (drawn[..., :3] - out[:, own]) * drawn[..., 3:]
            cover[:, own] = np.maximum(cover[:, own], row)
    picture = np.dstack([out, cover]).astype(np.float32)
    size = round(columns / FINE), round(rows / FINE)
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    middle = np.array([size[0] / 2 - 0.5, tall * px / FINE - 0.5], np.float32)
    return (picture, middle) if upper else (picture[::-1], np.array([middle[0], size[1] - 1 - middle[1]], np.float32))
