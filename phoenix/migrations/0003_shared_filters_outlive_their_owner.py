"""Leave shared filters behind when their owner's account is removed."""

from django.conf import settings
from django.db import migrations, models

import phoenix.models


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('phoenix', '0002_saved_filters'),
    ]

    operations = [
        migrations.AlterField(
            model_name='savedfilter',
            name='owner',
            field=models.ForeignKey(null=True, on_delete=phoenix.models.keep_shared, related_name='saved_filters', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='savedfilter',
            constraint=models.CheckConstraint(condition=models.Q(('owner__isnull', False), ('is_shared', True), _connector='OR'), name='phoenix_filter_has_a_user'),
        ),
    ]
