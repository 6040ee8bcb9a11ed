"""A picture in planes that can be moved: RGB in one, or light and colour as the encoder takes them, colour at half size.

Reads, writes: nothing.
A plane is enlarged once, so that bilinear sampling is as sharp as bicubic at half the cost. What is behind a person stays
where it is: each pixel is parted once into what belongs to the person, which moves, and a share of what is behind, which is
laid under it anew. At rest the two sum up to the photo's own pixels, to the bit.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from core.media import nv12

ENLARGED = 2
FINE, FEW = 2.0, 2e-3  # levels that a plane loses half-way between its pixels; of how many pixels it may without being enlarged
_REACH = 4  # pixels to each side that Lanczos' kernel counts, for what lies half-way between two
_AT = np.arange(1 - _REACH, _REACH + 1) - 1 / ENLARGED
_BETWEEN, _ITSELF = np.sinc(_AT) * np.sinc(_AT / _REACH), (np.arange(2 * _REACH) == _REACH - 1).astype(float)
_BETWEEN, _ANCHOR = _BETWEEN / _BETWEEN.sum(), (_REACH - 1, _REACH - 1)
CACHED = 2**21  # bytes of a plane that a cache holds anyway
MARGIN_PX = 4  # of the picture, around the part that moves


def split(picture: NDArray, encoded: bool, between: bool = False) -> list:
    """The planes of a picture, uint8 [row, column, rgb]: itself, or with `encoded` those of `nv12.split`."""
    return list(nv12.split(picture, between)) if encoded else [picture]


def views(frame: NDArray) -> list:
    """The planes in a frame, uint8 [row, column, rgb] or `nv12`'s; changing them changes it."""
    return [frame] if frame.ndim == 3 else list(nv12.views(frame))


CHANNELS = {False: (slice(0, 3),), True: (slice(0, 1), slice(1, 3))}  # of an encoded picture or not, that each plane holds


def in_channels(patch: NDArray, encoded: bool) -> NDArray:
    """uint8 [row, column, rgb and mask], in the channels that CHANNELS tells of, and mask."""
    return nv12.to_yuv(patch) if encoded else patch


def is_fine(pixels: NDArray) -> bool:
    """Whether linear sampling would blur `pixels`, uint8 [row, column, channel]: a mean of two is not what lies between."""
    light = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if pixels.shape[2] == 3 else cv2.extractChannel(pixels, 0)
    between = np.array([[-1, 1, 1, -1]], np.float32) / 16  # a cubic's less a line's
    lost = [cv2.filter2D(light, cv2.CV_16S, 16 * kernel) for kernel in (between, between.T)]
    n_lost = sum(cv2.countNonZero(cv2.inRange(cv2.absdiff(each, 0), 16 * FINE, 2**15 - 1)) for each in lost)
    return n_lost > FEW * 2 * light.size


