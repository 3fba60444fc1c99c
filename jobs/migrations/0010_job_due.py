from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("jobs", "0009_search"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="job", name="job_due"),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("state", "delayed")), fields=["state", "due_at"], name="job_due"
            ),
        ),
    ]
