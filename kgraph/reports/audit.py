"""What Keras would run or reach for as it loads a file. Pure: the config of a model → findings.

Whatever the edge finds beside the config (members, links, pickles) it tells in the same words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kgraph.reports.audit_kinds import (
    DISALLOWED,
    DISALLOWED_NAMES,
    FUNCTIONS,
    INNER,
    KINDS,
    OUTSIDE_OPERATIONS,
    OWN,
    OWN_OPTIMIZERS,
    PARTS_AMONG_TOOLS,
    PICKLES,
    TOOLS,
    TRUSTED,
)

Step = str | int
# A place in JSON as it is walked: the one around it, and the last step. Only those of findings are spelled.
Place = tuple[Any, Step] | None
Entry = Mapping[str, Any]
SHORTEST = 40  # characters of a pickle in base64
# What a rule finds in a serialized object: a kind, the steps from the object, and what is there.
Found = Iterator[tuple[str, tuple[Step, ...], str]]


@dataclass(frozen=True)
class Finding:
    """One thing that Keras would run or reach for.

    `kind` is a key of `KINDS`; `part` of the file, as `config.json`, and `where` in it: a JSON path, the
    path of an HDF5 object, or the name of a member; `what` is the name, path or class that stands there.
    `stopped`: whether Keras 3.15 stops it with `safe_mode=True`, None if that is not known. `module` is what
    would be imported for it, empty if nothing.
    """

    kind: str
    part: str
    where: str
    what: str
    stopped: bool | None
    module: str = ""


@dataclass(frozen=True)
class Audit:
    """What was found in a file; it prints as a person reads it. Nothing found is no verdict of safety.

    `format` is as in `Graph`, None for what could not be opened. `unread` says of parts that could not be
    read why not.
    """

    path: str
    format: str | None
    keras_version: str | None
    findings: tuple[Finding, ...]
    unread: tuple[str, ...] = ()

    def __repr__(self) -> str:
        from kgraph.reports.audit_text import to_audit_text

        return to_audit_text(self, 80).rstrip("\n")


def find_in_config(config: Any, part: str) -> list[Finding]:
    """What a config holds, as it was saved by whatever version, in its order; each with its JSON path."""
    found: list[Finding] = []
    stack: list[tuple[Any, Place]] = [] if _is_plain(config) else [(config, None)]
    while stack:
        value, place = stack.pop()
        is_keyed = type(value) is dict
        if is_keyed and "class_name" in value:
            for kind, steps, what in _object_findings(value):
                module = value.get("module") if kind in ("foreign code", "extension") else ""
                where = _spell_place(place, steps)
                found.append(Finding(kind, part, where, what, KINDS[kind].stopped, str(module or "")))
        inner = []
        for key, held in value.items() if is_keyed else enumerate(value):
            if type(held) in (dict, list):
                inner.append((held, (place, key)))
            elif type(held) is str and len(held) > SHORTEST and held.startswith(PICKLES):
                where = _spell_place((place, key), ())
                found.append(Finding("pickle", part, where, _short(held), KINDS["pickle"].stopped))
        stack += reversed(inner)
    return found


def _is_plain(config: Any) -> bool:
    """Whether there is nothing to be found in a config: quick, as most are so, for it minds no places."""
    stack, known = [config], set()
    while stack:
        value = stack.pop()
        is_object = value.__class__ is dict
        if is_object and "class_name" in value:
            inner = value.get("config")
            # What is found of a name does not depend on the rest.
            get, is_keyed = value.get, inner.__class__ is dict
            name = (get("class_name"), get("module"), get("registered_name"), None if is_keyed else inner)
            try:
                is_known = name in known and not (
                    is_keyed and ("vocabulary" in inner or "idf_weights" in inner)
                )
            except TypeError:  # a name that is a list
                return False
            if not is_known:
                if name[0] in RULES or "spec_name" in value or any(True for _ in _object_findings(value)):
                    return False
                known.add(name)
        for held in value.values() if is_object else value:
            kind = held.__class__
            if kind is dict or kind is list:
                stack.append(held)
            elif kind is str and len(held) > SHORTEST and held.startswith(PICKLES):
                return False
    return True


def _object_findings(entry: Entry) -> Found:
    """What the rules find in one serialized object."""
    name, config = entry["class_name"], entry.get("config")
    if not isinstance(name, str):
        return
    rule = RULES.get(name)
    if rule is not None:
        yield from rule(entry)
    elif isinstance(config, dict):
        yield from _outside_files(config)
    if ">" in name or "module" in entry or "registered_name" in entry:
        yield from _named_code(entry, name)


def _bytecode(entry: Entry) -> Found:
    yield "bytecode", (), "a lambda"


def _lambda(entry: Entry) -> Found:
    """Keras 1 and 2 write the code of a Lambda's functions as a list: code, defaults, closure."""
    config: Mapping[str, Any] = entry["config"] if isinstance(entry.get("config"), dict) else {}
    for key, value in config.items():
        origin = config.get(f"{key}_type")
        if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
            yield "bytecode", ("config", key), "a lambda"
        elif isinstance(value, str) and origin in ("lambda", "function"):
            kind = "bytecode" if origin == "lambda" else "custom object"
            yield kind, ("config", key), "a lambda" if origin == "lambda" else value


