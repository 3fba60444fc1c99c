"""Addresses of the front page's panels and buttons, below ``/admin/dashboard/``."""

from django.urls import path

from pirunner.dashboard import acts, views

app_name = "dashboard"
urlpatterns = [
    path("act/<str:act>/<int:row_id>/", acts.press, name="act"),
    path("<str:name>/", views.panel, name="panel"),
]
