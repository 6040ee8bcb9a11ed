"""A face that speaks along with you: microphone or recording in, moving pictures out, in a browser on this machine.

Reads: PHOTO, and SPEECH for those without a microphone. Writes: nothing that stays; prints the address, and how late it is.
`web.live.talk` says what goes over the sockets.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from threadpoolctl import threadpool_limits

from core import paths
from core.clock import FPS, SAMPLE_RATE
from core.errors import InputError
from core.media.audio import read_speech
from core.media.marks.watermark import check_mark, watermark_option
from core.stage import say, stage
from landmarks.emphasis.style import DEFAULT, STYLES
from render import photo_check
from render.options import face_options
from render.photo import FRAMINGS
from web.guard import Guard
from web.live.camera import Camera
from web.live.talk import Talk
from web.serve import LIVE_PORT, LOOPBACK, PAGE_PORT, bind, door, serve

if TYPE_CHECKING:
    from web.live.face import LiveFace

HOST, PORT = LOOPBACK, LIVE_PORT  # a browser gives the microphone to this machine's own pages, or to https
REHEARSED_S = 2
SAMPLE = paths.SAMPLE_SPEECH
_HERE = Path(__file__).resolve().parent


def site(face: "LiveFace", speech: str | Path, page_port: int = PAGE_PORT, *, folder: Path,
         read_face: Callable[[Path], "LiveFace"] | None = None, shown: Sequence[Callable[[bytes], None]] = ()) -> Guard:
    """The page and its sockets, an ASGI app.

    Parameters
    ----------
    face, folder, read_face, shown : see `web.live.talk.Talk`
    speech : a .wav that the page can play
    page_port : for a link
    """
    from starlette.applications import Starlette
    from starlette.responses import FileResponse, Response
    from starlette.routing import Route, WebSocketRoute
    talk = Talk(face, folder, read_face, tuple(shown))
    files = {"/": _HERE / "page.html", "/live.js": _HERE / "live.js", "/worklet.js": _HERE / "worklet.js",
             "/speech.wav": speech}

    def send_file(path):
        return lambda request: FileResponse(path)

    def photo(_request):
        return Response(talk.still, media_type="image/jpeg", headers={"cache-control": "no-store"})

    routes = [*(Route(at, send_file(path)) for at, path in files.items()),
              Route("/photo.jpg", photo), Route("/photo", talk.choose, methods=["PUT"]),
              Route("/recording/{name}.mp4", talk.recordings.send),
              Route("/page", door(page_port, "A video of a photo and a voice", "make app")),
              WebSocketRoute("/face", talk.meet), WebSocketRoute("/watch", talk.watch)]
    return Guard(Starlette(routes=routes))


_PATH = click.Path(path_type=Path)


@stage(reads="PHOTO; SPEECH (.wav); the models that ship", writes="nothing; prints the address of the page, and times",
       examples=("python -m web.live --photo me.jpg", "python -m web.live --photo me.jpg --speech talk.wav --size 256"))
@click.option("--photo", "photo_path", type=_PATH, required=True, help="The face.")
@face_options
@click.option("--speech", type=_PATH, default=SAMPLE, show_default="the sample", help="Recording that the page can play.")
@click.option("--preprocess", type=click.Choice(FRAMINGS), default="crop", help="Whole photo, or face alone.")
@click.option("--size", "size_px", type=click.IntRange(64, 1024), help="Longer side in px.  [default: 384]")
@click.option("--style", type=click.Choice(list(STYLES)), default=DEFAULT, help="How far the face moves.")
@watermark_option
@click.option("--camera", type=_PATH, metavar="/dev/videoN",
              help="Also show the face there, a camera for other programs: Linux, with v4l2loopback.")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, help="Where the page is.")
@click.option("--page-port", type=click.IntRange(1, 65535), default=PAGE_PORT, help="Where `make app` is, for the link to it.")
def main(photo_path, which, points_file, speech, preprocess, size_px, style, watermark, camera, port, page_port) -> None:
    """Serve a page with a face that speaks along with the microphone, until Ctrl-C.

    One page speaks at a time, all that are open see it. A page can choose another photo, and record what it says.
    """
    check_mark(watermark)
    sound = read_speech(speech)
    if len(sound) < SAMPLE_RATE:
        raise InputError(speech, f"{len(sound) / SAMPLE_RATE:.1f} s of sound", "a second or more", "leave --speech away")
    with bind(HOST, port) as ours, tempfile.TemporaryDirectory(prefix="talking-face-") as folder:
        found = photo_check.find_face(photo_path, which, points_file)
        from web.live.face import SIZE_PX, LiveFace, rehearse
        threadpool_limits(1, "blas")  # as long as this serves: systems this small lose by waiting threads

        def face_of(photo):
            return LiveFace(photo, preprocess, size_px or SIZE_PX, style, watermark)

        face = face_of(found)
        took_s = rehearse(face, sound[:REHEARSED_S * SAMPLE_RATE])
        say(f"a frame takes {1000 * took_s:.0f} ms of one core; {1000 / FPS:.0f} ms are there for each")
        shown = [Camera(camera, face.still()).show] if camera else []
        serve(site(face, speech, page_port, folder=Path(folder), read_face=lambda path: face_of(photo_check.find_face(path)),
                   shown=shown), ours, HOST)


if __name__ == "__main__":
    main()
