"""The front command: `talking-face make me.jpg speech.wav -o me.mp4`, and the commands people use most, from any folder.

Reads, writes: what the command that is called does. Completion: `talking-face completion bash` (zsh, fish) prints it.
"""

import copy
import importlib
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from core.stage import PathCommand, is_dashed_path

COMMANDS = {  # name -> module of the command, and what it does; the module is read only when it is called
    "make": ("main", "Make a photo, or a video, speak: PHOTO and SPEECH, or --text."),
    "scene": ("scene", "Make several people of one photo speak, each in turn."),
    "batch": ("batch", "Make many videos: TABLE.csv, or a folder of recordings."),
    "predict": ("predict", "Turn speech into moving landmarks."),
    "check": ("render.face_check", "Say which faces a photo holds, and what may spoil the result."),
    "sync": ("landmarks.sync.__main__", "Say by how much sound and lips of a video are apart."),
    "avatar": ("avatar.translate", "Turn a photo, or a video, into a comic."),
    "speak": ("speech.synthesize", "Say a text and write it as sound."),
    "words": ("speech.transcribe", "Write down what is said in a recording, and when."),
    "motion": ("render.exchange.convert", "Turn landmarks into blendshapes or mouth shapes, or back."),
    "inspect": ("viewer.inspect", "Say what a file is, and draw it."),
    "app": ("app", "Serve the page."),
    "live": ("web.live.__main__", "Serve a face that speaks along with the microphone."),
    "doctor": ("doctor", "Check the installation."),
}
_PHOTO_AND_SPEECH = ("--image", "--audio")  # of `make`, whose files may stand without their names
_FILES_FIRST = re.compile(r"--(?:(?:source[-_])?image|video|(?:driven[-_])?audio) ")
_OUTPUT = re.compile(r"--output\b")
_CALLS = [(re.compile(rf"make {name} FILE=|python (-m )?{re.escape(module.removesuffix('.__main__'))}(\.py)? "),
           f"talking-face {name} ") for name, (module, _) in COMMANDS.items()]
_FILES = ("PHOTO|VIDEO", "[SPEECH]", "[-o OUT]", "[OPTIONS]")
_SHELLS = ("bash", "zsh", "fish")
_ABOUT = {**{name: about for name, (_, about) in COMMANDS.items()},
          "completion": "Print what makes a shell complete these commands."}
_COMPDEF = "    compdef "  # a bare ~/.zshrc does not know it yet
_COMPINIT = "    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }\n"


def _version() -> str:
    try:
        return version("talking-face")
    except PackageNotFoundError:
        return "not installed: run in its folder"


def _named(arguments) -> list:
    """The arguments of `make` with --image, or --video, and --audio before the files that stand first."""
    arguments, names, first = list(arguments), list(_PHOTO_AND_SPEECH), []
    if arguments and not arguments[0].startswith("--"):
        from preprocess.recordings import VIDEO
        names[0] = "--video" if Path(arguments[0]).suffix.lower() in VIDEO else names[0]
    while arguments and names and (not arguments[0].startswith("-") or is_dashed_path(arguments[0])):
        first += [names.pop(0), arguments.pop(0)]
    return first + arguments


def _as_called(text: str) -> str:
    """The words of a help page, with command lines as they are typed to call talking-face."""
    lines: list[str] = []
    for line in text.splitlines():
        told = f"{line} "
        for typed, called in _CALLS:
            told = typed.sub(called, told)
        if "talking-face make " in told:
            told = _OUTPUT.sub("-o", _FILES_FIRST.sub("", told))
        lines.append(told.rstrip())
    return "\n".join(lines)


class _Make(PathCommand):
    """`main.py`, its photo or video and its speech as arguments."""

    def collect_usage_pieces(self, context):
        return list(_FILES)

    def parse_args(self, context, arguments):
        return super().parse_args(context, _named(arguments))

    def shell_complete(self, context, incomplete):
        options = super().shell_complete(context, incomplete)
        return options if incomplete.startswith("-") else [*options, CompletionItem(incomplete, type="file")]


class _Lazy(click.Group):
    """A group whose commands are read when they are called: --help answers at once."""

    def list_commands(self, context):
        return [*COMMANDS, *super().list_commands(context)]

    def get_command(self, context, name):
        if name not in COMMANDS:
            return super().get_command(context, name)
        command = copy.copy(importlib.import_module(COMMANDS[name][0]).main)
        command.name, command.help, command.epilog = name, _as_called(command.help), _as_called(command.epilog)
        if name == "make":
            command.__class__ = _Make
        return command

    def format_commands(self, context, formatter):
        with formatter.section("Commands"):
            formatter.write_dl(list(_ABOUT.items()))

    def shell_complete(self, context, incomplete):
        names = [CompletionItem(name, help=about) for name, about in _ABOUT.items() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, context, incomplete)  # a group's would read every command


_EPILOG = """\b
Examples:
  talking-face make me.jpg speech.wav -o me.mp4
  talking-face make talk.mp4 new.wav -o dubbed.mp4
  talking-face sync me.mp4"""


@click.group(cls=_Lazy, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(_version(), prog_name="talking-face")
def main() -> None:
    """Give it a photo, or a video, and a recording; get a talking face.

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
    complete = get_completion_class(shell)(main,  # type: ignore[misc]  # `shell` is one that click knows
                                           {}, Path("talking-face").name, "_TALKING_FACE_COMPLETE")
    click.echo(complete.source().replace(_COMPDEF, _COMPINIT + _COMPDEF))


if __name__ == "__main__":
    main()
