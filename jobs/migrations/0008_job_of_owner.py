from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("jobs", "0007_memory"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("owner", "bootstrap"), _negated=True),
                fields=["owner", "id"],
                name="job_of_owner",
            ),
        ),
    ]
