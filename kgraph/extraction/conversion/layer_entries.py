"""Entries of layers of Keras 1 and 2 as Keras 3 writes them, without their calls. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kgraph.extraction.conversion.problems import Findings
from kgraph.extraction.conversion.setting_values import (
    convert_activation,
    convert_object,
    plain_value,
    says_nothing,
    usual_dtype,
)
from kgraph.extraction.conversion.settings import (
    BASE,
    OBJECTS,
    OPERATIONS,
    RENAMED,
    RENAMED_IN_1,
    SETTINGS,
    TRAINING,
    UNUSED,
    WITHOUT_BASE,
)
from kgraph.graph import Layer
from kgraph.layers import is_operation
from kgraph.sources.entries import Entry, entry_name

Written = dict[str, Any]
MERGES = {
    "sum": "Add", "concat": "Concatenate", "mul": "Multiply", "ave": "Average", "max": "Maximum",
    "dot": "Dot", "cos": "Dot",
}  # fmt: skip
# Keras's own classes of Keras 1 and 2 that became others.
GONE = ("Merge", "TimeDistributedDense", "CuDNNLSTM", "CuDNNGRU", "ThresholdedReLU")
TRAINED_OTHERWISE = "lacks a setting that matters in training alone"


@dataclass(frozen=True)
class Origin:
    """What holds for all layers of a file: its version of Keras, also as it is written, and its backend."""

    version: tuple[int, ...]
    text: str = ""
    backend: str = ""

    @property
    def is_keras_1(self) -> bool:
        """Whether settings have names of Keras 1: so also where no version is written."""
        return self.version < (2,)

    @property
    def is_old(self) -> bool:
        """Whether it is of Keras 1 or 2."""
        return self.version < (3,)

    @property
    def keeps_dtypes(self) -> bool:
        """Whether a layer's `dtype` is its own; until 2.2 it was that of its input, but in tf.keras."""
        return self.version >= (2, 3) or (self.version >= (2,) and "-tf" in self.text)


def convert_layer(entry: Entry, path: str, origin: Origin, findings: Findings, form: str | None) -> Written:
    """The entry of a layer that is no model, without calls; `form`: the data format where it says none."""
    class_name, config = entry["class_name"], plain_value(dict(entry["config"]))
    module = str(entry.get("module"))
    if class_name == "InputLayer":
        return _convert_input(config, path, findings)
    if module.startswith(("keras.src.ops", "keras.ops")) or is_operation(
        Layer("", class_name, module=entry.get("module"))
    ):
        return _convert_operation(class_name, module, config, path, findings)
    if not module.startswith(("keras.", "tf_keras.")) and not (origin.is_old and class_name in GONE):
        return _travel(entry, path, findings)
    if class_name in GONE:
        class_name, config = _replace_class(class_name, config, path, findings)
    if class_name == "Lambda":
        return _convert_lambda(entry, config, path, findings)
    if class_name not in SETTINGS:
        findings.refuse(path, f"is a `{class_name}`, which Keras 3 does not have")
        return {**_head(class_name), "config": config}
    _fit_class(class_name, config, path, origin, findings)
    new: Written = {}
    for key, value in _rename_settings(class_name, config, origin).items():
        if _takes(class_name, key):
            new[key] = _convert_setting(key, value, path, findings)
        else:
            _check_dropped(class_name, (key, value), path, findings)
    _convert_inside(new, path, origin, findings)
    _set_dtype(new, class_name, origin)
    if (
        form
        and class_name.endswith(("2D", "3D"))
        and "data_format" in SETTINGS[class_name]
        and new.get("data_format") is None
    ):
        new["data_format"] = form
    return {**_head(class_name), "config": new}


def _replace_class(class_name: str, config: Written, path: str, findings: Findings) -> tuple[str, Written]:
    """The layer that one of the older classes is now."""
    if class_name == "Merge":
        return _convert_merge(config, path, findings)
    if class_name == "ThresholdedReLU":
        return "ReLU", {"name": config.get("name"), "threshold": config.get("theta", 1.0)}
    if class_name == "TimeDistributedDense":
        return "Dense", {**config, "units": config.get("units", config.pop("output_dim", None))}
    return _convert_cudnn(class_name, config)


