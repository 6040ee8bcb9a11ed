"""Speech to faces piece by piece, as it is spoken.

Reads: a landmark-model, a voice-model, the speech encoder. Writes: nothing.
"""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from core.face import face68
from core.media.audio import LATE_SAMPLES, Spectra
from landmarks.ear.running import RunningEar
from landmarks.emphasis.effort import RunningEffort, emphasis_model
from landmarks.emphasis.style import Style, enlarge
from landmarks.expression import offsets
from landmarks.features import pad_with_silence
from landmarks.hearing import Running
from landmarks.voice.gate import LAG, Voice, voice_model

PIECE_MS = 1000 // FPS


class Faces:
    """Mel power of frames in, landmarks out.

    Parameters
    ----------
    model : from `landmarks.lite.load_model`
    hearing : level and channel, `Whole` or `Running` of landmarks.hearing; by default of what was heard so far
    voice : when the face rests, `Voice`, `WholeVoice` or `Free` of landmarks.voice; by default by what was heard so far
    ear : features of the speech encoder, `WholeEar` or `RunningEar` of landmarks.ear, for a model that reads them
    style : how far the face moves, and how that follows the effort of the voice; None: as the network has it
    effort : of the voice, `WholeEffort` or `RunningEffort` of landmarks.emphasis; by default by what was heard so far
    """

    def __init__(self, model, hearing=None, voice=None, ear=None, style: Style | None = None, effort=None):
        self.model, self._hearing, self._voice = model, hearing or Running(voice_model()["typical"]), voice or Voice()
        self._ear, self._loud = ear, np.empty(0)
        self._style, self._effort = style, (effort or RunningEffort()) if style else None
        self._efforts = np.empty(0, np.float32)
        self._state = np.zeros((1, model.n_state), np.float32)
        self._features: Any = None
        self._silence: Any = None  # as long as nothing was heard
        self._faces, self._freedom = np.empty((0, face68.N_POINTS, 2), np.float32), np.empty(0, np.float32)

    def push(self, power):
        """Mel power [frame, hop, mel] -> the landmarks that are ready, float32 [frame, 68, 2], face space."""
        if not len(power):
            return self._ready()
        features, silence, self._loud = self._hearing.push(power)
        if self._effort:
            self._efforts = np.concatenate([self._efforts, self._effort.push(power, self._loud)])
        if self._features is None:
            self._features = pad_with_silence(features[:0], silence[0], self.model.context - self.model.look_ahead, 0)
        self._silence = silence[-1]
        self._move(features)
        return self._ready(self._voice.push(power))

    def finish(self):
        """The landmarks that are left, as if silence followed."""
        if self._features is None:
            return self._ready()
        self._loud = np.full(self.model.look_ahead, self._loud[-1])
        self._move(pad_with_silence(self._features[:0], self._silence, 0, self.model.look_ahead))
        return self._ready(self._voice.finish(self._features.shape[1:]))

    def _move(self, features):
        """Take features on; predict the frames whose sound is heard far enough ahead."""
        self._features = np.concatenate([self._features, features])
        if len(self._features) <= self.model.context:
            return
        codes = self._codes(len(self._features) - self.model.context)
        faces = np.empty((len(codes), face68.N_POINTS, 2), np.float32)
        for t in range(len(codes)):
            out = self.model.step(code=codes[t:t + 1], state=self._state)
            faces[t], self._state = out["face"][0], out["state"]
        self._features = self._features[len(codes):].copy()
        self._faces = np.concatenate([self._faces, face68.uncross_lips(faces)])

    def _codes(self, n):
        """What the network makes of the next `n` frames of sound and those around them: [n, code]."""
        features: Any = self._features
        if self._ear is None:
            return self.model.codes(features=features)
        codes, done, around = [], 0, self.model.context
        for ear in self._ear.next(self._loud[-n:]):
            stop = done + len(ear) - around
            codes.append(self.model.codes(features=features[done:stop + around], ear=ear))
            done = stop
        return np.concatenate(codes)

    def _ready(self, freedom=()):
        """The frames of which both the landmarks and their freedom are known."""
        self._freedom = np.concatenate([self._freedom, freedom]).astype(np.float32)
        n = min(len(self._faces), len(self._freedom))
        faces, free = self._faces[:n], self._freedom[:n, None, None]
        self._faces, self._freedom = self._faces[n:].copy(), self._freedom[n:]
        faces = self.model.rest_face + free * (faces - self.model.rest_face)
        if not self._style:
            return faces
        effort, self._efforts = self._efforts[:n], self._efforts[n:]
        return enlarge(faces, self.model.rest_face, self._style, effort, emphasis_model()["slopes"])


class Stream:
    """Sound in pieces in, landmarks out: `push` as it comes, then `finish`; one recording a Stream.

    Together they give `n_frames_of(n_samples)` frames. Parameters as for `Faces`; `emotion`, a vector of
    `landmarks.expression`, is added to every frame.
    """

    def __init__(self, model, hearing=None, voice=None, emotion=None, style: Style | None = None):
        self._ear = RunningEar(model.encoder) if model.encoder else None
        self._spectra, self._faces = Spectra(), Faces(model, hearing, voice, self._ear, style)
        self._worn = 0 if emotion is None else (style.emotion if style else 1) * offsets(emotion)

    @property
    def look_ahead_s(self) -> float:
        """Seconds of sound needed after the end of a frame before its landmarks are there."""
        frames = max(self._faces.model.look_ahead, LAG)
        return (frames * SAMPLES_PER_FRAME + LATE_SAMPLES) / SAMPLE_RATE

    def push(self, sound):
        """Sound, float32 [sample], 16 kHz, -1..1 -> the landmarks that are ready, float32 [frame, 68, 2], face space."""
        sound = np.asarray(sound, np.float32)
        if self._ear:
            self._ear.push(sound)
        return self._push(self._spectra.push(sound)) + self._worn

    def finish(self):
        """The landmarks that are left: float32 [frame, 68, 2]."""
        if self._ear:
            self._ear.push(np.zeros((self._faces.model.look_ahead + 2) * SAMPLES_PER_FRAME, np.float32))
        return np.concatenate([self._push(self._spectra.finish()), self._faces.finish()]) + self._worn

    def _push(self, spectrum):
        return self._faces.push(self._faces.model.power(spectrum) if len(spectrum) else spectrum)


def feed(stream: Stream, sound: NDArray, *, piece_ms: int = PIECE_MS, real_time: bool = False) -> tuple[NDArray, NDArray]:
    """Push `sound` [sample] into `stream`, in pieces, each when it has been spoken (`real_time`) or at once.

    Returns
    -------
    took_s : float [piece], seconds of computing for each piece
    late_s : float [frame], seconds from the end of a frame's sound to its landmarks; the last frames, which come when the
        sound ends, are left out
    """
    n_piece = piece_ms * SAMPLE_RATE // 1000
    took_s, late_s, began = [], [], time.perf_counter()
    for start in range(0, len(sound), n_piece):
        spoken_s = min(start + n_piece, len(sound)) / SAMPLE_RATE
        if real_time:
            time.sleep(max(0.0, began + spoken_s - time.perf_counter()))
        at = time.perf_counter()
        n_ready = len(stream.push(sound[start:start + n_piece]))
        took_s.append(time.perf_counter() - at)
        out_s = time.perf_counter() - began if real_time else spoken_s + took_s[-1]
        late_s += [out_s - t / FPS for t in range(len(late_s) + 1, len(late_s) + 1 + n_ready)]
    return np.array(took_s), np.array(late_s)
