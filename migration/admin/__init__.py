"""The admin of the migration: imported by Django, which registers what these modules declare."""

from migration.admin import customizations, findings, people, translations

__all__ = ["customizations", "findings", "people", "translations"]
