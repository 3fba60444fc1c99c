"""Addresses of the schedules API, and those of the jobs API that a schedule can have too."""

from django.urls import path

from schedules import views, views_shared

urlpatterns = [
    path("jobs", views_shared.SubmitView.as_view()),
    path("jobs/batch", views_shared.SubmitBatchView.as_view()),
    path("jobs/<str:job_id>", views_shared.JobOrScheduleView.as_view()),
    path("schedules", views.SchedulesView.as_view()),
    path("schedules/preview", views.PreviewView.as_view()),
    path("schedules/<str:reference>", views.ScheduleView.as_view()),
    path("schedules/<str:reference>/run", views.RunView.as_view()),
    path("schedules/<str:reference>/occurrences", views.OccurrencesView.as_view()),
]
