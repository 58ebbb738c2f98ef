"""Files changed by chance, read, drawn and cut: `python -m tests.fuzz --seed S --cases N [--jobs 2]`.

`--case K` makes the file of one case again, keeps it, and prints what comes of it. The same seed gives the
same cases as long as the files that are changed are the same: our own, and those of other people in
`../shared/versions`, where they are.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.run import count_outcomes, make_seeds, tell_fault, try_cases


def main() -> int:
    """1 if anything was found that may not be, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", required=True)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--case", type=int, help="only this one, which is kept")
    parser.add_argument("--seeds", type=Path, help="a folder for the files that are changed, made once")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seeds = options.seeds or Path(folder) / "seeds"
        if not seeds.exists():
            make_seeds(seeds)
        if options.case is not None:
            return keep_case(options.seed, options.case, seeds)
        results = []
        with suppress(KeyboardInterrupt):  # what there is until then is counted
            for result in try_cases(options.seed, range(options.cases), options.jobs, seeds, Path(folder)):
                results.append(result)
                if result["outcome"] == "fault":
                    print(tell_fault(result, options.seed), flush=True)
        print(count_outcomes(results))
        return int(any(result["outcome"] == "fault" for result in results))


def keep_case(seed: str, case: int, seeds: Path) -> int:
    """1 if the case gives what may not be; its file is kept."""
    from fuzz.child import make_case, run_case
    from fuzz.limits import Touched
    from fuzz.seeds import list_seeds, seed_paths

    folder = Path(tempfile.mkdtemp(prefix=f"case-{seed}-{case}-"))
    found = list_seeds(seeds)
    *_, (model, weights, what) = make_case(seed, case, found, folder)
    print(f"{what}\n{model}" + (f" --weights {weights}" if weights else ""))
    with tempfile.TemporaryDirectory() as second:
        tempfile.tempdir = second  # nothing outside may be touched
        touched = Touched(Path(second), readable=seed_paths(found))
        result = run_case(seed, case, found, Path(second), touched)
    print("\n".join(f"{key}: {value}" for key, value in result.items()))
    return int(result["outcome"] == "fault")


if __name__ == "__main__":
    sys.exit(main())
