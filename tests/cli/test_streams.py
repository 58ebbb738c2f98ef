"""Streams that are closed, interrupts at any moment, and names that steer terminals."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from helpers.made_files import demo, demo_config
from helpers.places import DEMO

KGRAPH = [sys.executable, "-m", "kgraph"]
EVIL = "\x1b[31mred\x1b]0;owned\x07;touch owned;\u202e$(touch owned)'\x9b\u2066"


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = command.replace("kgraph ", f"{shlex.join(KGRAPH)} ")
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_closed_output_keeps_no_command_from_its_work(tmp_path: Path) -> None:
    for end in ("| true", ">&-", ">&- 2>&-"):
        done = shell(
            f"kgraph extract {DEMO} --layers both -o cut.keras --force {end}; echo ${{PIPESTATUS[0]}}",
            tmp_path,
        )
        assert (done.stdout.strip(), done.stderr) == ("0", "")
        assert zipfile.is_zipfile(tmp_path / "cut.keras")
        (tmp_path / "cut.keras").unlink()


def test_a_full_disk_behind_the_output_is_told(tmp_path: Path) -> None:
    done = shell(f"kgraph show {DEMO} > /dev/full", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: the output cannot be written (No space left on device)")


@pytest.mark.slow
def test_an_interrupt_at_any_moment_ends_it_in_one_line(tmp_path: Path) -> None:
    ended = set()
    for moment in range(40):
        run = subprocess.Popen(
            [sys.executable, "-S", "-c", START, *KGRAPH[1:], "show", str(DEMO)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert run.stderr is not None
        assert run.stderr.readline() == "begun\n"
        time.sleep(0.01 * moment)
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=60)
        ended.add((run.returncode, said))
    assert ended <= {(130, "interrupted\n"), (0, "")}
    assert (130, "interrupted\n") in ended


@pytest.mark.slow
@pytest.mark.parametrize("command", ["select m.keras dense", "select m.keras nothing", "select --nothing"])
def test_an_interrupt_between_any_two_lines_of_the_frame_ends_it_in_one_line(
    command: str, tmp_path: Path
) -> None:
    demo(tmp_path)
    ended: list[tuple[int, str]] = []
    while not ended or "begun" not in ended[-1][1]:
        start = [sys.executable, "-c", TRACED.replace("LINES", str(len(ended))), *command.split()]
        run = subprocess.run(start, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path)
        ended.append((run.returncode, run.stderr))
    assert len(ended) > 10
    assert {said.splitlines()[-1] for code, said in ended if code == 130} == {"interrupted"}
    assert {code for code, _ in ended[:-1]} <= {130, ended[-1][0]}
    assert not [said for _, said in ended if "Traceback" in said]


# Interrupts itself before the line of that number of the outermost functions; else says so.
TRACED = """
import os, signal, sys
from kgraph import entry
left = [LINES]

def trace(frame, event, _):
    is_frame = frame.f_code.co_filename.endswith(("kgraph/entry.py", "cli/__init__.py"))
    if is_frame and frame.f_code.co_name in ("main", "run"):
        left[0] -= event == "line"
        if left[0] < 0:
            sys.settrace(None)
            os.kill(os.getpid(), signal.SIGINT)
        return trace

sys.argv[0] = "kgraph"
sys.settrace(trace)
try:
    entry.main()
finally:
    sys.settrace(None)
    if left[0] >= 0:
        os.write(2, b"begun")
"""


# Python itself takes some milliseconds before any program can say what an interrupt does.
START = f"""
import site, sys, runpy
site.main()
sys.argv[0:2] = []
from kgraph import entry
print("begun", file=sys.stderr, flush=True)
sys.argv[0] = {"kgraph"!r}
entry.main()
"""


COMMANDS = (
    "show m.keras",
    "show m.keras --expand",
    "shared m.keras",
    "shared m.keras --json",
    "select m.keras '**'",
    "select m.keras nothing",
    "show m.keras --only nothing",
    "extract m.keras --layers '@Embedding#1' -o cut.keras",
    *(f"show m.keras -o m.{suffix}" for suffix in ("json", "dot", "svg", "mmd")),
)


def test_names_that_steer_a_terminal_are_shown_as_text_wherever_they_are_told(tmp_path: Path) -> None:
    config = json.dumps(demo_config()).replace('"encoder"', json.dumps(EVIL))
    demo(tmp_path, config_json=config.replace('"title"', json.dumps(f"{EVIL}2")).encode())
    told = ""
    for command in COMMANDS:
        done = shell(f"kgraph {command}", tmp_path)
        assert done.returncode in (0, 1), done
        told += done.stdout + done.stderr
    for path in tmp_path.glob("m.*"):
        if path.suffix != ".keras":
            told += path.read_text()
    assert not {c for c in told if not c.isprintable()} - {"\n", "\t", "\xa0"}
    assert not (tmp_path / "owned").exists()


def test_a_command_that_is_suggested_means_the_names_that_it_is_made_of(tmp_path: Path) -> None:
    from kgraph.texts import shell_word

    for name in (EVIL, "plain", "a b", "it's", "\\x1b", "\n"):
        word = shell_word(name)
        assert word.isprintable()
        command, utf8 = ["bash", "-c", f"printf %s {word}"], {"LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, env=utf8, capture_output=True, check=True)
        assert done.stdout.decode() == name


def test_messages_have_500_characters_at_most() -> None:
    from kgraph.errors import KGraphError, NoMatchError

    error = NoMatchError("q" * 4000, "g" * 4000, ["n" * 4000])
    assert len(str(error)) == 500
    assert str(KGraphError("a\x1b\n")) == "a\\x1b\\n"
