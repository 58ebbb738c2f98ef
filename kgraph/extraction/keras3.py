"""How loaded models of Keras 3 are compared: what is cut live, beside what was cut from the file.

Edge module: imports Keras, in the functions that need it. Rests on `_non_trainable_variables`,
`_seed_generators` and `_flatten_layers`, tested with Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kgraph.extraction.live import extract
from kgraph.extraction.plan import Queries, plan
from kgraph.extraction.trial import Trial, Values, by_key, name_tail
from kgraph.sources.live import read_live


def keras3_trial(models: Mapping[str, Any], layers: Queries, inputs: Queries | None) -> Trial:
    """What is compared of the loaded models, source, submodel and maybe tail."""
    import keras

    source, submodel, tail = models["source"], models["submodel"], models.get("tail")
    cut = extract(source, layers, inputs=inputs)
    states = {id(model): list(_states(model)) for model in models.values()}

    def begin(model: Any, seed: int) -> None:
        """Put a model in the state in which it was loaded, its random numbers in that of a seed."""
        keras.utils.set_random_seed(seed)
        for variable, value in states[id(model)]:
            variable.assign(value if value is not None else [seed, 0])
        for layer in model._flatten_layers():
            if getattr(layer, "stateful", False) and hasattr(layer, "reset_state"):
                layer.reset_state()

    def expected(values: Values, seed: int) -> Values:
        begin(source, seed)
        made = by_key(run_model(cut, values), [str(layers)])
        if tail is not None:
            begin(source, seed)
            made |= name_tail(keras.tree.flatten_with_path(run_model(source, values)))
        return made

    def made(values: Values, seed: int) -> Values:
        begin(submodel, seed)
        head = run_model(submodel, values)
        made = by_key(head, [str(layers)])
        if tail is not None:
            begin(tail, seed)
            made |= name_tail(keras.tree.flatten_with_path(tail(head, training=False)))
        return made

    graph = read_live(source)
    whole = source if tail is not None else cut
    run = graph if tail is not None else plan(graph, layers, inputs)
    return Trial(run, model_inputs(whole), source, expected, made, {})


def _functional(model: Any) -> Any:
    """The functional model that a model is, or, of a Sequential, that it runs."""
    return model if hasattr(model, "_inputs_struct") else model._functional


def model_inputs(model: Any) -> dict[str, Any]:
    """The symbolic inputs of a model by name."""
    return {tensor._keras_history[0].name: tensor for tensor in _functional(model).inputs}


def outputs_by_path(outputs: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """The tensors of a structure, each with its place."""
    import keras

    found: list[tuple[tuple[Any, ...], Any]] = keras.tree.flatten_with_path(outputs)
    return found


def run_model(model: Any, values: Values) -> Any:
    """What a model makes of arrays by the names of its inputs, with `training=False`."""
    import keras

    given = [
        keras.ops.convert_to_tensor(values[name], dtype=tensor.dtype)
        for name, tensor in model_inputs(model).items()
    ]
    return model(keras.tree.pack_sequence_as(_functional(model)._inputs_struct, given), training=False)


def _states(model: Any) -> Iterator[tuple[Any, Any]]:
    """The variables that a run may change, with their values; None for those of random numbers."""
    import keras

    for layer in model._flatten_layers():
        for generator in getattr(layer, "_seed_generators", ()):
            yield generator.state, None
        for variable in layer._non_trainable_variables:
            yield variable, keras.ops.convert_to_numpy(variable)
