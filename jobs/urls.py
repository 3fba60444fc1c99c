"""Addresses of the jobs API; those that a schedule can have too are in ``schedules.urls``."""

from django.urls import path

from jobs import views, views_artifacts, views_watching

urlpatterns = [
    path("jobs/<str:job_id>/cancel", views.JobCancelView.as_view()),
    path("jobs/<str:job_id>/retry", views.JobRetryView.as_view()),
    path("jobs/<str:job_id>/log", views_watching.JobLogView.as_view()),
    path("jobs/<str:job_id>/events", views_watching.JobEventsView.as_view()),
    path("jobs/<str:job_id>/artifacts", views_artifacts.JobArtifactsView.as_view()),
    path("artifacts/<str:artifact_id>", views_artifacts.ArtifactView.as_view()),
    path("job-types", views.JobTypesView.as_view()),
    path("queues/stats", views.QueueStatsView.as_view()),
]
