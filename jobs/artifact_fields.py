"""How an input model declares that a field is a file of an earlier job; ``jobs.references`` looks it up."""

from typing import Annotated

from msgspec import Meta

MARK = "x-artifact"
"""What marks such a field in the JSON Schema, with the media types that it takes."""


def artifact_of(*media_types: str, description: str = "A file of an earlier job.") -> Meta:
    """Return the annotation of a field that takes an artifact, if media types are given one of these.

    ``source: Annotated[str, artifact_of("text/*", "application/pdf")]``
    """
    takes = f" ({', '.join(media_types)})" if media_types else ""
    return Meta(
        pattern="^[1-9][0-9]{0,17}$",
        description=(
            f"{description} The id of an artifact{takes}, or instead of it "
            '{"$artifact": "<id>"} or {"$job": "<id>", "artifact": "<name>"}.'
        ),
        examples=["12"],
        extra_json_schema={MARK: {"mediaTypes": list(media_types)}},
    )


ArtifactId = Annotated[str, artifact_of()]
"""Any file of an earlier job."""
