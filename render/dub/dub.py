"""Give a video another voice: predicted mouth and jaw in place of the person's own, everything else as it was.

Reads: a video; landmarks predicted from the new speech; the video's own landmarks (landmarks-pixel); the speech.
Writes: OUT.mp4 (talking-video). Frames are decoded, painted, encoded and forgotten: memory does not grow with the length.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from core.clock import SAMPLE_RATE, n_frames_of
from core.errors import InputError, command_line
from core.events import Warned
from core.files import named_after
from core.media.out.target import Target, place_of
from core.media.speech import Speech, open_speech
from core.media.talking import caption_words, write_talking
from core.processes.child import prefetch
from core.stage import say, tell
from learn.device import pick_device
from render import motion
from render.dub.clip import Clip, open_clip, see
from render.dub.mouth import Mouth, lay_mouth, move_skin
from render.dub.options import LOOPS, TAILS, check_options
from render.dub.own import put_in_place, steadied
from render.dub.play import play
from render.dub.references import SMALL_PX, is_small, read_references, shares_of, write_sheet
from render.options import DEFAULTS, RenderOptions

STAGE = "render.render"
SEEN, SHEET = "video.pixel.npy", "references.png"  # in the folder of the files in between: the video's landmarks; its mouths
BATCH = 8  # frames painted together
_TOLERATED = 3  # frames


def dub_file(video: str | Path, landmarks: str | Path, out: Target, options: RenderOptions, *, seen: str | Path | None = None,
             which: str | None = None, points_file: str | Path | None = None, **how: Any) -> Target:
    """`dub_video` of a video, with the landmarks `seen` in it, or measured now and written to OUT.pixel.npy."""
    check_options(options, points_file)
    if not how.get("speech"):
        raise InputError("--speech", "missing", "the new sound of the video", "--speech speech.wav")
    clip = open_clip(video, seen) if seen else see(video, named_after(place_of(out).with_suffix(""), ".pixel.npy"), which)
    return dub_video(clip, landmarks, out, options, **how)


def _say_what_is_left(clip):
    own, n = clip.own, len(clip.own)
    if len(clip.cuts) > 1:
        other = f", {len(clip.others)} of them without this person" if clip.others else ""
        say(f"{len(clip.cuts)} shots{other}")
    left = [f"{count} {why}" for count, why in ((own.lost, "without the face"), (own.profile, "in profile, or too small"))
            if count]
    if left:
        tell(Warned(f"{sum((own.lost, own.profile))} of {n} frames are left alone: {', '.join(left)}", clip.footage.path))
    if own.covered:
        tell(Warned(f"lips covered in {own.covered} of {n} frames: left as they are", clip.footage.path))
    if is_small(own):
        apart, path = np.nanmedian(own.pose[:, 0]), clip.footage.path
        tell(Warned(f"the eyes are {apart:.0f} px apart; from {SMALL_PX} on a mouth opens and shuts clearly", path))


def painted(clip: Clip, offsets: Iterable[NDArray], numbered: Iterable[tuple[int, NDArray]], model: str | Path | None = None,
            device: str = "cpu", sheet: str | Path | None = None) -> Iterator[NDArray]:
    """Yield frames with another mouth.

    Parameters
    ----------
    offsets : float [frame, 68, 2], of the output, from a face at rest, eye distances
    numbered : of each output frame, its number in the clip, and the frame in NV12, which is changed
    sheet : where to draw the frames the mouth is painted from
    """
    own, references = clip.own, read_references(clip.footage, clip.own, clip.cuts)
    if not references:
        raise InputError(clip.footage.path, "no frame in which the face is seen from the front and steady",
                         "a video of a face, seen from the front")
    if sheet:
        write_sheet(references, sheet)
    with threadpool_limits(1, "blas"):
        mouths = [(start, [Mouth(reference, model, device) for reference in shot]) for start, shot in references.items()]
    shares = shares_of(own, clip.cuts, references, clip.footage.fps)

    def prepare(batch):
        ready: list[tuple] = []
        waiting: dict = {}
        for (number, frame), offset in batch:
            if number >= len(own) or not own.strength[number]:
                ready.append((frame, None, []))
                continue
            face, target = put_in_place(own, number, offset)
            steady, at = steadied(own, number, target)
            ready.append((frame, (face, target, own.pose[number]), []))
            for mouth, share in shares(number, mouths):
                waiting.setdefault(id(mouth), (mouth, []))[1].append((ready[-1][2], steady, at, share * own.strength[number]))
        for mouth, asked in waiting.values():
            for (laid, _, at, share), patch in zip(asked, mouth.paint([steady for _, steady, _, _ in asked])):
                laid.append((share, mouth, patch, at))
        return ready

    def batches():
        stream = zip(numbered, offsets)
        while batch := list(islice(stream, BATCH)):
            yield batch

    with threadpool_limits(1, "blas"):
        for ready in prefetch(prepare, batches()):
            for frame, moved, laid in ready:
                if moved:
                    move_skin(frame, *moved)
                for share, mouth, patch, at in sorted(laid, key=lambda one: -one[0]):
                    lay_mouth(frame, mouth, patch, at, share)
                yield frame


def _length(clip, seconds, loop, tail):
    """How many frames are shown, and how much of the sound is heard, s."""
    n_clip, n_speech = len(clip.own), motion.n_output_frames(seconds, clip.footage.fps)
    if n_speech > n_clip and loop == "cut":
        return n_clip, n_clip / clip.footage.fps
    return max(n_speech, n_clip) if tail == "keep" else n_speech, None


def dub_video(clip: Clip, landmarks: str | Path, out: str | Target, options: RenderOptions = DEFAULTS, *,
              speech: str | Path | Speech, loop: str = LOOPS[0], tail: str = TAILS[0], rest: str | Path | None = None,
              model: str | Path | None = None, device: str = "cpu", words: str | Path | None = None,
              sheet: str | Path | None = None) -> Target:
    """Write a video with another voice, and its sidecar; return where it is.

    Parameters
    ----------
    clip : from `see` or `open_clip`
    landmarks : landmarks-face .npy, predicted from `speech`
    speech : what is heard
    loop : of a clip that is shorter than the speech, one of LOOPS: it goes back and forth, its last frame holds, or the sound
        is cut where it ends
    tail : of a clip that is longer, one of TAILS: it is cut where the speech ends, or is kept, the mouth at rest
    rest, model, device, words : as for `render.render.render_video`
    sheet : as for `painted`

    Raises
    ------
    InputError : a file of another kind, or landmarks and speech of different length.
    """
    recording = open_speech(speech)
    seconds = len(recording.sound) / SAMPLE_RATE
    moves, rest_points = motion.read_motion(landmarks, rest)
    motion.check_length(landmarks, len(moves), n_frames_of(len(recording.sound)), recording.path)
    moves = motion.in_style(moves, rest_points, landmarks, options.style)
    shown_words = caption_words(options.captions, words, recording.path)
    n_frames, heard_s = _length(clip, seconds, loop, tail)
    fps, footage = clip.footage.fps, clip.footage
    _say_what_is_left(clip)
    offsets = (offset * np.float32(options.expression_scale) * (k < seconds * fps)
               for k, (offset, _) in enumerate(motion.resample(moves, fps, range(n_frames))))
    n_read = 0

    def counted():
        nonlocal n_read
        for number, frame in play(footage, len(clip.own), n_frames, loop):
            n_read = max(n_read, number + 1)
            yield number, frame
        if n_read < min(n_frames, len(clip.own)) - _TOLERATED:
            raise InputError(clip.seen, f"{len(clip.own)} frames of landmarks, and {n_read} frames in {footage.path}",
                             "landmarks of this video",
                             command_line("python", "-m", "preprocess.extract_landmarks", "--video", footage.path))

    frames = painted(clip, offsets, counted(), model, pick_device(device, "photo"), sheet)
    made_with = {"loop": loop, "tail": tail, "quality": options.quality, "style": options.style,
                 "expression_scale": options.expression_scale, "captions": options.captions,
                 "watermark": options.watermark, "sign": options.sign is not None}
    inputs = [path for path in (landmarks, footage.path, clip.seen, recording.path, words) if path]
    facts = {"shots": len(clip.cuts), "left_alone": clip.own.lost + clip.own.profile + clip.own.covered}
    return write_talking(out, frames, n_frames, fps=fps, stage=STAGE, captions=options.captions, shown_words=shown_words,
                         heard=recording.heard, heard_s=heard_s, quality=options.quality,
                         watermark=options.watermark, signed_by=options.sign, what="dub", options=made_with,
                         inputs=inputs, **facts)
