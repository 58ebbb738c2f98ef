"""Law 21: a target is at any moment, with any number of writers, absent, its old self or a whole new file."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgraph.atomic_write import write_atomically, write_together
from kgraph.errors import KGraphError


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["begin", "write", "end", "fail"])), max_size=30)
)
def test_writers_that_run_at_once_leave_one_whole_file(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str]]
) -> None:
    folder = tmp_path_factory.mktemp("law")
    target = folder / "t"
    target.write_bytes(b"old")
    whole, stacks, files = {b"old"}, {}, {}
    for writer, step in steps:
        content = bytes([65 + writer]) * 10
        if step == "begin" and writer not in stacks:
            stacks[writer] = ExitStack()
            files[writer] = stacks[writer].enter_context(write_atomically(target))
        elif writer not in stacks:
            continue
        elif step == "write":
            files[writer].write(content)
            files[writer].flush()
        elif step == "end":
            whole.add(bytes([65 + writer]) * files[writer].tell())
            stacks.pop(writer).close()
        elif step == "fail":
            error = OSError(28, "No space left on device")
            assert not stacks.pop(writer).__exit__(OSError, error, None)  # it is raised on
        assert target.read_bytes() in whole
    for stack in stacks.values():
        stack.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert target.read_bytes() in whole
    assert os.listdir(folder) == ["t"]


WRITER = """
import sys
from pathlib import Path
from kgraph.atomic_write import write_atomically
for _ in range(40):
    with write_atomically(Path(sys.argv[1])) as file:
        for _ in range(20):
            file.write(sys.argv[2].encode() * 500)
            file.flush()
"""


def test_a_reader_never_sees_a_torn_file_whatever_the_number_of_writers(tmp_path: Path) -> None:
    target = tmp_path / "t"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(target), letter]) for letter in "abcdef"]
    looks = 0
    while any(writer.poll() is None for writer in writers):
        if target.exists():
            seen = target.read_bytes()
            assert len(seen) == 10_000
            assert len(set(seen)) == 1
            looks += 1
    assert [writer.returncode for writer in writers] == [0] * 6
    assert looks > 100
    assert os.listdir(tmp_path) == ["t"]


def test_what_a_killed_run_left_is_cleared_by_the_next_and_not_what_a_living_one_has(tmp_path: Path) -> None:
    code = WRITER.replace("range(40)", "[0]").replace(
        "file.flush()", "file.flush(); print(1, flush=True); input()"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "t"), "x"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for run in started:
        assert run.stdout is not None
        run.stdout.readline()
    killed, living = started
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert len(os.listdir(tmp_path)) == 2
    with write_atomically(tmp_path / "t") as file:
        file.write(b"new")
    assert len(os.listdir(tmp_path)) == 2
    living.communicate(b"\n" * 20)
    assert os.listdir(tmp_path) == ["t"]
    assert (tmp_path / "t").read_bytes() == b"x" * 10_000


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_the_mode_of_a_target_is_kept(mode: int, tmp_path: Path) -> None:
    target = tmp_path / "t"
    target.write_bytes(b"old")
    target.chmod(mode)
    with write_atomically(target) as file:
        file.write(b"new")
    assert target.stat().st_mode & 0o777 == mode
    assert target.read_bytes() == b"new"


def test_a_new_target_has_the_mode_that_any_new_file_has(tmp_path: Path) -> None:
    (tmp_path / "usual").write_bytes(b"")
    with write_atomically(tmp_path / "t"):
        pass
    assert (tmp_path / "t").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_stays_one_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "t")
    with write_atomically(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "t").read_bytes() == b"new"


def test_a_link_that_leads_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t").symlink_to(tmp_path / "t")
    with pytest.raises(KGraphError, match="cannot be written"), write_atomically(tmp_path / "t"):
        pass


def test_a_read_only_target_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "t"
    target.write_bytes(b"old")
    target.chmod(0o444)
    with pytest.raises(KGraphError, match="is read-only"), write_atomically(target):
        pass
    assert target.read_bytes() == b"old"


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe, seen = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: seen.append(pipe.read_bytes()))
    reader.start()
    with write_atomically(pipe) as file:
        file.write(b"??")
        file.seek(0)
        file.write(b"all")
    reader.join()
    assert seen == [b"all"]
    assert pipe.is_fifo()


def test_a_pipe_waits_for_a_reader_that_comes_later(tmp_path: Path) -> None:
    pipe, seen = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Timer(0.5, lambda: seen.append(pipe.read_bytes()))
    reader.start()
    with write_atomically(pipe) as file:
        file.write(b"all" * 100_000)  # more than a pipe holds
    reader.join()
    assert seen == [b"all" * 100_000]


def test_a_pipe_that_nobody_reads_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kgraph.atomic_write.WAIT", 0.2)
    os.mkfifo(tmp_path / "pipe")
    with (
        pytest.raises(KGraphError, match="is a pipe that nobody reads"),
        write_atomically(tmp_path / "pipe"),
    ):
        pass


def test_a_device_is_written_into() -> None:
    with write_atomically(Path("/dev/null")) as file:
        file.write(b"all")
    assert Path("/dev/null").is_char_device()


def test_a_socket_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        with (
            pytest.raises(KGraphError, match="no file that can be written"),
            write_atomically(tmp_path / "s"),
        ):
            pass
        assert (tmp_path / "s").is_socket()


def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    target = tmp_path / ("ü" * 127)
    with write_atomically(target) as file:
        file.write(b"new")
    assert target.read_bytes() == b"new"


def _fill(files: list[BinaryIO], failing: int) -> None:
    for index, file in enumerate(files):
        file.write(b"new")
        if index == failing:
            raise OSError(28, "No space left on device")


@pytest.mark.parametrize("failing", [0, 1])
def test_of_two_targets_none_is_written_if_one_fails(failing: int, tmp_path: Path) -> None:
    targets = [tmp_path / "a", tmp_path / "b"]
    targets[0].write_bytes(b"old")
    with pytest.raises(OSError, match="No space"), write_together(targets) as files:
        _fill(files, failing)
    assert targets[0].read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(KGraphError, match="cannot be written") as raised,
        write_atomically(tmp_path / "no" / "t"),
    ):
        pass
    assert "make the folder" in raised.value.hint


def test_a_folder_as_second_target_keeps_the_first_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with (
        pytest.raises(KGraphError, match="Is a directory"),
        write_together([tmp_path / "a", tmp_path / "folder"]),
    ):
        pass
    assert os.listdir(tmp_path) == ["folder"]


def test_what_fails_elsewhere_is_not_told_of_the_target(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), write_atomically(tmp_path / "t"):
        (tmp_path / "source").read_bytes()
    assert not os.listdir(tmp_path)
