"""How schedules are put to people: outcomes, reasons and rules in words. Pure."""

from collections.abc import Mapping

from schedules.rules import Backend, Misfire, Outcome, Overlap, Reason

REASONS: Mapping[str, str] = {
    Reason.NONE: "",
    Reason.MISSED: "pirunner was not running at that time",
    Reason.PAUSED: "the schedule was paused",
    Reason.OVERLAP: "an earlier job of it had not ended",
    Reason.QUIET_HOURS: "it was within the quiet hours",
    Reason.QUEUE_FULL: "too many jobs of it were waiting",
    Reason.CONCURRENCY_KEY: "another job with its concurrency key had not ended",
    Reason.UNKNOWN_JOB_TYPE: "its job type was not enabled here",
    Reason.INVALID_INPUT: "its input was not valid any more",
    Reason.TIMER_SILENT: "systemd's timer did not ring, so pirunner fired it",
    Reason.RUN_NOW: "somebody ran it by hand",
}

OUTCOMES: Mapping[str, str] = {
    Outcome.FIRED: "fired",
    Outcome.CAUGHT_UP: "caught up",
    Outcome.SKIPPED: "skipped",
}

BACKENDS: Mapping[str, str] = {
    Backend.CELERY: "pirunner's own clock (celery-beat) rings. It works everywhere; this is the usual choice.",
    Backend.SYSTEMD: "A systemd timer of this machine rings; the installer must be set up, see the Installer page.",
}

MISFIRES: Mapping[str, str] = {
    Misfire.ONCE: "Run once for the latest one missed",
    Misfire.SKIP: "Skip them all",
    Misfire.ALL: "Run once for each one missed (at most 100)",
}

OVERLAPS: Mapping[str, str] = {
    Overlap.SKIP: "Skip the new one",
    Overlap.QUEUE: "Run the new one afterwards",
    Overlap.REPLACE: "Cancel the old one and run the new one",
    Overlap.ALLOW: "Run both side by side",
}


def reason_in_words(reason: str) -> str:
    """Return why a due time became what it did, "" if there is nothing to say."""
    return REASONS.get(reason, reason.replace("_", " "))


def outcome_in_words(outcome: str, reason: str) -> str:
    """Return what became of a due time and why, like ``skipped: the schedule was paused``."""
    why = reason_in_words(reason)
    return f"{OUTCOMES.get(outcome, outcome)}: {why}" if why else OUTCOMES.get(outcome, outcome)
