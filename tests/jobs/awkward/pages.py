"""Pages and feeds as they are found: broken, in other scripts, wrongly declared, far too large."""

import gzip

ARTICLE = """<!doctype html>
<html lang="de"><head><title>Haus am See | Seezeitung</title>
<meta name="author" content="Ana Blau"><meta property="og:site_name" content="Seezeitung">
<meta property="og:title" content="Haus am See">
<meta property="article:published_time" content="2025-03-04T10:00:00Z">
<link rel="canonical" href="/haus"></head>
<body><nav><a href="/">Start</a> <a href="/wetter">Wetter</a></nav>
<article><h1>Haus am See</h1>
<p>Das alte Haus am See wird wieder bewohnt: Eine Familie aus Graz hat es gekauft und richtet es her, Zimmer um
Zimmer, mit <b>Holz aus der Gegend</b> und viel Geduld.</p>
<p>Im Sommer soll es fertig sein. <a href="/garten(1)">Der Garten</a> folgt danach, sagt die neue Besitzerin, denn
zuerst komme das Dach, und das Dach sei lang.</p>
<table><tr><th>Jahr</th><th>Kosten</th></tr><tr><td>2024</td><td>120.000</td></tr></table>
</article><footer>Impressum</footer><script>alert(1)</script></body></html>"""

BROKEN = """<html><body><div><p>The first paragraph never ends, and the list in it is not closed either, which browsers
forgive without a word, so that most people never see it at all.<ul><li>one<li>two</b></i></div></span>
<p>A second paragraph <b>opens bold <i>and italic</b> in the wrong order</i> & goes on with a bare ampersand &nosuch;
until the page stops in the middle of a tag <a href="/x"""

HEBREW = """<html dir="rtl" lang="he"><head><meta charset="utf-8"><title>שלום עולם</title></head><body><article>
<h1>שלום עולם</h1><p>זהו מאמר ארוך מספיק כדי שיובן כתוכן העיקרי של הדף, עם <b>הדגשה</b> וגם מספרים כמו 2025 באמצע.</p>
<p>הפסקה השנייה ממשיכה את הסיפור, וגם היא ארוכה דיה כדי שלא תיחשב לתפריט או לכותרת תחתונה של אתר.</p>
</article></body></html>"""


def paragraphs(count: int) -> str:
    """Return an article of so many different paragraphs, 150 characters each."""
    body = "".join(
        f"<p>Paragraph {n} says something about the number {n * 7919 % 10007}, which no other paragraph of this long "
        f"article says in just the same words {n * 31 % 997} {n}.</p>\n"
        for n in range(count)
    )
    return f"<html><head><title>Long</title></head><body><article><h1>Long</h1>{body}</article></body></html>"


def gzip_bomb(megabytes: int = 64) -> bytes:
    """Return a page of blanks, a thousandth as long as what it unpacks to."""
    return gzip.compress(b"<p>" + b" " * (megabytes * 1024 * 1024))


def feed(items: int, *, prefix: str = "Story", description: str = "", day: int = 20) -> str:
    """Return a feed with so many items, the first the newest."""
    entries = "".join(
        f"<item><title>{prefix} {n}</title><link>https://n.example/{n}</link>"
        f"<pubDate>{day - n // 1440} Nov 2025 {23 - n // 60 % 24:02}:{59 - n % 60:02}:00 GMT</pubDate>"
        f"<description><![CDATA[{description}]]></description></item>"
        for n in range(items)
    )
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>Paper</title>{entries}</channel></rss>"
