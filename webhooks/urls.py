"""Addresses of the events feed and of the deliveries."""

from django.urls import path

from webhooks import views, views_deliveries

urlpatterns = [
    path("events", views.EventsView.as_view()),
    path("deliveries", views_deliveries.DeliveriesView.as_view()),
    path("deliveries/replay", views_deliveries.DeliveriesReplayView.as_view()),
    path("deliveries/test", views_deliveries.DeliveriesTestView.as_view()),
    path("deliveries/<str:delivery_id>", views_deliveries.DeliveryView.as_view()),
    path("deliveries/<str:delivery_id>/replay", views_deliveries.DeliveryReplayView.as_view()),
]
