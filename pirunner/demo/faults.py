"""What keeps the demo from its end."""


class DemoFault(Exception):
    """A step of the demo failed; the sentence says which and why. ``exit_code`` is the demo's."""

    def __init__(self, sentence: str, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
