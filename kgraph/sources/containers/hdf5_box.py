"""HDF5's own code at work on a file, in a process of its own that can be ended.

Edge module: starts a process. One wrong size in a file makes HDF5 (1.14) loop for ever, deaf to Ctrl-C, ask
for gigabytes, or crash. So whatever is done with HDF5 files is done in a fresh Python with limits of time and
memory; for all files, since that costs little: it imports h5py, which the caller then need not, works while
the caller reads the config, and waits for the next file. A fork would not do: TensorFlow has threads.
"""

from __future__ import annotations

import atexit
import fcntl
import io
import json
import marshal
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, BinaryIO, cast

from kgraph import errors
from kgraph.errors import ConfigError, KGraphError, UnsafeError

SECONDS, SECONDS_A_LAYER = 1.2, 120e-6  # of processor time
LAYER = 500  # bytes that the headers of a layer take at least, so that a file has no more layers than it can
MEMORY = 200 << 20  # bytes beside what h5py itself takes
ANSWER = 1 << 28  # bytes of an answer
JOBS = 500  # after which a process gives way to a fresh one
PAGE = 1 << 14  # bytes read at once; HDF5 asks for a few of a header at a time (tests/bench/show.py)
# How a process ends whose time is over, or in whose code HDF5 goes astray.
CRASHES = {-signal.SIGPROF, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT, -signal.SIGFPE, -signal.SIGILL}
# What h5py raises for damaged files, by the part that is damaged.
DAMAGE = (
    OSError,
    RuntimeError,
    TypeError,
    LookupError,
    ValueError,
    ArithmeticError,
    AttributeError,
    MemoryError,
    AssertionError,
)


@dataclass(frozen=True)
class FilePart:
    """An open file, or the part of one, such as a stored member of an archive."""

    fd: int
    offset: int
    size: int

    def open(self) -> BinaryIO:
        """A file that is this part alone, and seeks for free."""
        return cast(BinaryIO, io.BufferedReader(OffsetView(self), PAGE))


def whole_file(file: BinaryIO) -> FilePart:
    """All of an open file."""
    return FilePart(file.fileno(), 0, os.fstat(file.fileno()).st_size)


class OffsetView(io.RawIOBase):
    """A read-only file that is a part of another one."""

    def __init__(self, part: FilePart) -> None:
        super().__init__()
        self._part, self._at = part, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._part.size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._part.size - self._at))
        found = os.preadv(self._part.fd, [memoryview(buffer)[:wanted]], self._part.offset + self._at)
        self._at += found
        return found


