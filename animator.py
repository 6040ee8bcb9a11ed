"""Photo and speech to a talking video: all stages in a row, for programs. `main.py` is the same as a command.

Reads: a photo; speech in any audio format, or a text to speak.
Writes: the video, and in FOLDER the files in between: face.json and photo_check.png, rest_photo.png of an open mouth,
avatar.png on request, speech.wav (spoken or converted), words.json, words.srt and words.vtt, landmarks.npy, rest_face.npy,
head.npy, noise.npy, landmarks.gif, index.html on request; emotion.json, emotion.png and speech_embedding.npy when the emotion
is found in the voice.
Models are read once a process, see `core.cache`: a second video begins at once.
"""

import sys
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from core import artifacts
from core.cache import Recent
from core.errors import InputError
from core.events import Done, FileWritten
from core.media.footage import open_footage
from core.media.out.target import Target, files_of, target_of
from core.media.speech import open_speech
from core.processes.child import start_in_child
from core.stage import begin, overheard, retell, say, start_aside, tell
from landmarks.expression import parse_emotion
from render import motion, photo_check
from render.avatar import as_comic
from render.dub.clip import see
from render.dub.dub import SEEN, SHEET, dub_video
from render.dub.options import LOOPS, TAILS, check_options
from render.options import DEFAULTS
from render.parts.rest import REST, SHUT_FIRST, shut_lips, write_rest
from render.render import render_video
from speech.engines import DEFAULT_RATE, DEFAULT_VOICE
from speech.voices import kokoro


