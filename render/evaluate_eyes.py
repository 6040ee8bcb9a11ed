"""Measure shut eyes: an open-eyed frame of a held-out clip is the photo, its lids are closed, a frame of shut eyes is the truth.

Reads: LANDMARKS/CLIP.{face,pose}.npy, a recording's pictures, a painter of eyes (picture-model). Writes: nothing.
Both are compared upright, each under its own head pose, in the eyes' surroundings. Beside the painter stand the warp alone and
the photo held still, eyes open.
"""

import zlib
from pathlib import Path

import numpy as np

from core import artifacts, face68, metrics
from core.crop import upright
from core.video import read_frames
from render import portrait
from render.painted_part import PaintedPart
from render.pair_choice import choose_eyes, shut_shares
from render.parts import EYES
from render.photo import Photo

METHODS = ("painted", "shaded", "warp alone", "photo held still")
SHUT = 0.8  # share from which eyes count as shut
MOST = 12  # frames of a clip
STILL = np.zeros(5, np.float32)  # a head held still


def shut_frames(row, landmarks):
    """Frames of shut eyes and photos for them: pictures by number; face, pose of the clip; photo, shown, moved; how many are shut."""
    face, pose = (artifacts.load(Path(landmarks) / f"{row['clip']}.{name}.npy", kind).array for name, kind in
                  (("face", "landmarks-face"), ("pose", "head-pose")))
    share = shut_shares(face)
    n_shut = 0 if share is None else int((share > SHUT).sum())
    photo, shown, moved = choose_eyes(face, len(face), np.random.default_rng(zlib.crc32(row["clip"].encode())))
    if len(shown):
        chosen = np.flatnonzero(share[shown] > SHUT)[:MOST]
        photo, shown, moved = photo[chosen], shown[chosen], moved[chosen]
    wanted = {*photo.tolist(), *shown.tolist()}
    pictures = {t: frame for t, frame in enumerate(read_frames(row["picture"])) if t in wanted} if wanted else {}
    return pictures, face, pose, (photo, shown, moved), n_shut


def measure_eyes(row, landmarks, model=None):
    """Measures of each method on a clip, means over its frames: method -> dict; how many frames; a tile of the last ones."""
    from render.lids import Lids
    pictures, face, pose, pairs, n_shut = shut_frames(row, landmarks)
    found, tile = {method: {"eye_psnr_db": [], "eye_ssim": []} for method in METHODS}, None
    for number in np.unique(pairs[0]):
        own = np.flatnonzero(pairs[0] == number)
        photo = Photo(Path(row["picture"]), pictures[int(number)], face68.to_pixel_space(face[number][None], pose[number])[0])
        eyes, moves = PaintedPart(photo, EYES, model), [(pairs[2][i], STILL) for i in own]
        lids = Lids(photo.face, photo.pose)
        rendered = {"painted": list(portrait.frames(photo, moves, [eyes])), "warp alone": list(portrait.frames(photo, moves)),
                    "photo held still": [photo.picture] * len(own)}
        rendered["shaded"] = [frame.copy() for frame in rendered["warp alone"]]
        for frame, (points, _) in zip(rendered["shaded"], moves):
            lids.paint(frame, points)
        for k, i in enumerate(own):
            t = int(pairs[1][i])
            truth = upright(pictures[t], pose[t], eyes.view.view, EYES.size)
            rows, columns = (slice(n.min(), n.max() + 1) for n in np.nonzero(eyes.view.masks(pairs[2][i])[..., 1] > 127))
            views = {m: upright(frames[k], photo.pose, eyes.view.view, EYES.size) for m, frames in rendered.items()}
            for method, view in views.items():
                found[method]["eye_psnr_db"].append(metrics.psnr_db(view[rows, columns], truth[rows, columns]))
                found[method]["eye_ssim"].append(metrics.ssim(view[rows, columns], truth[rows, columns]))
            tile = np.concatenate([views["photo held still"], truth, *(views[m] for m in METHODS[:-1])])
    measured = {m: {k: float(np.mean(v)) for k, v in values.items()} for m, values in found.items()} if tile is not None else {}
    return measured, {"shut_frames": n_shut, "shut_frames_used": len(pairs[0])}, tile
