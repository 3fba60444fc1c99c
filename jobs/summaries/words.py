# ruff: noqa: RUF001  (characters of many scripts are its subject)
"""Words: what of a sentence says what it is about, whatever its language. Pure functions.

Scripts with blanks give words, shortened to a stem so that inflected forms meet; Chinese, Japanese, Korean and Thai
give pairs of neighbouring characters, which need no dictionary.
"""

import re
import unicodedata

STEM = 7
"""Characters of a word that count: "government" and "governments" are one."""

_STOP_WORDS = {
    "en": (
        "the a an and or but if of to in on at by for with from as is are was were be been being it its "
        "this that these those he she they we you i his her their our your not no nor so than then there "
        "here has have had do does did will would can could may might should shall must about into over "
        "under after before between also which who whom what when where while said says more most other "
        "some such only very just up out"
    ),
    "de": (
        "der die das den dem des ein eine einen einem einer eines und oder aber wenn von zu im in an auf "
        "bei für mit aus als ist sind war waren sein wird werden wurde wurden es er sie wir ihr ich nicht "
        "kein keine so dass daß wie auch noch nur nach vor über unter zwischen haben hat hatte hatten kann "
        "können sich am zum zur durch bis um mehr sehr schon dieser diese dieses man"
    ),
    "fr": (
        "le la les un une des du de et ou mais si à au aux en dans sur par pour avec sans est sont était "
        "étaient être a ont avait il elle ils elles on nous vous je ce cet cette ces son sa ses leur leurs "
        "ne pas plus que qui quoi dont où comme aussi très se y été fait"
    ),
    "es": (
        "el la los las un una unos unas de del y o pero si a al en por para con sin es son era eran ser fue "
        "ha han había que se su sus lo le les no más como también muy este esta estos estas ese esa yo tú "
        "él ella nosotros ellos entre sobre desde hasta cuando donde"
    ),
    "it": (
        "il lo la i gli le un uno una di del della dei delle e o ma se a al alla in nel nella su per con da "
        "dal dalla è sono era erano essere ha hanno aveva che chi non più come anche molto questo questa "
        "questi queste si suo sua loro noi voi io tra fra"
    ),
    "pt": (
        "o a os as um uma de do da dos das e ou mas se em no na nos nas por para com sem é são era eram ser "
        "foi tem têm que não mais como também muito este esta isso seu sua seus suas ele ela eles nós entre "
        "sobre até quando onde ao à"
    ),
    "nl": (
        "de het een en of maar als van te in op aan bij voor met uit is zijn was waren wordt worden werd "
        "ook niet geen dat die dit deze er hij zij wij jij ik ze we naar over onder tussen heeft hebben had "
        "kan kunnen nog wel meer door om tot"
    ),
    "ru": (
        "и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по только ее мне было "
        "вот от меня еще нет о из ему теперь когда даже ну ли если уже или ни быть был него до вас они мы "
        "это эта этот для при после также был была были которые который"
    ),
}
_STOP = {language: frozenset(words.split()) for language, words in _STOP_WORDS.items()}
USUAL_WORDS = frozenset(word for words in _STOP.values() for word in words)
"""Words that say nothing about a text, of all languages that are known."""
_SCRIPTS = {
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CJK": "zh",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "THAI": "th",
    "GREEK": "el",
    "BENGALI": "bn",
    "TAMIL": "ta",
}
_SAMPLE = 20_000
_CJK = (
    r"\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    r"\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}](?:[^\W{_CJK}]|['’.,-](?=[^\W_{_CJK}]))*")
_DENSE = re.compile(rf"[{_CJK}]")
_MARKS = re.compile(r"[\u064b-\u0652\u0670\u0591-\u05c7]")
"""Vowel points of Arabic and Hebrew, which most writers leave out."""


def terms_of(sentence: str, language: str = "") -> list[str]:
    """Return the terms of a sentence in order, without the words that every text of its language has."""
    stop = _STOP.get(language, USUAL_WORDS)
    terms: list[str] = []
    for run in _RUN.findall(_MARKS.sub("", unicodedata.normalize("NFKC", sentence)).casefold()):
        if _DENSE.match(run):
            terms += [run[at : at + 2] for at in range(max(1, len(run) - 1))]
        elif run not in stop and len(run) > 1:
            terms.append(run[:STEM])
    return terms


def count_words(sentence: str) -> float:
    """Return how long a sentence is in words; two characters of a dense script count as one."""
    runs = _RUN.findall(sentence)
    return sum(len(run) / 2 if _DENSE.match(run) else 1.0 for run in runs)


def language_of(text: str) -> str:
    """Return the language of a text as a two-letter code, "" if it cannot be told."""
    sample = text[:_SAMPLE]
    script = _script_of(sample)
    if script:
        return script
    words = re.findall(r"[^\W\d_]+", sample.casefold())
    counts = {language: sum(word in stop for word in words) for language, stop in _STOP.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if words and counts[best] >= max(2, len(words) // 12) else ""


def _script_of(sample: str) -> str:
    """Return the language of a script that (nearly) only one language is written in, "" for Latin and Cyrillic."""
    letters = [character for character in sample if character.isalpha()]
    counts: dict[str, int] = {}
    for character in letters[:2000]:
        if character >= "\u0370":
            name = unicodedata.name(character, "").partition(" ")[0].partition("-")[0]
            counts[name] = counts.get(name, 0) + 1
    dense = sum(count for name, count in counts.items() if _SCRIPTS.get(name) in {"ja", "zh"})
    kana = counts.get("HIRAGANA", 0) + counts.get("KATAKANA", 0)
    if dense * 4 > len(letters[:2000]):
        return "ja" if kana * 10 > dense else "zh"
    name = max(counts, key=lambda script: counts[script], default="")
    return _SCRIPTS.get(name, "") if name and counts[name] * 2 > len(letters[:2000]) else ""
