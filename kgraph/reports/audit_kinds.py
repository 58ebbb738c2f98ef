"""What an audit looks for: the kinds of findings, and the names of Keras's own. Pure tables.

Facts of Keras 3.15.1, which `tests/reports/test_audit_facts.py` proves with it.
"""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of finding: its name for people, and what comes of it as Keras loads the file.

    `stopped`: whether Keras 3.15 stops it with `safe_mode=True`, its default; None if that is not known.
    """

    title: str
    effect: str
    stopped: bool | None


def _name_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


KINDS = {
    "bytecode": Kind("Python bytecode", "is run when the layer is called, or its shape asked for", True),
    "savedmodel": Kind(
        "a SavedModel from elsewhere",
        "is opened, and its TensorFlow functions run: they may read and write files",
        True,
    ),
    "torch pickle": Kind("a pickled PyTorch module", "is unpickled, which runs what it says", True),
    "pickle": Kind("a pickle in a text", "runs what it says if the class around it unpickles it", None),
    "outside file": Kind("a vocabulary by path or URL", "is read from the machine, or fetched", True),
    "foreign code": Kind(
        "a class or function of another package",
        "is imported by Keras before 3.9 and by tf_keras; since then taken from what the program registers",
        True,
    ),
    "extension": Kind(
        "a class of a package that Keras trusts",
        "is imported, with its package, where that is installed",
        False,
    ),
    "custom object": Kind(
        "a class or function under its name alone", "is taken from what the program registers", True
    ),
    "disallowed function": Kind(
        "a function of Keras that loads, fetches or writes",
        "is called with what the file gives it by Keras before 3.11",
        True,
    ),
    "tool": Kind(
        "a function of Keras that is no part of a model", "is called with what the file gives it", False
    ),
    "file operation": Kind(
        "an operation of TensorFlow on files or Python code",
        "is run by Keras 2 when the layer is called",
        True,
    ),
    "taken name": Kind(
        "a class of Keras under somebody's registered name",
        "is replaced by what the program registers under that name",
        True,
    ),
    "link": Kind("a link in HDF5", "takes weights from another place or file", True),
    "outside values": Kind("a dataset with its values elsewhere", "takes weights from other files", True),
    "objects": Kind("a dataset of objects, not numbers", "is no weight of Keras", None),
    "size claim": Kind(
        "a dataset that claims more than it stores", "takes as much memory as it claims", True
    ),
    "loop": Kind("a group that is reached by two ways", "may be walked for ever", None),
    "outside member": Kind(
        "a member that points out of the archive or folder", "is written, or read, elsewhere", True
    ),
    "double member": Kind(
        "two members of one name", "is read as the last by Keras, and as the first by others", False
    ),
    "encrypted member": Kind("an encrypted member", "cannot be looked at", True),
    "inflation": Kind(
        "a member that inflates", "is unpacked to far more than it takes in the archive", True
    ),
    "pickled member": Kind(
        "a member that is a pickle or may hold some", "runs what it says if something unpickles it", True
    ),
}  # fmt: skip

OWN = ("keras", "tf_keras")  # packages of Keras itself
TRUSTED = ("keras_hub", "keras_cv", "keras_nlp")  # what Keras 3.9-3.15 imports beside itself
# Public functions that Keras refuses to have in a config (`NON_MODELING_APIS` of
# `keras/src/saving/serialization_lib.py`, 3.15.1).
DISALLOWED = _name_set("""
    keras.backend.clear_session keras.config.enable_unsafe_deserialization keras.models.load_model
    keras.models.model_from_json keras.models.save_model keras.preprocessing.image_dataset_from_directory
    keras.preprocessing.image.load_img keras.preprocessing.image.save_img
    keras.preprocessing.text_dataset_from_directory keras.saving.deserialize_keras_object
    keras.saving.load_model keras.saving.load_weights keras.saving.register_keras_serializable
    keras.saving.save_model keras.saving.save_weights keras.saving.serialize_keras_object
    keras.utils.audio_dataset_from_directory keras.utils.clear_session keras.utils.deserialize_keras_object
    keras.utils.get_file keras.utils.image_dataset_from_directory keras.utils.load_img
    keras.utils.register_keras_serializable keras.utils.save_img keras.utils.serialize_keras_object
    keras.utils.text_dataset_from_directory
""")
DISALLOWED_NAMES = frozenset(path.rpartition(".")[2] for path in DISALLOWED)
# Modules of Keras that hold no part of a model, but what downloads, plots, saves and sets.
TOOLS = _name_set("""
    _legacy applications callbacks config datasets distribution export legacy preprocessing saving tree
    utils visualization wrappers
""")
INNER = TOOLS | {"backend", "models"}  # modules below `keras.src` that hold functions that are disallowed
PARTS_AMONG_TOOLS = frozenset({"CustomScaleLayer", "FeatureSpace", "LayerScale", "TorchModuleWrapper"})
# Functions that configs name with the module `builtins`: all of Keras's modules of activations, losses,
# metrics and the like (3.0-3.15), and what Keras 2 calls some.
FUNCTIONS = _name_set("""
    binary_accuracy binary_crossentropy binary_focal_crossentropy categorical_accuracy
    categorical_crossentropy categorical_focal_crossentropy categorical_generalized_cross_entropy
    categorical_hinge celu circle concordance_correlation cosine_similarity ctc deserialize dice elu
    exponential gelu get glu hard_shrink hard_sigmoid hard_silu hard_tanh hinge huber kl_divergence
    leaky_relu linear log_cosh log_sigmoid log_softmax mean_absolute_error mean_absolute_percentage_error
    mean_squared_error mean_squared_logarithmic_error mish pearson_correlation poisson relu relu6 selu
    serialize sigmoid silu soft_shrink softmax softplus softsign sparse_categorical_accuracy
    sparse_categorical_crossentropy sparse_plus sparse_sigmoid sparse_top_k_categorical_accuracy sparsemax
    squared_hinge squareplus tanh tanh_shrink threshold top_k_categorical_accuracy tversky
    hard_swish softmax_v2 swish
""")
# Optimizers of Keras 2 by the names that it registers them under itself (2.11 and 2.12; corpus: magika).
OWN_OPTIMIZERS = _name_set("""
    Custom>Adadelta Custom>Adafactor Custom>Adagrad Custom>Adam Custom>AdamW Custom>Adamax Custom>Ftrl
    Custom>Lion Custom>Nadam Custom>RMSprop Custom>SGD
""")
# How the names of operations of TensorFlow begin that reach out of the graph; Keras 2 looks them up by name
# (`TFOpLambda`), or has them in a `node_def` (`TensorFlowOpLayer`).
OUTSIDE_OPERATIONS = (
    "data.", "io.", "numpy_function", "py_function", "raw_ops.", "saved_model.",
    "EagerPyFunc", "MatchingFiles", "PyFunc", "ReadFile", "Restore", "Save", "WriteFile",
)  # fmt: skip
# What pickles of the protocols 2 to 5 begin with, in base64.
PICKLES = ("gAJ", "gAN", "gASV", "gAWV")
