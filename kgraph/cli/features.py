"""`kgraph features`: a submodel over data, its features written to files."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kgraph.cli.flags import is_given, json_option, quiet_option
from kgraph.cli.model_io import import_for_keras, import_object, is_code, refuse_the_source
from kgraph.cli.options import (
    Listing,
    WholeNumber,
    complete_files,
    imports_option,
    input_shape_option,
    model_argument,
    parse_input_shapes,
    several,
)
from kgraph.cli.terminal import note, progress, tell
from kgraph.errors import Interrupted
from kgraph.texts import escape_unprintable, json_text

if TYPE_CHECKING:
    from kgraph.inference.runner import Made

NAMED = 10  # images that cannot be decoded, named one by one


@click.command("features", cls=Listing)
@model_argument
@click.argument("data", required=False, shell_complete=complete_files)
@several("--layers", help="The tensors to make.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where to: a folder of `.npy` (no suffix), .zarr .parquet .npz; .png shows a row.",
)
@click.option(
    "--preprocess",
    metavar="WHAT",
    help="`keras.applications.resnet50`, `scale=1/127.5,offset=-1`, or `module:function`; none: as they are.",
)
@input_shape_option
@click.option("--pool", type=click.Choice(["avg", "max", "flatten"]), help="Reduce space or steps.")
@click.option("--dtype", metavar="DTYPE", help="That of the features, as `float16`.")
@click.option("--batch", type=WholeNumber(1), help="How many rows at once; 32, or what inputs fix.")
@click.option("--limit", type=WholeNumber(1), help="How many rows at most.")
@click.option("--row", type=WholeNumber(0), default=0, help="Which row a `.png` shows; the first, 0.")
@click.option("--sort", is_flag=True, help="In a `.png`: channels of the greatest mean first.")
@click.option("--skip-bad", is_flag=True, help="Leave out images that cannot be decoded, and name them.")
@click.option("--force", is_flag=True, help="Begin anew, and write over what is there.")
@click.option("--unsafe", is_flag=True, help="Let Keras run code that the file holds.")
@click.option(
    "--ray",
    metavar="[ADDRESS]",
    is_flag=False,
    flag_value="local",
    help="On Ray: begun on this machine, or the cluster at an address, as `auto` or `HOST:6379`.",
)
@click.option("--actors", type=WholeNumber(1), help="With --ray: how many; as many as leave a processor.")
@click.option("--cpus", type=float, default=1, help="With --ray: how many processors an actor has; 1.")
@imports_option
@json_option
@quiet_option
def features_command(
    model: str,
    data: str | None,
    layers: Sequence[str],
    output: Path | None,
    preprocess: str | None,
    input_shapes: Sequence[str],
    pool: str | None,
    dtype: str | None,
    batch: int | None,
    limit: int | None,
    row: int,
    sort: bool,
    skip_bad: bool,
    force: bool,
    unsafe: bool,
    ray: str | None,
    actors: int | None,
    cpus: float,
    imports: Sequence[str],
    as_json: bool,
) -> None:
    """Make features of DATA: the tensors that queries name, for each row, written to a file or folder.

    DATA is a folder of images, `.npy`, `.npz` or `.parquet` and `.csv` with arrays or columns by the names of
    the inputs. It stands after MODEL, or last after `--layers`.

    \b
    kgraph features model.keras images/ --layers avg_pool -o features.zarr
    kgraph features model.keras --layers low=block1_pool avg_pool images/ -o features --pool avg
    kgraph features model.keras x.npy --layers '@Dense[-2]' -o f.parquet --preprocess scale=1/255
    kgraph features model.keras images/ --layers '@Conv*' -o maps.png --row 7 --sort

    A file is cut without Keras, and only what is needed is loaded. The same command goes on where it was
    stopped or killed. `--preprocess` must be what the model was trained with: its file does not say it.
    """
    queries, data = _data_apart(layers, data)
    if output is None:
        raise click.UsageError("`-o OUT` is missing: where shall the features be written?")
    shapes = parse_input_shapes(input_shapes)
    if output.suffix.lower() != ".png" and (is_given("row") or sort):
        raise click.UsageError("`--row` and `--sort` go with `-o FILE.png`")
    if ray is None and (actors is not None or is_given("cpus")):
        raise click.UsageError("`--actors` and `--cpus` go with `--ray`")
    refuse_the_source(output, model)
    refuse_the_source(output, data, "the data")
    gc.enable()
    from kgraph.inference.interrupts import Stopped
    from kgraph.inference.job import Options
    from kgraph.inference.run import make_features

    import_for_keras(imports)
    source: Any = import_object(model) if is_code(model) else Path(model)
    if preprocess is None:
        are = "images go in from 0 to 255" if os.path.isdir(data) else "values go in as they are"
        note(f"no `--preprocess`: {are}")
    options = Options(
        batch=batch,
        preprocess=preprocess,
        input_shapes=shapes,
        pool=pool,
        dtype=dtype,
        limit=limit,
        skip_bad=skip_bad,
        force=force,
        unsafe=unsafe,
        row=row,
        sort=sort,
        imports=imports,
        engine="local" if ray is None else "ray",
        address=ray,
        actors=actors,
        cpus=cpus,
    )
    try:
        with progress(f"features to {output}", unit="rows") as watch:
            made = make_features(source, queries, Path(data), output, options, watch=watch)
    except Stopped as stopped:
        click.echo(str(stopped), err=True)
        raise Interrupted from stopped
    _report(made, output, as_json)


def _data_apart(layers: Sequence[str], data: str | None) -> tuple[list[str], str]:
    """The queries, and DATA, which may stand behind them; wrong usage where one is missing."""
    queries = list(layers)
    if not queries:
        raise click.UsageError("`--layers` is missing: which tensors shall be made?")
    if data is None:
        if len(queries) < 2 or not _is_path(queries[-1]):
            raise click.UsageError(
                "DATA is missing: a folder of images, `.npy`, `.npz`, `.csv` or `.parquet`"
            )
        data = queries.pop()
    return queries, data


def _is_path(word: str) -> bool:
    return os.path.exists(word) or word.endswith(("/", ".npy", ".npz", ".csv", ".parquet"))


def _report(made: Made, output: Path, as_json: bool) -> None:
    """What was made is told, as lines or as JSON."""
    if as_json:
        facts = {**made.facts, "out": str(output), "begun_at": made.begun_at}
        click.echo(json_text(facts))
    else:
        for key, spec in made.facts["outputs"].items():
            shape = " × ".join(map(str, (made.rows, *spec["shape"])))
            tell(f"{escape_unprintable(key)}  {shape}  {spec['dtype']}")
        if made.was_there:
            tell(f"{output} is whole already: {made.rows:,} rows")
        else:
            before = f", of which {made.begun_at:,} were there" if made.begun_at else ""
            rows = (
                f"row {escape_unprintable(made.facts['row'])}"
                if "row" in made.facts
                else f"{made.rows:,} rows"
            )
            tell(f"wrote {output}: {rows}{before}")
    if made.bad:
        names = ", ".join(f"`{escape_unprintable(name)}`" for name in made.bad[:NAMED])
        more = f" and {len(made.bad) - NAMED:,} more" if len(made.bad) > NAMED else ""
        note(f"{len(made.bad):,} images cannot be decoded and are left out: {names}{more}")
