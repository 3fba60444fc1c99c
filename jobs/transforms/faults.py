"""What can be wrong with data, or with what is to be done to it."""


class TransformFault(Exception):
    """Something cannot be done; the sentence says what to change. ``path`` leads to the step, if it is one's fault."""

    def __init__(self, message: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.path = path

    def below(self, *prefix: str | int) -> "TransformFault":
        """Return the same fault as seen from further up."""
        return TransformFault(str(self), (*prefix, *self.path))


def place(path: tuple[str | int, ...]) -> str:
    """Return a path as people read it: ``steps[2].where``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
