"""The front command: `talking-face make me.jpg speech.wav -o me.mp4`, and the commands people use most, from any folder.

Reads, writes: what the command that is called does. Completion: `talking-face completion bash` (zsh, fish) prints it.
"""

import importlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

COMMANDS = {  # name -> module of the command, and what it does; the module is read only when it is called
    "make": ("main", "Make a photo speak: PHOTO and SPEECH, or --text."),
    "predict": ("predict", "Turn speech into moving landmarks."),
    "check": ("render.face_check", "Say which faces a photo holds, and what may spoil the result."),
    "sync": ("landmarks.sync.__main__", "Say by how much sound and lips of a video are apart."),
    "avatar": ("avatar.translate", "Turn a photo, or a video, into a comic."),
    "speak": ("speech.synthesize", "Say a text and write it as sound."),
    "words": ("speech.transcribe", "Write down what is said in a recording, and when."),
    "inspect": ("viewer.inspect", "Say what a file is, and draw it."),
    "app": ("app", "Serve the page."),
    "live": ("web.live", "Serve a face that speaks along with the microphone."),
    "doctor": ("doctor", "Check the installation."),
}
_PHOTO_AND_SPEECH = ("--image", "--audio")  # of `make`, whose files may stand without their names
_PARTS = ("callback", "params", "help", "epilog", "context_settings")  # of a click command
_SHELLS = ("bash", "zsh", "fish")


def _version() -> str:
    try:
        return version("talking-face")
    except PackageNotFoundError:
        return "not installed: run in its folder"


def _named(arguments) -> list:
    """The arguments of `make` with --image and --audio before the files that stand first; -o is --output."""
    arguments, names = ["--output" if argument == "-o" else argument for argument in arguments], list(_PHOTO_AND_SPEECH)
    first = []
    while arguments and not arguments[0].startswith("-") and names:
        first += [names.pop(0), arguments.pop(0)]
    return first + arguments


class _Make(click.Command):
    """`main.py`, its photo and its speech as arguments."""

    def parse_args(self, context, arguments):
        return super().parse_args(context, _named(arguments))


class _Lazy(click.Group):
    """A group whose commands are read when they are called: --help answers at once."""

    def list_commands(self, context):
        return [*COMMANDS, *super().list_commands(context)]

    def get_command(self, context, name):
        if name not in COMMANDS:
            return super().get_command(context, name)
        command = importlib.import_module(COMMANDS[name][0]).main
        if name == "make":
            command = _Make("make", **{part: getattr(command, part) for part in _PARTS})
        command.name = name
        return command

    def format_commands(self, context, formatter):
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()]
                               + [("completion", "Print what makes a shell complete these commands.")])


_EPILOG = """\b
Examples:
  talking-face make me.jpg speech.wav -o me.mp4
  talking-face sync me.mp4

\b
Reads:   what the command reads
Writes:  what the command writes"""


@click.group(cls=_Lazy, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(_version(), prog_name="talking-face")
def main() -> None:
    """Give it a photo and a recording; get a talking face.

    Only use a face or a voice whose owner has agreed. `talking-face COMMAND -h` tells more of each.
    """


@main.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print what makes a shell complete these commands.

    \b
    bash: talking-face completion bash >> ~/.bashrc
    zsh:  talking-face completion zsh >> ~/.zshrc
    fish: talking-face completion fish > ~/.config/fish/completions/talking-face.fish
    """  # noqa: D301  # click's \b is a real backspace
    from click.shell_completion import get_completion_class
    complete = get_completion_class(shell)(main,  # type: ignore[misc]  # `shell` is one that click knows
                                           {}, Path("talking-face").name, "_TALKING_FACE_COMPLETE")
    click.echo(complete.source())


if __name__ == "__main__":
    main()
