"""What of a model cannot be carried over, all of it, and what is not quite as it was. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from kgraph.errors import ExtractError

CUSTOM = "`--import MODULE` or `--import FILE.py` lets classes travel that are yours"


@dataclass
class Findings:
    """What was found on the way: what cannot be carried over, what travels as it is, what is to be known.

    `problems`: path of a layer and what is wrong with it; `custom`: path and class; `notes`: text → paths.
    """

    carries_custom: bool = False
    problems: list[tuple[str, str]] = field(default_factory=list)
    custom: list[tuple[str, str]] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def refuse(self, path: str, what: str) -> None:
        """None; keeps what cannot be carried over."""
        if (path, what) not in self.problems:
            self.problems.append((path, what))

    def note(self, path: str, what: str) -> None:
        """None; keeps what is to be known of the result."""
        self.notes.setdefault(what, []).append(path)

    def take_custom(self, path: str, what: str) -> None:
        """None; keeps a class or function of somebody's, which travels as it is, or is refused."""
        self.custom.append((path, what))
        if not self.carries_custom:
            self.refuse(path, f"{what}, of which the file does not say what it does")

    def check(self, source: str) -> None:
        """Nothing; raises `ConversionError` if anything cannot be carried over."""
        if self.problems:
            only_custom = len(self.problems) == len(self.custom)
            raise ConversionError(source, self.problems, hint=CUSTOM if only_custom else "")


class ConversionError(ExtractError):
    """A model cannot be carried into Keras 3; `problems` are all of the reasons: a path and what is there."""

    def __init__(self, source: str, problems: list[tuple[str, str]], *, hint: str = "") -> None:
        self.problems = tuple(problems)
        by_reason: dict[str, list[str]] = {}
        for path, what in problems:
            by_reason.setdefault(what, []).append(path)
        told = "; ".join(f"{_enumerate(paths)} {what}" for what, paths in by_reason.items())
        super().__init__(source, f"cannot be carried into Keras 3: {told}", hint=hint)


def _enumerate(paths: list[str]) -> str:
    shown = ", ".join(f"`{path}`" for path in paths[:3])
    return f"{shown} and {len(paths) - 3} more, each" if len(paths) > 3 else shown
