"""What a claim rests on that two entries, or two weights, are one, in words."""

from __future__ import annotations

# What a claim of sameness rests on (`same_by`), in words.
EVIDENCE = {
    "identity": "one Python object in the live model",
    "shared_object_id": "both carry one `shared_object_id` in the file",
    "absent weights": "tagged in the file as met before, without weights of its own, and alike in all else",
    "alike": "tagged in the file as met before, and alike in all else",
    "in config": "the config of one holds the other by `shared_object_id`, and the weights are stored once",
}
