"""What the models declare is there in the database that the migrations made."""

import pytest
from django.apps import apps
from django.db import connection

pytestmark = pytest.mark.django_db


def test_every_constraint_and_index_of_the_models_is_in_the_database():
    """Dropping a column's own index on PostgreSQL takes a conditional unique constraint of that column along, silently."""
    with connection.cursor() as cursor:
        missing = [
            f"{model.__name__}.{each.name}"
            for model in apps.get_models(include_auto_created=True)
            if model._meta.managed
            for there in [connection.introspection.get_constraints(cursor, model._meta.db_table)]
            for each in (*model._meta.constraints, *model._meta.indexes)
            if each.name not in there
        ]

    assert missing == []
