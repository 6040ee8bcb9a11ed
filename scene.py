"""Several people of one photo speak: a script with names, or a recording of each.

Reads: a photo with several faces; a script of lines `ANNA: Good morning.`, or recordings.
Writes: the video; in RESULT_DIR/NAME/: speech.wav, all that is heard; words.json, words.srt, words.vtt of a script; for each
person a folder with speech.wav, landmarks.npy and what lies beside them, face.json, photo_check.png; lines/, each line spoken.
"""

import time
from dataclasses import replace
from pathlib import Path

import click

from core.clock import SAMPLE_RATE
from core.errors import InputError
from core.events import Done
from core.files import fitting
from core.media.out import target
from core.media.out.stream import taken
from core.media.speech import open_speech
from core.media.tracks import choose_track
from core.stage import begin, say, stage, tell
from landmarks.expression import parse_emotion
from landmarks.predict import predict_file
from learn.device import pick_device
from main import RESULTS, files_between
from render.options import render_options
from render.photo_check import check_photo, write_check
from render.render import check_output
from scenes.dialogue import faces_of, people_of, read_dialogue, voices_of
from scenes.tracks import Part, in_turn, write_track
from scenes.video import STAGE, Person, check_options, write_scene
from speech.engines import DEFAULT_RATE, DEFAULT_VOICE, ENGINES
from speech.script import read_script
from speech.speakable import check_text
from speech.synthesize import write_speech
from speech.transcribe import write_words

_TAIL_S = 0.4  # of stillness after the last word
_ONE_OF = "a script, or a recording of each"


def _seconds(path) -> float:
    return len(open_speech(path).sound) / SAMPLE_RATE


def _spoken(lines, voices, folder, where, **how):
    """A `Part` for each line, and the `Word`s of all of them on the clock of the scene; None when an engine tells none."""
    parts, said = [], []
    for i, line in enumerate(lines, 1):
        path = folder / "lines" / f"{i:03d}_{fitting(line.name)}.wav"
        text = check_text(line.text, voices[line.name], where)
        said.append(write_speech(text, path, where=where, voice=voices[line.name], **how))
        parts.append(Part(line.name, path, _seconds(path)))
    parts = in_turn(parts)
    timed = [(part.start_s, word) for part, words in zip(parts, said) for word in words or ()]
    return parts, None if None in said else [replace(word, start_s=word.start_s + start_s, end_s=word.end_s + start_s)
                                             for start_s, word in timed]


def _recorded(recordings, faces, n_faces, together, channels):
    """The people, named after their faces, and a `Part` for each."""
    if channels:
        if len(recordings) != 1:
            raise InputError("--channels", f"{len(recordings)} recordings", "one, with a person in each of its two channels")
        if (n_channels := len(choose_track(recordings[0]).weights)) < 2:
            raise InputError(recordings[0], f"{n_channels} channel", "two, with a person in each")
        recordings = recordings * 2
    if len(recordings) < 2:
        raise InputError("--audio", f"{len(recordings)} recording{'s' * (len(recordings) != 1)}", _ONE_OF,
                         "--face 1 --audio a.wav --face 2 --audio b.wav")
    if faces and len(faces) != len(recordings):
        raise InputError("--face", f"{len(faces)} faces for {len(recordings)} recordings", "one before each --audio")
    faces = faces or tuple(range(1, len(recordings) + 1))
    if wrong := [face for face in faces if not 1 <= face <= n_faces]:
        raise InputError("--face", f"{wrong[0]}, and the photo has {n_faces} face{'s' * (n_faces != 1)}", f"1 to {n_faces}")
    if len(set(faces)) < len(faces):
        raise InputError("--face", "one face for two recordings", "another face for each")
    seconds = [_seconds(path) for path in recordings]
    parts = [Part(str(face), path, length, channel=i if channels else None)
             for i, (face, path, length) in enumerate(zip(faces, recordings, seconds))]
    return {str(face): face for face in faces}, parts if together or channels else in_turn(parts)


_PATH = click.Path(path_type=Path)


@stage(reads="PHOTO, a script or recordings",
       writes="the video, its .preview.png; speech.wav, words.json, words.srt, words.vtt, lines/, a folder for each person in "
              "RESULT_DIR/NAME/, not with --output alone",
       examples=("python scene.py us.jpg --script dialogue.txt",
                 "python scene.py us.jpg --script dialogue.txt --cast ANNA=2 --voice ANNA=en-in+f2 --captions burn",
                 "python scene.py us.jpg --face 1 --audio anna.wav --face 2 --audio ben.wav --output us.mp4",
                 "python scene.py us.jpg --audio call.wav --channels"))
