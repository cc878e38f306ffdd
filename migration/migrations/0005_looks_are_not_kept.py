"""Drop what was kept of each look at a group: whoever decides hands back what names it."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('migration', '0004_indexes_of_searches'),
    ]

    operations = [
        migrations.DeleteModel(name='GroupPreview'),
    ]
