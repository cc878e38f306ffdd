"""Addresses of the sample shop."""

from django.urls import path

from phoenix.demo import views

app_name = "demo"
urlpatterns = [
    path("", views.shop, name="shop"),
    path("customers/", views.sign_in, name="sign_in"),
    path("shop/<str:user>/", views.preview, name="preview"),
]
