"""Files of jobs for people: what is shown, what is saved, and what is never run."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from jobs.admin import files, markdown
from jobs.admin.code import coloured_diff, coloured_json
from jobs.admin.markdown import LARGEST, render_markdown
from tests.jobs.making import ended
from tests.jobs.test_artifacts_api import body_of, written

FILES = "/admin/jobs/job/files/"


@pytest.mark.parametrize(
    ("source", "never"),
    [
        ("<script>alert(1)</script>", "alert"),
        ("<style>*{display:none}</style>", "display"),
        ("<img src=x onerror=alert(1)>", "alert"),
        ("![x](https://evil.example/a.png)", "<img"),
        ("![x](data:image/png;base64,AAAA)", "data:"),
        ("[x](javascript:alert(1))", "javascript"),
        ("[x](JaVaScRiPt:alert(1))", "alert"),
        ("[x](&#106;avascript:alert(1))", "alert"),
        ("[x](data:text/html,hi)", "data:"),
        ("[x](vbscript:x)", "vbscript"),
        ("<a href='javascript:alert(1)'>x</a>", "alert"),
        ("<a href=/admin/ onclick=alert(1)>x</a>", "onclick"),
        ("<b style='position:fixed'>x</b>", "style"),
        ("<b id=job-head class=pr-panel>x</b>", "id="),
        ("<div hx-get=/admin/ hx-trigger=load>x</div>", "hx-"),
        ("<div x-data='alert(1)' x-on:click='y'>x</div>", "x-"),
        ("<iframe src=https://evil.example></iframe>", "iframe"),
        ("<form action=/admin/logout/><button>x</button></form>", "<form"),
        ("<svg><a xlink:href=javascript:alert(1)>x</a></svg>", "alert"),
        ("<math><mi//xlink:href='data:x,<script>alert(1)</script>'>", "<script"),
        ("<base href=https://evil.example/>", "base"),
        ("<meta http-equiv=refresh content=0>", "meta"),
        ("<object data=x></object><embed src=x>", "<object"),
        ("<!--[if IE]><script>alert(1)</script><![endif]-->", "alert"),
        ("<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "onerror"),
    ],
)
def test_nothing_dangerous_passes(source: str, never: str) -> None:
    assert never not in render_markdown(source).lower()


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("# One\n\n## Two", "<h3>One</h3>\n<h4>Two</h4>"),
        ("**b** *i* `c`", "<p><strong>b</strong> <em>i</em> <code>c</code></p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("```\n<x>\n```", "<pre><code>&lt;x&gt;\n</code></pre>"),
        (
            "[x](https://a.example/?b=1&c=2)",
            '<p><a href="https://a.example/?b=1&amp;c=2" target="_blank" rel="noopener noreferrer nofollow">x</a></p>',
        ),
        (
            "![chart](https://a.example/c.png)",
            (
                '<p><a href="https://a.example/c.png" target="_blank" rel="noopener noreferrer nofollow">'
                "chart (picture)</a></p>"
            ),
        ),
    ],
)
def test_what_a_page_is_made_of_stays(source: str, html: str) -> None:
    assert render_markdown(source) == html


def test_a_table_keeps_its_alignment_without_a_style() -> None:
    html = render_markdown("| a | b |\n|---|--:|\n| 1 | 2 |")

    assert '<td align="right">2</td>' in html
    assert "style" not in html


@pytest.mark.parametrize(
    "source", ["[" * 20_000, "<a " * 20_000, "a\n-\n" * 20_000, "```x\n\n" * 20_000, "[" * 10 + "![" * 9_000]
)
def test_a_page_that_would_take_minutes_is_given_up(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown, "PATIENCE_SECONDS", 0.1)

    with pytest.raises(markdown.TooHard):
        render_markdown(source)


@pytest.mark.django_db
def test_what_cannot_be_rendered_is_shown_as_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown, "PATIENCE_SECONDS", 0)

    preview = files.preview_of(written(ended(), raw=b"# <b>Hi</b>"))

    assert (preview.kind, preview.html) == ("text", "# <b>Hi</b>")
    assert "too hard" in preview.remark


@pytest.mark.parametrize("end", ["", "\\", "\\\n"])
def test_a_text_that_never_ends_is_one_text_to_the_end(end: str) -> None:
    text = '"' + '\\"' * 30_000 + end  # looked for anew at each quote, its end would take half a minute to be missed

    assert coloured_json(text).count("<span") == 1


def test_json_and_differences_are_coloured_and_escaped() -> None:
    assert coloured_json('{"<": null}') == (
        '{<span class="job-key">&quot;&lt;&quot;</span>: <span class="job-word">null</span>}'
    )
    assert coloured_diff("+<b>\n") == '<span class="job-added">+&lt;b&gt;\n</span>'


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("media_type", "how"),
    [
        ("text/markdown", "inline"),
        ("image/png", "inline"),
        ("application/json", "inline"),
        ("text/html", "attachment"),
        ("image/svg+xml", "attachment"),
        ("application/pdf", "attachment"),
        ("application/xhtml+xml", "attachment"),
    ],
)
def test_only_what_is_harmless_is_shown_by_the_browser(viewer: Client, media_type: str, how: str) -> None:
    file = written(ended(), "a.bin", b"x", media_type)

    answer = viewer.get(f"{FILES}{file.pk}/")

    assert body_of(answer) == b"x"
    assert answer["Content-Disposition"].startswith(how)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox"


@pytest.mark.django_db
def test_a_file_can_be_saved(viewer: Client) -> None:
    file = written(ended())

    assert viewer.get(f"{FILES}{file.pk}/?save")["Content-Disposition"].startswith("attachment")


@pytest.mark.django_db
def test_a_file_that_is_gone_says_so(viewer: Client) -> None:
    file = written(ended())
    type(file).objects.update(path="1/1/other")

    assert viewer.get(f"{FILES}{file.pk}/").status_code == 410
    assert "no longer" in viewer.get(f"{FILES}{file.pk}/preview/").content.decode()
    assert viewer.get(f"{FILES}999999/").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("part", ["", "preview/"])
def test_files_are_for_those_who_may_see_them(client: Client, part: str) -> None:
    file = written(ended())
    client.force_login(User.objects.create_user("nobody", is_staff=True))

    assert client.get(f"{FILES}{file.pk}/{part}").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "raw", "media_type", "kind", "remark"),
    [
        ("a.md", b"x" * (LARGEST + 1), "text/markdown", "text", "too long to be rendered"),
        ("a.txt", b"x" * (files.LONGEST_PREVIEW + 1), "text/plain", "text", "The first 64.0 KiB"),
        ("a.json", b'{"a": 1}', "application/json", "text", ""),
        ("a.txt", b"\xff\xfe", "text/plain", "text", ""),
        ("a.zip", b"PK", "application/zip", "none", "no text"),
        ("a.png", b"x", "image/png", "picture", ""),
    ],
)
def test_a_preview_shows_what_can_be_shown(name: str, raw: bytes, media_type: str, kind: str, remark: str) -> None:
    preview = files.preview_of(written(ended(), name, raw, media_type))

    assert preview.kind == kind
    assert remark in preview.remark
