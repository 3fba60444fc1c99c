"""A digest as Markdown for a narrow screen. No network, no Django."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Literal

from jobs.brief import day_heading, local_time, written_date
from jobs.news.choosing import Story
from jobs.news.sentences import first_sentences
from jobs.news.sources import Health
from jobs.plain_text import clean_text, markdown_link, markdown_text, short_address

Group = Literal["source", "day", "none"]
Template = Literal["compact", "full"]
_SUMMARY = 320


def render_digest(
    stories: Sequence[Story],
    healths: Sequence[Health],
    *,
    title: str,
    template: Template,
    group: Group,
    previous: datetime | None,
    now: datetime,
    zone: tzinfo,
) -> str:
    """Return the digest; ``previous`` is when its reader got the last one, days and times are those of ``zone``."""
    today = now.astimezone(zone)
    since = f" · new since {_since(previous, today)}" if previous else ""
    count = "1 story" if len(stories) == 1 else f"{len(stories)} stories"
    blocks = [
        f"# {markdown_text(clean_text(title, 100))}",
        f"{today:%A} {written_date(today)}, {today:%H:%M} · {count}{since}",
    ]
    for heading, of_group in _grouped(stories, group, today):
        blocks += [f"## {markdown_text(heading)}"] if heading else []
        blocks += _render_stories(of_group, template, group, today)
    if not stories:
        blocks.append("Nothing new." if previous else "Nothing fits.")
    failed = [health for health in healths if not health.ok]
    if failed:
        blocks.append("## Could not be read\n\n" + "\n".join(map(_render_failure, failed)))
    blocks.append(f"*{_sources(healths)} Times in {markdown_text(str(zone))}.*")
    return "\n\n".join(blocks) + "\n"


def _since(previous: datetime, today: datetime) -> str:
    local = previous.astimezone(today.tzinfo)
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%A} {written_date(local)}"


def _grouped(stories: Iterable[Story], group: Group, today: datetime) -> Iterable[tuple[str, list[Story]]]:
    names: dict[Group, Callable[[Story], str]] = {
        "source": lambda story: story.item.source,
        "day": lambda story: day_heading(story.item, today),
        "none": lambda _: "",
    }
    groups: dict[str, list[Story]] = {}
    for story in stories:
        groups.setdefault(names[group](story), []).append(story)
    return groups.items()


def _render_stories(stories: list[Story], template: Template, group: Group, today: datetime) -> list[str]:
    if template == "full":
        return [_full(story, group, today) for story in stories]
    return ["\n".join(_compact(story, group, today) for story in stories)]


def _compact(story: Story, group: Group, today: datetime) -> str:
    facts = _facts(story, group, today)
    return f"- {markdown_link(story.item.title, story.item.link)}{f' · {facts}' if facts else ''}"


def _full(story: Story, group: Group, today: datetime) -> str:
    summary = markdown_text(first_sentences(story.item.description, _SUMMARY))
    paragraphs = [f"### {markdown_link(story.item.title, story.item.link)}", _facts(story, group, today), summary]
    return "\n\n".join(filter(None, paragraphs))


def _facts(story: Story, group: Group, today: datetime) -> str:
    facts = [] if group == "source" else [story.item.source]
    if story.item.published:
        facts.append(_moment(story, group, today))
    if story.also:
        facts.append(f"also in {', '.join(story.also[:3])}")
    return markdown_text(" · ".join(filter(None, facts)))


def _moment(story: Story, group: Group, today: datetime) -> str:
    """Return when a story is from, as short as it is clear; a page declares a day and no time."""
    local = local_time(story.item.published or today, today.tzinfo)
    time = "" if story.item.version else f"{local:%H:%M}"
    if local.date() == today.date() or group == "day":
        return time
    day = f"{local.day} {local:%b}" if local.year == today.year else f"{local.day} {local:%b} {local.year}"
    return ", ".join(filter(None, (day, time)))


def _render_failure(health: Health) -> str:
    return f"- {markdown_text(short_address(health.source))}: {markdown_text(clean_text(health.error, 200))}"


def _sources(healths: Sequence[Health]) -> str:
    read = sum(health.ok for health in healths)
    return f"{read} of {len(healths)} sources read." if len(healths) > 1 else ""