class Hdf5Box:
    """A job on an HDF5 file, begun on entering; `answer` waits for what it gives.

    `job` names a function as `module:function`. It is called with the file and the request, which `marshal`
    must be able to write, and gives a value of JSON, and bytes beside it.
    """

    def __init__(self, job: str, part: FilePart, request: Any, *, name: str, layers: int = 0) -> None:
        self.name = name
        self.seconds = SECONDS + SECONDS_A_LAYER * min(layers, part.size // LAYER)
        self._fd, self._order = part.fd, (job, part.offset, part.size, request, self.seconds)

    def __enter__(self) -> Hdf5Box:
        self._hand_over(_take_worker())
        return self

    def _hand_over(self, worker: _Worker) -> None:
        self._worker: _Worker | None = worker
        worker.send(self._fd, marshal.dumps(self._order))

    def __exit__(self, *_: object) -> None:
        if self._worker is not None:
            self._worker.end()

    def answer(self) -> tuple[Any, bytes]:
        """What the job gives. Raises what it raises, and `ConfigError` where HDF5 does not come to an end."""
        assert self._worker is not None
        text, data = self._worker.receive()
        if text is None and self._worker.jobs > 1:  # an earlier job may have harmed it
            self._worker.end()
            self._hand_over(_Worker())
            text, data = self._worker.receive()
        worker, self._worker = self._worker, None
        if text is None:
            raise self._end_error(worker.exit_code())
        reply = json.loads(text)
        if "raised" in reply or "failed" in reply:  # what has met damage is not used again
            worker.end()
        else:
            _give_back(worker)
        if "failed" in reply:
            raise KGraphError(f"`{self.name}` could not be read by h5py ({reply['failed']})")
        if "raised" in reply:
            raise _remake_error(**reply)
        return reply["value"], data

    def _end_error(self, code: int) -> KGraphError:
        """What to say of a process that has ended within its job."""
        if code in CRASHES:
            why = f"takes more than {self.seconds:.1f} s" if code == -signal.SIGPROF else "crashes HDF5"
            return ConfigError(f"`{self.name}` is a damaged HDF5 file: to read its headers {why}", "")
        if code > 0:
            return KGraphError("h5py could not be started", hint="`python -c 'import h5py'` tells why")
        return KGraphError(f"the process that reads `{self.name}` was ended by somebody (signal {-code})")


class _Worker:
    """A process that does one job after another."""

    def __init__(self) -> None:
        self.owner, self.jobs = os.getpid(), 0
        self._socket, other = map(_leave_standard_streams, socket.socketpair())
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", START, str(other.fileno()), json.dumps(_path_of_child()), HOME],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # each thread takes memory
            )

    def send(self, fd: int, order: bytes) -> None:
        """Hand a job over, with the file that it is on."""
        self.jobs += 1
        with suppress(BrokenPipeError):  # it has ended at once: `receive` tells
            socket.send_fds(self._socket, [len(order).to_bytes(8, "little")], [fd])
            self._socket.sendall(order)

    def receive(self) -> tuple[bytes | None, bytes]:
        """The text and the bytes of an answer; no text if the process has ended."""
        sizes = _receive_exactly(self._socket, 16)
        if sizes is None:
            return None, b""
        counts = [int.from_bytes(sizes[i : i + 8], "little") for i in (0, 8)]
        if sum(counts) > ANSWER:
            raise UnsafeError(f"an HDF5 file holds headers of {sum(counts):,} bytes, more than any model's")
        text, data = (_receive_exactly(self._socket, count) for count in counts)
        return text, data or b""

    def exit_code(self) -> int:
        """What the process, which has closed its end, has ended with."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(0.05)
        return self.end()

    def end(self) -> int:
        """End the process, which has nothing to clear up; its exit code."""
        self._socket.close()
        self._process.kill()
        return self._process.wait()


def _leave_standard_streams(connection: socket.socket) -> socket.socket:
    """The same connection under a number above 2, also where the program was started with those closed."""
    with connection:
        return socket.socket(fileno=fcntl.fcntl(connection, fcntl.F_DUPFD_CLOEXEC, 3))


def _path_of_child() -> list[str]:
    """Where the process looks for modules: as this one, but for the current folder, unless h5py is there."""
    with suppress(OSError, ValueError, AttributeError):
        here, found = os.getcwd(), find_spec("h5py")
        if found is None or found.origin is None or not found.origin.startswith(f"{here}{os.sep}"):
            return [str(entry) for entry in sys.path if entry not in ("", ".", here)]
    return [str(entry) for entry in sys.path if entry not in ("", ".")]


_idle: list[_Worker] = []


def _take_worker() -> _Worker:
    """A process that waits for a job of this very process, or a new one."""
    with suppress(IndexError):  # other threads take some too
        while True:
            worker = _idle.pop()
            if worker.owner == os.getpid():
                return worker
    return _Worker()


def _give_back(worker: _Worker) -> None:
    if worker.jobs < JOBS:
        _idle.append(worker)
    else:
        worker.end()


@atexit.register
def _end_workers() -> None:
    while _idle:
        worker = _idle.pop()
        if worker.owner == os.getpid():
            worker.end()


def _receive_exactly(connection: socket.socket, count: int) -> bytes | None:
    """So many bytes; None if there are no more."""
    data = bytearray()
    while len(data) < count:
        try:
            part = connection.recv(min(count - len(data), 1 << 20))
        except ConnectionResetError:
            return None
        if not part:
            return None
        data += part
    return bytes(data)


# The errors that a job may raise → the facts that they are made of.
RAISED = {"ConfigError": ("what", "where"), "ExtractError": ("layer", "reason"), "UnsafeError": ("args",)}


def _remake_error(raised: str, facts: list[str], hint: str) -> KGraphError:
    error = getattr(errors, raised)(*facts)
    error.hint = hint
    return cast(KGraphError, error)


# The process itself.

HOME = os.path.dirname(os.path.abspath(errors.__file__))  # of this very kgraph, whatever the path has
START = f"""
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from json import loads
number, path, home = sys.argv[1:]
sys.path[:] = loads(path)
spec = spec_from_file_location("kgraph", home + "/__init__.py", submodule_search_locations=[home])
sys.modules["kgraph"] = kgraph = module_from_spec(spec)
spec.loader.exec_module(kgraph)
import_module("{__name__}").serve(int(number))
"""


def serve(number: int) -> None:
    """Nothing; does the jobs that come through a socket, until nobody is at its other end."""
    from importlib import import_module

    import h5py  # noqa: F401 - what it takes does not count

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its owner ends it
    _limit_memory()
    with socket.socket(fileno=number) as connection:
        while True:
            head, files, *_ = socket.recv_fds(connection, 8, 1)
            order = _receive_exactly(connection, int.from_bytes(head, "little")) if head else None
            if order is None:
                return
            job, offset, size, request, seconds = marshal.loads(order)
            module, _, name = job.partition(":")
            function = getattr(import_module(module), name)
            signal.setitimer(signal.ITIMER_PROF, seconds)
            reply, data = _do(function, FilePart(files[0], offset, size), request)
            signal.setitimer(signal.ITIMER_PROF, 0)
            os.close(files[0])
            text = json.dumps(reply).encode()
            connection.sendall(
                len(text).to_bytes(8, "little") + len(data).to_bytes(8, "little") + text + data
            )


def _do(function: Any, part: FilePart, request: Any) -> tuple[dict[str, Any], bytes]:
    """The reply to a job, and the bytes beside it."""
    try:
        value, data = function(part.open(), request)
    except KGraphError as error:
        kind = type(error).__name__
        if kind not in RAISED:
            return {"failed": str(error)}, b""
        facts = [getattr(error, fact) for fact in RAISED[kind]]
        plain = [fact[0] if isinstance(fact, tuple) else fact for fact in facts]
        return {"raised": kind, "facts": plain, "hint": error.hint}, b""
    except Exception as error:  # of h5py, that no job knows
        return {"failed": f"{type(error).__name__}: {error}"}, b""
    return {"value": value}, b"".join(data)


def _limit_memory() -> None:
    """Let the process have no more than so much more memory, and leave no image of it."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.path.exists("/proc/self/statm"):  # Linux
        with open("/proc/self/statm") as file:
            most = int(file.read().split()[0]) * resource.getpagesize() + MEMORY
        limit = resource.getrlimit(resource.RLIMIT_AS)[1]
        most = most if limit == resource.RLIM_INFINITY else min(most, limit)
        resource.setrlimit(resource.RLIMIT_AS, (most, limit))


def extend_time(seconds: float) -> None:
    """Nothing; lets the job of this process take so much more processor time."""
    signal.setitimer(signal.ITIMER_PROF, signal.getitimer(signal.ITIMER_PROF)[0] + seconds)
