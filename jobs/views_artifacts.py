"""The API of artifacts: the list of a job, and the files themselves."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from jobs.selectors import artifacts_of_job, get_artifact, get_job
from jobs.sending import send_artifact
from jobs.serializers import read_artifact
from pirunner.api import ApiView, caller_of, json_response
from pirunner.callers import Scope


class JobArtifactsView(ApiView):
    """``/jobs/<id>/artifacts``: what a job wrote."""

    scopes = {"GET": Scope.JOBS_READ}

    def get(self, request: Request, job_id: str) -> HttpResponse:
        """List the artifacts, oldest first."""
        artifacts = artifacts_of_job(get_job(job_id, only=caller_of(request).only).pk)
        return json_response({"artifacts": [read_artifact(artifact) for artifact in artifacts]})


class ArtifactView(ApiView):
    """``/artifacts/<id>``: the file itself."""

    scopes = {"GET": Scope.JOBS_READ}

    def get(self, request: Request, artifact_id: str) -> HttpResponseBase:
        """Send the file, or one range of it; 304 when the client has it already, 410 when it is gone."""
        return send_artifact(request, get_artifact(artifact_id, only=caller_of(request).only))
