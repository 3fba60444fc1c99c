"""The documents that jobs have made searchable."""

from django.db import models


class SearchCollection(models.Model):
    """Documents that an owner searches together. See ``jobs.search_index``."""

    owner = models.CharField(max_length=100)
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="search_collection_once")]

    def __str__(self) -> str:
        return self.name


class SearchDocument(models.Model):
    """A document of a collection; its terms are beside it in ``jobs_fulltext``, as the database keeps them."""

    collection = models.ForeignKey(SearchCollection, on_delete=models.CASCADE, related_name="documents", db_index=False)
    doc_id = models.TextField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of doc_id.")
    title = models.TextField(blank=True)
    text = models.TextField()
    url = models.TextField(blank=True)
    content_sha256 = models.CharField(max_length=64)
    indexed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["collection", "digest"], name="search_document_once")]

    def __str__(self) -> str:
        return self.title or self.doc_id