class Plane:
    """One plane of a picture, ready to be sampled.

    Parameters
    ----------
    pixels : uint8 [row, column, channel]
    box : left, top, right, bottom, px of the picture: all that is sampled from
    shrink : how many times smaller than the picture the plane is
    behind : uint8 [row, column, channel], the same plane of what is behind the person; None where all moves
    share : float32 [row, column], how much of a pixel is the person
    """

    def __init__(self, pixels, box, shrink=1, behind=None, share=None):
        rows, columns = pixels.shape[:2]
        left, top, right, bottom = (side // shrink for side in box)
        left, top = max(0, left - MARGIN_PX), max(0, top - MARGIN_PX)
        right, bottom = min(columns, right + MARGIN_PX), min(rows, bottom + MARGIN_PX)
        cut = slice(top, bottom), slice(left, right)
        self.origin, self.shrink, self.n_channels = np.array([left, top], np.float32), shrink, pixels.shape[2]
        self.behind, through = behind, np.zeros(pixels.shape[:2], np.uint8)
        self.enlarged = ENLARGED if shrink == 1 and is_fine(pixels[cut]) else 1  # eyes see less of colour
        if behind is not None:
            pixels, through = self._parted(pixels, behind, share)
        self.is_through = through > 0
        self.is_owned = (through < 255) | pixels.any(-1)
        self.through: NDArray | None = None  # where it has a plane of its own
        if self.n_channels == 1:
            self.pixels, self.through = self._enlarge(pixels[cut]), np.ascontiguousarray(through[cut])
        else:  # OpenCV samples four channels faster than two or three
            none = np.zeros((*through.shape, 3 - self.n_channels), np.uint8)
            self.pixels = self._enlarge(np.dstack([pixels, none, through])[cut])

    def _enlarge(self, part):
        part = np.ascontiguousarray(part)
        if self.enlarged == 1:
            return part
        large = np.empty((part.shape[0] * ENLARGED, part.shape[1] * ENLARGED, part.shape[2]), np.uint8)
        for y, x in np.ndindex(ENLARGED, ENLARGED):
            kernels = (_BETWEEN if k else _ITSELF for k in (x, y))
            found = cv2.sepFilter2D(part, -1, *kernels, anchor=_ANCHOR, borderType=cv2.BORDER_REFLECT_101)
            large[y::ENLARGED, x::ENLARGED] = found.reshape(part.shape)
        return large

    @staticmethod
    def _parted(pixels, behind, share):
        """What of `pixels` is the person's, uint8 [row, column, channel], and the share, of 255, of what is behind."""
        least = np.ones(share.shape, np.float32)  # what is darker than what is behind it cannot let it through
        for own, back in zip(cv2.split(pixels), cv2.split(behind)):
            least = cv2.min(least, cv2.divide(own, cv2.max(back, 1), dtype=cv2.CV_32F))
        through = np.floor(np.clip(np.minimum(1 - share, least), 0, 1) * 255).astype(np.uint8)
        return cv2.subtract(pixels, _times(behind, through)).reshape(pixels.shape), through

    def places(self, points):
        """Where in the plane points of the picture are, float32 [..., xy] px, as `sample` takes them."""
        return ((points - (self.shrink - 1) / 2) / self.shrink - self.origin) * self.enlarged

    def _fetched(self, places):
        """The pixels, with those around `places` in the processor's cache: it does not foresee lines that slope."""
        if self.pixels.nbytes > CACHED:
            corners = [places[y, x].tolist() for y in (0, -1) for x in (0, -1)]
            (left, right), (top, bottom) = ((max(0, int(min(one))), int(max(one)) + 2) for one in zip(*corners))
            if left < right and top < bottom:
                cv2.norm(self.pixels[top:bottom, left:right], cv2.NORM_L1)  # a way to read them all
        return self.pixels

    def sample(self, places, box, out, thin):
        """Fill a part of a frame with the plane at `places`, float32 [row, column, xy]; the plane is mirrored at its edge.

        `out`, uint8 [row, column, channel], holds the pixels of `box` (px of the picture); `thin`: something behind the
        person may show through there
        """
        alone = self.through is not None
        found = _at(self._fetched(places), places, out[..., 0] if alone else None)
        if self.n_channels == 2:
            np.copyto(out.view(np.uint16)[..., 0], found.view(np.uint16)[..., 0])
        elif not alone:
            cv2.mixChannels([found], [out], [0, 0, 1, 1, 2, 2])
        if thin:
            left, top, right, bottom = (side // self.shrink for side in box)
            share = _at(self.through, places * np.float32(1 / self.enlarged)) if alone else cv2.extractChannel(found, 3)
            cv2.add(out, _times(self.behind[top:bottom, left:right], share).reshape(out.shape), out)

    def uncover(self, box, out):
        """Fill a part of a frame, as `sample` does, with what is behind the person alone."""
        left, top, right, bottom = (side // self.shrink for side in box)
        np.copyto(out, self.behind[top:bottom, left:right])


def _at(pixels, places, out=None):
    return cv2.remap(pixels, places, None, cv2.INTER_LINEAR, dst=out, borderMode=cv2.BORDER_REFLECT_101)


def _times(behind, through):
    """`behind` (uint8 [row, column, channel]) times a share of 255, uint8 [row, column]: uint8."""
    share = cv2.merge([through] * behind.shape[2]) if behind.shape[2] > 1 else through
    return cv2.multiply(behind, share.reshape(behind.shape), scale=1 / 255).reshape(behind.shape)


def lay(out: NDArray, painted: NDArray, mask: NDArray) -> None:
    """Lay pixels over `out`, both uint8 [row, column, channel], by a `mask` uint8 [row, column]; `out` is changed."""
    mask = cv2.merge([mask] * out.shape[2]).reshape(out.shape)
    under = cv2.multiply(out, cv2.bitwise_not(mask).reshape(out.shape), scale=1 / 255)
    cv2.add(under.reshape(out.shape), cv2.multiply(painted, mask, scale=1 / 255).reshape(out.shape), out)
