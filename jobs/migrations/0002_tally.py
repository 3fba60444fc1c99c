"""Ended jobs are counted as they end, and found by their age."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def count_ended(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Count what has ended so far; from here on every transaction that ends a job keeps count."""
    del schema_editor
    jobs = apps.get_model("jobs", "Job").objects
    tally = apps.get_model("jobs", "Tally").objects
    for state in ("completed", "failed", "cancelled"):
        tally.create(state=state, count=jobs.filter(state=state).count())


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("state", models.CharField(max_length=10, primary_key=True, serialize=False)),
                ("count", models.BigIntegerField()),
            ],
            options={"verbose_name_plural": "tallies"},
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["state", "queued_at"], name="job_waiting_since"
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False)), fields=["state", "finished_at"], name="job_ended"
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False)),
                fields=["job_type", "state", "id"],
                name="job_type_ended",
            ),
        ),
        migrations.RunPython(count_ended, migrations.RunPython.noop),
    ]
