"""The page between a button and its act: what will happen to how many jobs, and what is left out and why."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from jobs.admin.acts import ACTS, MOST, Act, Outcome, foresee, ids_of, ids_that_match, perform
from jobs.admin.filters import read_wanted
from pirunner.wording import counted, size

NAMED = 8
"""How many of the jobs the page names."""


def confirm_act(request: HttpRequest) -> HttpResponse:
    """Show what an act would do; do it when the form of that page comes back."""
    form = request.POST if request.method == "POST" else request.GET
    act = _act_of(request, form)
    ids = _chosen(form)
    back = _back(request, form)
    if not ids:
        messages.warning(request, f"No job is chosen: tick those to {act.name}, then press {act.verb}.")
        return HttpResponseRedirect(back)
    if request.method == "POST" and form.get("confirmed"):
        return _done(request, perform(request, act, ids), back)
    foreseen = foresee(act, ids)
    context = {
        **admin.site.each_context(request),
        "title": f"{act.verb} {'a job' if len(foreseen.jobs) == 1 else 'jobs'}",
        "act": act,
        "foreseen": foreseen,
        "named": foreseen.jobs[:NAMED],
        "unnamed": len(foreseen.jobs) - NAMED,
        "files": f"{counted(foreseen.files, 'file')}, {size(foreseen.file_bytes)}",
        "most": f"{MOST:,}",
        "back": back,
    }
    return TemplateResponse(request, "admin/jobs/job/confirm.html", context)


def _act_of(request: HttpRequest, form: QueryDict) -> Act:
    act = ACTS.get(form.get("act", ""))
    if act is None:
        raise Http404
    if not request.user.has_perm(act.permission):
        raise PermissionDenied
    return act


def _chosen(form: QueryDict) -> list[int]:
    """Return the numbers of the jobs that are meant: those that match, those that are ticked, or one."""
    if form.get("across"):
        return ids_that_match(read_wanted(QueryDict(form.get("query", ""))), timezone.now())
    return ids_of(",".join([*form.getlist("job"), form.get("ids", "")]))


def _back(request: HttpRequest, form: QueryDict) -> str:
    """Return the address to go back to, which is one of ours."""
    back = form.get("back", "")
    ours = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return back if ours else reverse("admin:jobs_job_changelist")


def _done(request: HttpRequest, outcome: Outcome, back: str) -> HttpResponse:
    level = messages.SUCCESS if outcome.done else messages.WARNING
    messages.add_message(request, level, outcome.sentence)
    gone = {reverse("admin:jobs_job_change", args=[job.pk]) for job in outcome.done}
    is_gone = outcome.act is ACTS["delete"] and back.partition("?")[0] in gone
    return HttpResponseRedirect(reverse("admin:jobs_job_changelist") if is_gone else back)
