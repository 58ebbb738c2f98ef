"""What a case takes of processor and memory, and which files it touches."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Of processor time, for each verb, of this process and all that it started.
SECONDS, SECONDS_A_LAYER = 2.0, 150e-6
BUSY = 1.5
MEMORY, MEMORY_A_BYTE = 300 << 20, 20  # bytes
TICK = os.sysconf("SC_CLK_TCK")


class FaultError(Exception):
    """What may not be, and is no exception of its own."""


def family_seconds() -> float:
    """The processor's seconds of this process, of those it started, and of those of them that ended."""
    total = sum(os.times()[:4])
    for task in os.listdir("/proc/self/task"):
        for child in _text(f"/proc/self/task/{task}/children").split():
            try:
                fields = _text(f"/proc/{child}/stat").rpartition(")")[2].split()
            except OSError:
                continue
            total += sum(map(int, fields[11:15])) / TICK
    return total


def _text(path: str) -> str:
    with open(path) as file:
        return file.read()


@dataclass(frozen=True)
class Clock:
    """Calls verbs, none of which may take more than so many of the processor's seconds.

    Where others use the machine too, the same work takes more of them, so half as many are added.
    """

    seconds: float

    def __call__(self, verb: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """What the verb gives; raises what it raises, and `FaultError` where it took too long."""
        start = family_seconds()
        try:
            return verb(*args, **options)
        finally:
            took = family_seconds() - start
            if took > BUSY * self.seconds:
                name = getattr(verb, "__name__", str(verb))
                raise FaultError(f"{name} took {took:.2f} s, more than {self.seconds:.2f}")


def forget_peak() -> int:
    """The bytes that this process has now; the peak is counted from here."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def peak_memory() -> int:
    """The most bytes that this process has had since then, those of its children (HDF5's box) aside."""
    return _status("VmHWM")


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) << 10
    raise LookupError(key)


def count_layers(data: bytes) -> int:
    """How many layers a file may hold, at most, as far as it is not packed."""
    return data.count(b"class_name")


@dataclass
class Touched:
    """The files that are opened outside of a folder, and programs that are started, by Python's own account.

    What Python reads to import a module does not count, nor what the system tells of processes, nor what may
    be read.
    """

    folder: Path
    readable: Sequence[Path] = ()
    found: list[str] = field(default_factory=list)
    is_on: bool = False

    def __post_init__(self) -> None:
        own = (sys.prefix, sys.base_prefix, str(Path(__file__).parent.parent.parent), "/proc/")
        self.harmless = tuple(os.path.realpath(place) for place in (*own, *map(str, self.readable)))
        sys.addaudithook(self._note)

    def _note(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.is_on or event not in EVENTS:
            return
        for place in args[:2] if event in ("os.rename", "os.link", "os.symlink") else args[:1]:
            if isinstance(place, str | bytes | os.PathLike):
                path = os.path.abspath(os.fsdecode(place))
                is_write = event != "open" or bool(args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
                inside = path.startswith(f"{self.folder}/") or path == str(self.folder)
                if not inside and path != os.devnull and (is_write or not path.startswith(self.harmless)):
                    self.found.append(f"{event} {path}")


EVENTS = {
    "open",
    "os.rename",
    "os.link",
    "os.symlink",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.chmod",
    "os.system",
}
