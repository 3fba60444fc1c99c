"""Messages in the admin: to read, not to change."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from webhooks.models import Notice

pytestmark = pytest.mark.django_db


def test_messages_are_listed_and_cannot_be_changed(admin_client: Client) -> None:
    assert get_user_model().objects.count() == 1
    notice = Notice.objects.create(
        event_id="evt_1", target="telegram", text="✅ <b>ping</b> done", state="dead", created_at=timezone.now()
    )

    listed = admin_client.get("/admin/webhooks/notice/")
    shown = admin_client.get(f"/admin/webhooks/notice/{notice.pk}/change/")

    assert (listed.status_code, shown.status_code) == (200, 200)
    assert "✅ &lt;b&gt;ping&lt;/b&gt; done" in listed.text
    for action in ("add/", f"{notice.pk}/delete/"):
        assert admin_client.post(f"/admin/webhooks/notice/{action}").status_code == 403
