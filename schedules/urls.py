"""Addresses of the schedules API."""

from django.urls import path

from schedules import views

urlpatterns = [
    path("schedules/preview", views.PreviewView.as_view()),
]
