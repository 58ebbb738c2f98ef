"""Damaged files under `audit`: findings, or a `KGraphError`, in a bounded time; never anything else."""

from __future__ import annotations

import json
import random
from pathlib import Path
from time import process_time

import h5py
import pytest
from helpers.hostile_files import canary, hdf5, model_of, write_model
from helpers.made_files import mutants

from kgraph.errors import KGraphError
from kgraph.reports.audit import find_in_config
from kgraph.sources.audited_file import audit


def test_mutated_configs_give_findings(tmp_path: Path) -> None:
    config = json.loads(canary(tmp_path, ".json").read_text())
    for what, mutant in mutants(config, seed=14, count=1000):
        found = find_in_config(mutant, "config.json")
        assert len(found) in range(30), what


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_mutated_bytes_give_findings_or_an_error_of_kgraph(suffix: str, tmp_path: Path) -> None:
    chance, whole, path = random.Random(14), canary(tmp_path, suffix).read_bytes(), tmp_path / f"m{suffix}"
    outcomes = set[object]()
    for _ in range(40):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 2, 8))):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(8)] = chance.randbytes(chance.randrange(8))
        path.write_bytes(data)
        start = process_time()
        try:
            told = audit(path)
            assert str(told)
            outcomes.add(bool(told.unread))
        except KGraphError as error:
            outcomes.add(type(error))
        assert process_time() - start < 2
    assert len(outcomes) > 1


def test_a_deep_tree_of_groups_ends(tmp_path: Path) -> None:
    def fill(file: h5py.File) -> None:
        group = file
        for _ in range(3000):
            group = group.create_group("g")
        group["link"] = h5py.SoftLink("/")

    path = write_model(tmp_path / "m.keras", model_of(None), weights=hdf5(fill))
    start = process_time()
    told = audit(path)
    assert [one.kind for one in told.findings] == ["link"] or told.unread
    assert process_time() - start < 3