@click.argument("photo", type=_PATH)
@click.option("--script", type=_PATH, help="Text file of lines that begin with a name: ANNA: Good morning.")
@click.option("--text", help="The same, given here.")
@click.option("--cast", multiple=True, metavar="NAME=FACE",
              help="Who has which face, from the left.  [default: in the order in which they begin to speak]")
@click.option("--voice", "voices", multiple=True, metavar="NAME=VOICE", help="Who has which voice, see speak --list-voices.")
@click.option("--language", default=DEFAULT_VOICE, help="Of the voices that are not asked for.")
@click.option("--engine", type=click.Choice(ENGINES), help="Who speaks, as for speak.")
@click.option("--rate", type=int, default=DEFAULT_RATE, help="Words a minute.")
@click.option("--face", "faces", type=int, multiple=True, help="Face of the next --audio, from the left.")
@click.option("--audio", "recordings", type=_PATH, multiple=True, help="What one of them says; they speak in turn.")
@click.option("--together", is_flag=True, help="All recordings begin at once: each is a track of one talk.")
@click.option("--channels", is_flag=True, help="One recording: the left channel is the first face's, the right the second's.")
@click.option("--emotion", default="auto", metavar="auto|NAME|NAME:STRENGTH", help="On the faces.")
@click.option("--output", type=target.TARGET, help="The video, or NAME/ for pictures, - for a pipe.")
@target.stream_option
@click.option("--result-dir", type=_PATH, help="Folder of the files in between.  [default: results]")
@render_options
@click.option("--gpu", type=bool, default=True, help="Use CUDA when there is one.")
@click.option("--force", is_flag=True, help="Overwrite a video that this tool did not write.")
def main(photo, script, text, cast, voices, language, engine, rate, faces, recordings, together, channels, emotion, output,
         stream, result_dir, options, gpu, force) -> None:
    """Make several people of one photo speak, each in turn; who does not speak listens, and blinks.

    Only use faces and voices whose owners have agreed. The video says of itself that it is synthetic.
    """
    if sum((script is not None, text is not None, bool(recordings))) != 1:
        raise InputError("--script, --text, --audio", "none or several given", _ONE_OF, "--script dialogue.txt")
    began, name = time.monotonic(), f"{fitting(photo.stem)}_{time.strftime('%Y%m%d-%H%M%S')}"
    check_options(options)
    parse_emotion(emotion)
    given_out = target.chosen(output, stream)
    left = result_dir or (None if given_out else RESULTS)
    with files_between(left, name) as folder, \
            taken(check_output(given_out or folder.with_name(f"{folder.name}.mp4"), force, options,
                               (photo, script, *recordings))) as out:
        begin("photo", 1, 4)
        first = check_photo(photo, "1")
        n_faces = len(first.boxes)
        lines = None if recordings else read_dialogue(read_script(script, language) if script else text, script or "--text")
        begin("speech", 2, 4)
        words = None
        if lines:
            chosen = faces_of(people_of(lines), cast, n_faces, photo)
            speak_as = voices_of(list(chosen), voices, language, engine)
            for person, face in chosen.items():
                say(f"{person}: face {face}, voice {speak_as[person]}")
            parts, words = _spoken(lines, speak_as, folder, script or "--text", rate=rate, engine=engine, emotion=emotion)
        else:
            chosen, parts = _recorded(recordings, faces, n_faces, together, channels)
        if options.captions != "none" and words is None:
            raise InputError("--captions", f"{options.captions}, without words", "a script", "--captions none")
        seconds = max(part.end_s for part in parts) + _TAIL_S
        speech = open_speech(write_track(parts, folder / "speech.wav", seconds, stage=STAGE))
        words_file = None if words is None else write_words(words, folder, stage=STAGE, inputs=[speech.path])[0]
        begin("landmarks", 3, 4)
        people = []
        for i, (person, face) in enumerate(chosen.items()):
            own = write_track([part for part in parts if part.person == person], folder / person / "speech.wav", seconds,
                              stage=STAGE)
            landmarks = predict_file(own, folder / person, emotion=emotion, seed=options.seed + i, style=options.style)
            found = first if face == 1 else check_photo(photo, str(face), seen=first)
            write_check(found, folder / person)
            people.append(Person(person, found.photo, landmarks))
        begin("render", 4, 4)
        device = pick_device("auto" if gpu else "cpu", "photo")
        click.echo(write_scene(people, out, options, speech, words=words_file, device=device))
        tell(Done(f"done in {time.monotonic() - began:.1f} s"))


if __name__ == "__main__":
    main()
