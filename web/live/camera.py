"""The live face as a camera of this machine, for programs that take nothing but cameras: v4l2loopback on Linux.

Writes: to the device. It has the size of the first picture; others are laid into it.
"""

import stat
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from subprocess import PIPE

import cv2
import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.errors import InputError
from core.events import Warned
from core.media import ffmpeg
from core.stage import tell

_EXPECTED = "a device of v4l2loopback"
_CURE = "sudo modprobe v4l2loopback video_nr=9 exclusive_caps=1, and --camera /dev/video9"
_TRIED = 5  # frames


def output_of(device: str | Path) -> list[str]:
    """What ffmpeg is told of the device."""
    return ["-pix_fmt", "yuv420p", "-f", "v4l2", str(device)]


def fitted(picture: NDArray, size: tuple[int, int]) -> NDArray:
    """A picture, uint8 [row, column, channel], whole in one of `size` (width, height), black around it."""
    width, height = size
    factor = min(width / picture.shape[1], height / picture.shape[0])
    columns, rows = max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor))
    small = picture if factor == 1 else cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
    left, top = (width - columns) // 2, (height - rows) // 2
    return cv2.copyMakeBorder(small, top, height - rows - top, left, width - columns - left, cv2.BORDER_CONSTANT)


class Camera:
    """Shows the latest picture, FPS times a second, until the process ends.

    Parameters
    ----------
    device : /dev/videoN
    jpeg : the first picture

    Raises
    ------
    InputError : no such device, or it takes no pictures.
    """

    def __init__(self, device: str | Path, jpeg: bytes):
        if sys.platform != "linux":
            raise InputError("--camera", f"on {sys.platform}", "Linux, with v4l2loopback")
        if not Path(device).exists():
            raise InputError("--camera", f"{device}: no such device", _EXPECTED, _CURE)
        if not stat.S_ISCHR(Path(device).stat().st_mode):
            raise InputError("--camera", f"{device}: no device", _EXPECTED, _CURE)
        first = _decoded(jpeg)
        self.device, self.size = device, (first.shape[1] // 2 * 2, first.shape[0] // 2 * 2)
        self.picture = fitted(first, self.size)
        if failure := self._feed(_TRIED):
            raise InputError("--camera", f"{device}: takes no pictures ({failure})", _EXPECTED, _CURE)
        threading.Thread(target=self._go_on, daemon=True).start()

    def show(self, jpeg: bytes) -> None:
        """From now on, this one."""
        self.picture = fitted(_decoded(jpeg), self.size)

    def _go_on(self):
        tell(Warned(f"it takes no more pictures ({self._feed() or 'it was closed'})", self.device))

    def _feed(self, n_frames: int | None = None) -> str:
        """Give the device so many frames, or all that come; return why it ended, "" when it did as it should."""
        due, left = time.monotonic(), n_frames
        with ffmpeg.running(_input_of(self.size) + output_of(self.device), stdin=PIPE) as process:
            while left is None or left > 0:
                try:
                    process.stdin.write(self.picture.tobytes())
                    process.stdin.flush()
                except OSError:
                    break
                due, left = due + 1 / FPS, None if left is None else left - 1
                time.sleep(max(0.0, due - time.monotonic()))
        return process.failure


def _input_of(size: Sequence[int]) -> list[str]:
    return ["-y", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{size[0]}x{size[1]}", "-r", str(FPS), "-i", "-", "-an"]


def _decoded(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
