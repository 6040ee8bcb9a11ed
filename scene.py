"""Several people of one photo speak: a script with names, or a recording of each.

Reads: a photo with several faces; a script of lines `ANNA: Good morning.`, or recordings.
Writes: the video; in RESULT_DIR/NAME/: speech.wav, all that is heard; words.json, words.srt, words.vtt of a script; for each
person a folder with speech.wav, landmarks.npy and what lies beside them, face.json, photo_check.png; lines/, each line spoken.
"""

import time
from pathlib import Path

import click

from conversation import N_STAGES, Role, make_conversation, seconds_of, speak_lines
from core.errors import InputError
from core.events import Done
from core.files import fitting
from core.media.out import target
from core.media.out.stream import taken
from core.media.tracks import choose_track
from core.stage import begin, say, stage, tell
from landmarks.expression import parse_emotion
from learn.device import pick_device
from main import RESULTS, files_between
from render.options import render_options
from render.photo_check import check_photo
from render.render import check_output
from scenes.dialogue import faces_of, people_of, read_dialogue, voices_of
from scenes.tracks import Part, in_turn
from scenes.video import check_options
from speech.engines import DEFAULT_RATE, DEFAULT_VOICE, ENGINES
from speech.script import read_script

_ONE_OF = "a script, or a recording of each"


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
    seconds = [seconds_of(path) for path in recordings]
    parts = [Part(str(face), path, length, channel=i if channels else None)
             for i, (face, path, length) in enumerate(zip(faces, recordings, seconds))]
    return {str(face): Role(face) for face in faces}, parts if together or channels else in_turn(parts)


_PATH = click.Path(path_type=Path)


@stage(reads="PHOTO, a script or recordings",
       writes="the video, its .preview.png; files in between in RESULT_DIR/NAME/, a folder for each person",
       examples=("python scene.py us.jpg --script dialogue.txt",
                 "python scene.py us.jpg --script dialogue.txt --cast ANNA=2 --voice ANNA=en-in+f2 --captions burn",
                 "python scene.py us.jpg --face 1 --audio anna.wav --face 2 --audio ben.wav --output us.mp4",
                 "python scene.py us.jpg --audio call.wav --channels"))
@click.argument("photo", type=_PATH)
@click.option("--script", type=_PATH, help="Lines of a name and a text: ANNA: Good morning.")
@click.option("--text", help="The same, given here.")
@click.option("--cast", multiple=True, metavar="NAME=FACE",
              help="Who has which face, from the left.  [default: as they begin]")
@click.option("--voice", "voices", multiple=True, metavar="NAME=VOICE", help="Who has which; see speak --list-voices.")
@click.option("--language", default=DEFAULT_VOICE, help="Of the voices that are not asked for.")
@click.option("--engine", type=click.Choice(ENGINES), help="Who speaks, as for speak.")
@click.option("--rate", type=int, default=DEFAULT_RATE, help="Words a minute.")
@click.option("--face", "faces", type=int, multiple=True, help="Face of the next --audio, from the left.")
@click.option("--audio", "recordings", type=_PATH, multiple=True, help="What one says; they speak in turn.")
@click.option("--together", is_flag=True, help="All --audio begin at once: tracks of one talk.")
@click.option("--channels", is_flag=True, help="One --audio, a person in each channel.")
@click.option("--emotion", default="auto", metavar="auto|NAME|NAME:STRENGTH", help="On the faces.")
@click.option("--output", "-o", type=target.TARGET, help="The video, or NAME/ for pictures, - for a pipe.")
@target.stream_options
@click.option("--result-dir", type=_PATH, help="Folder of the files in between.  [default: results]")
@render_options
@click.option("--gpu", type=bool, default=True, help="Use CUDA where it helps.")
@click.option("--force", is_flag=True, help="Overwrite a video that this tool did not write.")
def main(photo, script, text, cast, voices, language, engine, rate, faces, recordings, together, channels, emotion, output,
         stream, piped, result_dir, options, gpu, force) -> None:
    """Make several people of one photo speak, each in turn; who does not speak listens, and blinks.

    Only use faces and voices whose owners have agreed. The video says of itself that it is synthetic.
    """
    if sum((script is not None, text is not None, bool(recordings))) != 1:
        raise InputError("--script, --text, --audio", "none or several given", _ONE_OF, "--script dialogue.txt")
    began, name = time.monotonic(), f"{fitting(photo.stem)}_{time.strftime('%Y%m%d-%H%M%S')}"
    check_options(options)
    parse_emotion(emotion)
    given_out = target.chosen(output, stream, piped)
    left = result_dir or (None if given_out else RESULTS)
    with files_between(left, name) as folder, \
            taken(check_output(given_out or folder.with_name(f"{folder.name}.mp4"), force, options,
                               (photo, script, *recordings))) as out:
        begin("photo", 1, N_STAGES)
        first = check_photo(photo, "1")
        n_faces = len(first.boxes)
        lines = None if recordings else read_dialogue(read_script(script, language) if script else text, script or "--text")
        begin("speech", 2, N_STAGES)
        words = None
        if lines:
            chosen = faces_of(people_of(lines), cast, n_faces, photo)
            speak_as = voices_of(list(chosen), voices, language, engine)
            roles = {name: Role(face, speak_as[name], engine) for name, face in chosen.items()}
            for name, role in roles.items():
                say(f"{name}: face {role.face}, voice {role.voice}")
            parts, words = speak_lines(lines, roles, folder, script or "--text", rate=rate, emotion=emotion)
        else:
            roles, parts = _recorded(recordings, faces, n_faces, together, channels)
        device = pick_device("auto" if gpu else "cpu", "photo")
        click.echo(make_conversation(photo, roles, parts, words, out, folder, options, emotion=emotion, device=device,
                                     check=lambda path, which: first if which == "1" else check_photo(path, which, seen=first)))
        tell(Done(f"done in {time.monotonic() - began:.1f} s"))


if __name__ == "__main__":
    main()
