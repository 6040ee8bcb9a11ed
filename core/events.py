"""What a run tells whoever listens to it: each event is a small object, a line for a person, and an object of JSON.

Reads, writes: nothing. `core.stage.tell` hands events out; docs/progress.md describes their JSON.
"""

from dataclasses import dataclass
from pathlib import Path

from core.errors import in_one_line


@dataclass(frozen=True)
class Message:
    """Something a person would read."""

    text: str

    def __str__(self):
        return self.text

    def as_json(self) -> dict:
        """The object of docs/progress.md."""
        return {"message": str(self)}


@dataclass(frozen=True)
class Warned(Message):
    """What may spoil the result; `where` is the file it is said of, if any."""

    where: str | Path = ""

    def __str__(self):
        return f"warning: {in_one_line(str(self.where))}: {self.text}" if self.where else f"warning: {self.text}"


@dataclass(frozen=True)
class Transcribed(Message):
    """What is said in the speech, or that no words were understood."""

    def __str__(self):
        return f"transcript: {self.text}"


@dataclass(frozen=True)
class FileWritten(Message):
    """A file is there, whole: its `path`, and its `kind`, a name of `core.kinds.KINDS`."""

    path: Path
    kind: str


@dataclass(frozen=True)
class Done(Message):
    """The run has ended well."""


@dataclass(frozen=True)
class Failed(Message):
    """The run has ended for a reason that is the user's to mend."""

    def __str__(self):
        return f"error: {self.text}"

    def as_json(self) -> dict:
        """The object of docs/progress.md."""
        return {"error": self.text}


@dataclass(frozen=True)
class StageStarted:
    """Stage `number`, from 1, of `n_stages` begins."""

    stage: str
    number: int
    n_stages: int

    def __str__(self):
        return f"[{self.number}/{self.n_stages}] {self.stage}"

    def as_json(self) -> dict:
        """The object of docs/progress.md."""
        return {"stage": self.stage, "number": self.number, "of": self.n_stages}


@dataclass(frozen=True)
class Progress:
    """A stage goes on: the share that is `done`, 0..1, and the time it still takes. A person sees a bar instead."""

    stage: str
    done: float
    seconds_left: float

    def as_json(self) -> dict:
        """The object of docs/progress.md."""
        return {"stage": self.stage, "done": self.done, "seconds_left": self.seconds_left}


Event = Message | StageStarted | Progress
