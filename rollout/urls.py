"""Addresses of the rollout for the people who are moved."""

from django.urls import path

from rollout import views

app_name = "rollout"
urlpatterns = [path("", views.messages, name="messages")]