class Animator:
    """Makes photos speak. One object serves several threads; what they share is read once and used in turn.

    Parameters
    ----------
    model : landmark-model; the one that ships by default
    device : auto, cpu or cuda, where the picture network runs
    once : for one video, from a cold start: libraries are read here while another process looks at the photo
    """

    _one_at_a_time = threading.Lock()  # the face detector and dlib's embedding hold the picture they work on
    _photos = Recent(2)  # of a batch most rows have the same

    def __init__(self, model=None, device="auto", once=False):
        self.model, self.device, self.once = model, device, once

    def animate(self, photo, speech=None, out="results/video.mp4", *, folder=None, text=None, text_from="--text",
                voice=DEFAULT_VOICE, rate=DEFAULT_RATE, engine=None, pitch=1.0, voice_model=None, transcriber=None,
                force_captions=False, keep=False, passing=False, template=None, which=None, points_file=None,
                emotion="auto", options=DEFAULTS, **changes) -> Target:
        """Make one video; return where it is.

        Parameters
        ----------
        photo : a picture with a face
        speech : a recording; without it `text` is spoken, by `voice` of `engine` at `rate` words a minute, see `write_speech`
        pitch, voice_model : of that voice
        out : the video, a .mp4; or NAME/ for a folder of pictures, see `core.media.out.target`
        folder : of the files in between; by default OUT without its ending
        text, text_from : what is said, and where it stands, for messages
        transcriber : the engine that recognises `speech` when there is no `text`, see `recognise`; by default Whisper where
            it is installed, but only where captions or `keep` need it; "none" for none
        force_captions : captions also of words that were understood badly, see `check_confidence`
        keep : also leave the speech and index.html in `folder`
        passing : `folder` goes when the video is made: its files are not told of
        template : landmarks that stand for the prediction
        which, points_file : the face in the photo, see `check_photo`
        emotion : on the face, see `predict_file`, and in the voice that speaks `text`; not with `template`
        options : `RenderOptions`, how the video looks and moves; its `seed` and `style` are also those of the landmarks,
            and with its `avatar` "comic" a comic of the photo speaks
        changes : fields of `options`, each under its own name: ``captions="burn", size_px=512``

        Raises
        ------
        InputError : anything given that cannot be used; nothing is written then.
        """
        began, out, options = time.monotonic(), target_of(out), replace(options, **changes)
        folder = Path(folder) if folder else files_of(out)
        go_on = _announcer(["photo", "speech", "landmarks", "render", *(["page"] if keep else [])])
        go_on()
        speaks = text is not None and not speech and engine in (None, "kokoro") and voice.startswith("en")
        found = self._checked(photo, which, points_file, speaks)
        say("face found")
        face = found.photo if options.avatar != "none" else shut_lips(found.photo)
        if face.opened:
            say(SHUT_FIRST)
        parse_emotion(emotion)
        if template:
            artifacts.check(template, *motion.READS)
        go_on()
        speech, words = self._heard(
            speech, folder, options, keep=keep, passing=passing, text=text, text_from=text_from, transcriber=transcriber,
            force_captions=force_captions, spoken={"voice": voice, "rate": rate, "engine": engine, "pitch": pitch,
                                                   "voice_model": voice_model, "emotion": emotion})
        go_on()
        moves = template or self._landmarks(speech, folder, emotion, options, passing)
        if options.avatar != "none":
            with self._one_at_a_time:
                found = as_comic(found, folder / "avatar.png")
                face = found.photo
        written = [photo_check.write_check(found, folder)[-1], *([write_rest(face, folder / REST)] if face.opened else [])]
        if not passing:
            say(f"photo, checked: {', '.join(map(str, written))}")
        go_on()
        video = render_video(moves, out, options, face=face, speech=speech, device=self.device, words=words)
        return _finished(video, speech, folder, go_on, began, keep, passing)

    def dub(self, video, speech=None, out="results/video.mp4", *, folder=None, text=None, text_from="--text",
            voice=DEFAULT_VOICE, rate=DEFAULT_RATE, engine=None, pitch=1.0, voice_model=None, transcriber=None,
            force_captions=False, keep=False, passing=False, template=None, which=None, points_file=None, emotion="auto",
            options=DEFAULTS, loop=LOOPS[0], tail=TAILS[0], **changes) -> Target:
        """Give a video another voice; return where the new one is.

        Parameters
        ----------
        video : of a person who speaks; all of it stays but the mouth and the jaw, see `render.dub`
        which : the face, where there are several
        loop, tail : of a video that is shorter, or longer, than the speech, see `dub_video`

        Raises
        ------
        InputError : as `animate`, whose other parameters are the same here; for `options` of what a video has itself
        """
        began, out, options = time.monotonic(), target_of(out), replace(options, **changes)
        folder = Path(folder) if folder else files_of(out)
        go_on = _announcer(["speech", "landmarks", "video", "dub", *(["page"] if keep else [])])
        go_on()
        check_options(options, points_file)
        parse_emotion(emotion)
        if template:
            artifacts.check(template, *motion.READS)
        open_footage(video)
        speech, words = self._heard(
            speech, folder, options, keep=keep, passing=passing, text=text, text_from=text_from, transcriber=transcriber,
            force_captions=force_captions, spoken={"voice": voice, "rate": rate, "engine": engine, "pitch": pitch,
                                                   "voice_model": voice_model, "emotion": emotion})
        go_on()
        landmarks = self._begin_landmarks(template, speech, folder, emotion, options, passing)
        go_on()
        try:
            clip = see(video, folder / SEEN, which)
        except InputError:  # one in the speech is told first, as ever; and nobody writes any more
            landmarks()
            raise
        moves = landmarks()
        go_on()
        made = dub_video(clip, moves, out, options, speech=speech, loop=loop, tail=tail, device=self.device, words=words,
                         sheet=folder / SHEET)
        return _finished(made, speech, folder, go_on, began, keep, passing)

    def _heard(self, speech, folder, options, *, keep, passing, text, text_from, transcriber, force_captions, spoken):
        """The `Speech` that is heard, a recording or `text` that is `spoken`, and its words.json or None."""
        if not speech:
            return self._spoken(folder, text, text_from, **spoken)
        from preprocess.convert_audio import open_recording
        speech, captions = open_recording(speech, folder, keep, passing), options.captions != "none"
        recogniser = transcriber if transcriber or captions or keep else "none"
        return speech, self._words_of(speech, folder, text, text_from, recogniser, captions, force_captions)

    def check(self, photo, which=None) -> photo_check.FaceCheck:
        """`check_photo`, while no other thread looks at a photo."""
        with self._one_at_a_time:
            return photo_check.check_photo(photo, which)

    def _checked(self, photo, which, points_file, speaks):
        look = partial(photo_check.check_photo, photo, which, points_file)
        if self.once and "render.parts.painted" not in sys.modules:
            look = start_in_child(photo_check.check_photo, photo, which, points_file)
            import landmarks.predict  # noqa: F401
            import render.parts.painted  # noqa: F401  what later stages need, as long as the detector's models take
            if speaks:
                kokoro.load_ahead()
        with self._one_at_a_time:
            if points_file or not Path(photo).is_file():
                return look()
            about = Path(photo).stat()
            key = str(photo), Path(photo).absolute(), which, about.st_ino, about.st_mtime_ns, about.st_size
            return retell(self._photos.get(key, lambda: overheard(look)))

    def _landmarks(self, speech, folder, emotion, options, passing):
        from landmarks.predict import predict_file
        path = predict_file(speech, folder, self.model, emotion=emotion, seed=options.seed, style=options.style,
                            drawings=not passing)
        if not passing:
            tell(FileWritten(f"landmarks: {path}", path, "landmarks-face"))
        return path

    def _begin_landmarks(self, template, *how):
        """`_landmarks` of a cold start in another process, else here: a function that waits for their path."""
        if not template and self.once and "onnxruntime" not in sys.modules:  # its threads do not outlive being copied
            return start_aside(partial(self._landmarks, *how))
        path = template or self._landmarks(*how)
        return lambda: path

    @staticmethod
    def _spoken(folder, text, text_from, **how):
        """Speak `text`; the `Speech`, and its words.json or None."""
        from speech.speakable import check_text
        from speech.synthesize import STAGE, write_speech
        if text is None:
            raise InputError("speech", "neither a recording nor a text", "one of the two",
                             '--audio speech.wav, or --text "Hello."')
        path = folder / "speech.wav"
        words = write_speech(check_text(text, how["voice"], text_from), path, where=text_from, **how)
        return open_speech(path), _words_file(words, folder, STAGE, path)

    @staticmethod
    def _words_of(speech, folder, text, text_from, recogniser, captions, forced):
        """The words.json of a recording, or None: its `text` found in it, else what `recogniser` understands."""
        from speech.transcribe import STAGE, check_confidence, words_of
        if text is None and recogniser == "none":
            return None
        words = words_of(speech.sound, text=text, engine=recogniser, where=text_from)
        usable = check_confidence(words, speech.path, captions=captions, forced=forced)
        return _words_file(words, folder, STAGE, speech.path, usable)


def _finished(video, speech, folder, go_on, began, keep, passing):
    """Say where the files are, with `keep` on a page that shows them, and how long it took; the video."""
    if keep:
        from viewer.page import write_page
        go_on()
        say(f"all files: {write_page(folder, video, speech)}")
    elif not passing:
        say(f"files in between: {folder}")
    tell(Done(f"done in {time.monotonic() - began:.1f} s"))
    return video


def _words_file(words, folder, stage, speech, captions=True):
    from speech.transcribe import write_words
    return None if words is None else write_words(words, folder, stage=stage, inputs=[speech], captions=captions)[0]


def _announcer(names):
    """A function that says, each time it is called, which of the stages `names` begins."""
    begun = iter([(name, number, len(names)) for number, name in enumerate(names, 1)])
    return lambda: begin(*next(begun))
