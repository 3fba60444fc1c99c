"""Addresses of the schedules API, and those of the jobs API that a schedule can have too."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from schedules import views, views_shared, views_trigger
from schedules.services import PREFIXES


class ScheduleIdConverter(StringConverter):
    """An id that begins as those of schedules do."""

    regex = f"(?:{'|'.join(PREFIXES.values())})[^/]+"


register_converter(ScheduleIdConverter, "schedule_id")

urlpatterns = [
    path("jobs", views_shared.SubmitView.as_view()),
    path("jobs/batch", views_shared.SubmitBatchView.as_view()),
    path("jobs/<str:job_id>", views_shared.JobOrScheduleView.as_view()),
    *(
        path(f"jobs/<schedule_id:schedule_id>/{call}", views_shared.OnlyOfJobsView.as_view())
        for call in ("cancel", "retry", "log", "events", "artifacts")
    ),
    path("internal/systemd/trigger/<str:schedule_id>", views_trigger.TriggerView.as_view()),
    path("schedules", views.SchedulesView.as_view()),
    path("schedules/preview", views.PreviewView.as_view()),
    path("schedules/<str:reference>", views.ScheduleView.as_view()),
    path("schedules/<str:reference>/run", views.RunView.as_view()),
    path("schedules/<str:reference>/occurrences", views.OccurrencesView.as_view()),
]