def _savedmodel(entry: Entry) -> Found:
    yield "savedmodel", (), _setting(entry, "filepath")


def _torch(entry: Entry) -> Found:
    yield "torch pickle", (), "TorchModuleWrapper"


def _operation(entry: Entry) -> Found:
    """Keras 2 has functions of TensorFlow by name, or as the text of a node's definition."""
    for key in ("function", "symbol", "node_def"):
        text = _setting(entry, key)
        named = re.search(r'\bop\\?"?: *\\?"(\w+)', text) if key == "node_def" else None
        operation = named[1] if named else text
        if operation.removeprefix("tf.").startswith(OUTSIDE_OPERATIONS):
            yield "file operation", ("config", key), _short(operation)


def _outside_files(config: Mapping[str, Any]) -> Found:
    for key in ("vocabulary", "idf_weights"):
        if isinstance(config.get(key), str):
            yield "outside file", ("config", key), config[key]


# The class of an object → what it alone may hold.
RULES: Mapping[str, Callable[[Entry], Found]] = {
    "__lambda__": _bytecode,
    "Lambda": _lambda,
    "TFSMLayer": _savedmodel,
    "TorchModuleWrapper": _torch,
    "TFOpLambda": _operation,
    "SlicingOpLambda": _operation,
    "TensorFlowOpLayer": _operation,
}


def _named_code(entry: Entry, class_name: str) -> Found:
    """What a name of a module leads to. As Keras 3 does: `function` has its name as its config."""
    name = entry.get("config") if class_name == "function" else entry.get("spec_name", class_name)
    module, registered = entry.get("module"), entry.get("registered_name")
    if not isinstance(name, str):
        return
    root = module.partition(".")[0] if isinstance(module, str) else ""
    if root == "builtins" and class_name == "function":
        if name not in FUNCTIONS:
            yield "custom object", (), name
    elif not root:
        is_own = class_name.startswith("__")  # tensors, arrays, slices and the like of Keras 3
        if not is_own and ("module" in entry or (">" in class_name and class_name not in OWN_OPTIMIZERS)):
            yield "custom object", (), str(registered or name)
    elif root in TRUSTED:
        yield "extension", (), f"{module}.{name}"
    elif root not in OWN:
        if not (class_name == "__typespec__" and root == "tensorflow"):
            yield "foreign code", (), f"{module}.{name}"
    else:
        yield from _own_code(f"{module}.{name}", name)
        if isinstance(registered, str) and registered not in ("", name, class_name):
            yield "taken name", (), f"{module}.{name} as {registered}"


def _own_code(path: str, name: str) -> Found:
    """What is found of a thing of Keras's own."""
    steps = [step for step in path.split(".")[1:] if step not in ("src", "api")]
    is_inner = len(steps) > 1 and steps[0] in INNER and name in DISALLOWED_NAMES
    if path in DISALLOWED or is_inner:
        yield "disallowed function", (), path
    elif steps[0] in TOOLS and name not in PARTS_AMONG_TOOLS:
        yield "tool", (), path


def _setting(entry: Entry, key: str) -> str:
    config = entry.get("config")
    value = config.get(key, "") if isinstance(config, dict) else ""
    return value if isinstance(value, str) else json.dumps(value)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _spell_place(place: Place, steps: tuple[Step, ...]) -> str:
    """The JSON path of a place, and of steps from it."""
    path: list[Step] = list(reversed(steps))
    while place is not None:
        place, step = place
        path.append(step)
    return spell_path(tuple(reversed(path)))


def spell_path(steps: tuple[Step, ...]) -> str:
    """A JSON path as text: `$` is the whole; keys that are no names stand in quotes.

    >>> spell_path(("config", "layers", 3, "odd key")), spell_path(())
    ('config.layers[3]["odd key"]', '$')
    """
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.isascii() and step.isidentifier():
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step)}]"
    return text or "$"
