"""Schedules in the admin: made, edited, paused, resumed, run and deleted there, by the services of the API.

``schedules`` lists them, ``page`` shows one, ``form_pages`` makes and edits them, ``acts`` does the rest.
"""

from schedules.admin import beat, history, occurrences, schedules  # noqa: F401  (each registers its own)