def _head(class_name: str) -> Written:
    return {"module": "keras.layers", "class_name": class_name, "registered_name": None}


def _rename_settings(class_name: str, config: Written, origin: Origin) -> Written:
    names = dict(RENAMED.get(class_name, {}))
    if origin.is_keras_1:
        names |= RENAMED_IN_1
    return {names.get(key, key): value for key, value in config.items()}


def _takes(class_name: str, key: str) -> bool:
    is_base = key in BASE and (class_name not in WITHOUT_BASE or key in ("name", "dtype"))
    return is_base or key in SETTINGS[class_name]


def _check_dropped(class_name: str, setting: tuple[str, Any], path: str, findings: Findings) -> None:
    """None; refuses a setting that Keras 3 does not take, if it says anything."""
    key, value = setting
    if says_nothing(key, value) or key in UNUSED:
        return
    if key in TRAINING:
        findings.note(path, f"{TRAINED_OTHERWISE} (`{key}`)")
    elif key == "has_input_vocabulary":  # tf_keras 2.9-2.21 writes it with no vocabulary, into SavedModels
        findings.refuse(path, "keeps its words in tables of the SavedModel, which are not read")
    else:
        findings.refuse(path, f"has a `{key}` that Keras 3 does not know in a `{class_name}`")


def _convert_setting(key: str, value: Any, path: str, findings: Findings) -> Any:
    if any(key.endswith(end) for end in OBJECTS):
        return convert_object(key, value, path, findings)
    is_activation = key in ("activation", "recurrent_activation")
    return convert_activation(value, path, findings) if is_activation else value


def _set_dtype(new: Written, class_name: str, origin: Origin) -> None:
    """None; keeps a dtype of floats or a policy, that is the layer's own."""
    dtype = usual_dtype(new.pop("dtype", None))
    is_own = isinstance(dtype, str) and dtype.startswith(("float", "bfloat", "mixed"))
    if is_own and origin.keeps_dtypes:
        new["dtype"] = dtype


def _convert_inside(new: Written, path: str, origin: Origin, findings: Findings) -> None:
    """None; what a wrapper wraps, and cells, in the form of Keras 3; models inside are done before."""
    for key in ("layer", "backward_layer", "cell"):
        if isinstance(new.get(key), Mapping) and not is_model(new[key]):
            new[key] = _inner(new[key], path, origin, findings)
    if isinstance(new.get("cells"), list):
        new["cells"] = [_inner(cell, path, origin, findings) for cell in new["cells"]]


def is_model(entry: Any) -> bool:
    """Whether an entry is one of a model with layers."""
    config = entry.get("config") if isinstance(entry, Mapping) else None
    return isinstance(config, Mapping) and isinstance(config.get("layers"), list)


def _inner(entry: Any, path: str, origin: Origin, findings: Findings) -> Any:
    is_entry = isinstance(entry, Mapping) and isinstance(entry.get("config"), Mapping)
    if not is_entry or not isinstance(entry.get("class_name"), str):
        findings.refuse(path, "holds a layer that is not written whole")
        return entry
    module = entry.get("module") or ("keras.layers" if entry.get("class_name") in SETTINGS else None)
    return convert_layer({**entry, "module": module}, path, origin, findings, None)


def _convert_input(config: Written, path: str, findings: Findings) -> Written:
    shape = config.get("batch_shape")
    if shape is None:
        findings.refuse(path, "is an input of unknown shape")
    dtype = usual_dtype(config.get("dtype"))
    new = {"batch_shape": shape, "dtype": dtype, "sparse": bool(config.get("sparse"))}
    if config.get("ragged"):
        new["ragged"] = True
    return {**_head("InputLayer"), "config": {**new, "name": config.get("name")}}


