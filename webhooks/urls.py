"""Addresses of the events feed."""

from django.urls import path

from webhooks import views

urlpatterns = [
    path("events", views.EventsView.as_view()),
]
