"""Why a manifest, a file or a schedule is refused."""

from dataclasses import dataclass


class Refusal(Exception):
    """Something is not accepted; ``code`` is a word for programs, the message a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing in a schedule that systemd cannot express, and what to do about it.

    ``field`` is the field of the API's ``schedule`` that is at fault.
    """

    field: str
    code: str
    message: str


class Inexpressible(Refusal):
    """A schedule that systemd cannot express; all objections are listed."""

    def __init__(self, objections: tuple[Objection, ...]) -> None:
        super().__init__(objections[0].code, " ".join(objection.message for objection in objections))
        self.objections = objections
