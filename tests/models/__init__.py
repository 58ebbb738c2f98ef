"""Small live models, one for each way in which functional models are odd. Name → builder."""

from __future__ import annotations

from models import custom, nested, plain
from models.registry import BUILDERS as BUILDERS

__all__ = ["BUILDERS", "COMPACT", "CUSTOM", "STORED_TWICE", "custom", "nested", "plain"]

# Models that the file says less of than the live object: it keeps constructor arguments, no layers.
COMPACT = {"functional_subclass_with_its_own_config", "functional_subclass_called_twice"}
# Models of which the file does not tell which variables are trained: custom layers.
CUSTOM = COMPACT | {
    "custom_layer",
    "custom_layer_with_parts",
    "layer_that_holds_an_embedding",
    "custom_layers_named_as_those_of_keras",
}
# Models of which the file stores one variable twice, and says nowhere that it is one.
STORED_TWICE = {"variable_of_two_layers"}