def _convert_operation(
    class_name: str, module: str, config: Written, path: str, findings: Findings
) -> Written:
    """An operation of Keras 3; HDF5 does not say which module defines it."""
    if not module.startswith("keras.src.ops"):
        module = next((home for home, names in OPERATIONS.items() if class_name in names), "")
        if not module:
            findings.refuse(path, f"is a `{class_name}`, no operation of Keras 3 that is known")
    return {"module": module, "class_name": class_name, "registered_name": class_name, "config": config}


def _travel(entry: Entry, path: str, findings: Findings) -> Written:
    """The entry of somebody's class, as it is."""
    class_name = entry["class_name"]
    registered = entry.get("registered_name")
    findings.take_custom(path, f"is a custom class (`{registered or class_name}`)")
    kept = {key: entry[key] for key in ("module", "registered_name", "build_config") if key in entry}
    head = {"module": None, "registered_name": registered or class_name, "class_name": class_name}
    return {**head, **kept, "config": dict(entry["config"])}


def _convert_lambda(entry: Entry, config: Written, path: str, findings: Findings) -> Written:
    """A Lambda of a function by name travels; bytecode is of the Python that wrote it."""
    function = config.get("function")
    if config.get("function_type") == "lambda" or not isinstance(function, str):
        findings.refuse(path, "is a `Lambda` of bytecode, which is of the Python that wrote it")
    else:
        findings.take_custom(path, f"is a `Lambda` of a function (`{function}`)")
        config["function"] = {
            "module": config.get("module"), "class_name": "function", "config": function,
            "registered_name": function,
        }  # fmt: skip
    kept = {k: v for k, v in config.items() if k in ("name", "trainable", "function", "arguments")}
    return {**_head("Lambda"), "config": kept}


def _convert_merge(config: Written, path: str, findings: Findings) -> tuple[str, Written]:
    """The layer that a `Merge` of Keras 1 is now."""
    mode = config.get("mode")
    if not isinstance(mode, str) or mode not in MERGES:
        findings.refuse(path, "is a `Merge` of a mode that Keras 3 does not have")
        return "Add", {"name": config.get("name")}
    if config.get("layers"):
        findings.refuse(path, "is a `Merge` that holds models, as no model of Keras 3 does")
    new: Written = {"name": config.get("name")}
    if mode == "concat":
        new["axis"] = config.get("concat_axis", -1)
    if mode in ("dot", "cos"):
        axes = config.get("dot_axes")
        new |= {"axes": axes, "normalize": mode == "cos"}
    return MERGES[mode], new


def _convert_cudnn(class_name: str, config: Written) -> tuple[str, Written]:
    """The layer without cuDNN in its name, which makes the same with these settings."""
    more = {"recurrent_activation": "sigmoid", "activation": "tanh", "use_bias": True}
    if class_name == "CuDNNGRU":
        more["reset_after"] = True
    return class_name.removeprefix("CuDNN"), {**config, **more}


def _fit_class(class_name: str, config: Written, path: str, origin: Origin, findings: Findings) -> None:
    """None; settings whose meaning differs, made to say what they said."""
    if class_name in ("GRU", "GRUCell") and origin.is_old:
        config.setdefault("reset_after", False)
    if class_name in ("BatchNormalization", "LayerNormalization"):
        axis = config.get("axis")
        if isinstance(axis, list) and len(axis) == 1:
            config["axis"] = axis[0]
    if class_name == "Embedding" and config.get("input_dim") is None:
        findings.refuse(path, "is an `Embedding` of unknown size")
    if class_name == "Discretization" and not config.get("bin_boundaries"):
        findings.refuse(path, "is a `Discretization` that was adapted, and keeps no boundaries")
    if class_name in ("TimeDistributed", "Bidirectional") and not isinstance(config.get("layer"), Mapping):
        findings.refuse(path, f"is a `{class_name}` without its layer")


def name_of(entry: Entry) -> str:
    """The name of an entry."""
    return str(entry_name(entry))
