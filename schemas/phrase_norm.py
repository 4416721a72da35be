"""Normal forms of phrases of time: clock, date, length, offset or repetition, after ISO 8601 with a few marks of its own.

`at half past three in the afternoon` is T15:30, `on May 3rd, 1990` 1990-05-03, `for two minutes` PT2M, `two minutes later` +PT2M,
`ten years ago` -P10Y, `two minutes into the video` @PT2M, `every other day` R/P2D. `~` after a form says about, so `just before
noon` is T11:55~. Dates without a year begin with `--`; decades end with X, parts of a day are T and two letters (MO, AF, EV, NI,
DN, DK). What has no number (`a few days`) has no form. `moment_of` maps what speaks about the footage itself to a second of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .number_words import NUMBER_WORDS, value_of
from .phrase_patterns import MONTH, ORDINAL, UNIT, YEAR
from .phrase_words import DAY_PARTS, DAY_TIMES, HOURS, MEDIA, MONTHS, TIME_UNITS, WEEKDAYS

NEAR_MINUTES = 5
"""What `just before` and `shortly after` a clock time mean, minutes, as in the source's example."""
_FORM = re.compile(
    r"(?:T(?:\d\d:\d\d(?::\d\d)?|MO|AF|EV|NI|DN|DK|MI)|(?:\d{4}|--)(?:-?\d\d)?(?:-\d\d)?(?:T\d\d:\d\d)?|\d{3}X|\d\dXX|XXXX-WXX-[1-7](?:T(?:\d\d:\d\d|MO|AF|EV|NI))?|"
    r"[+@-]?P(?=\d|T\d)(?:\d+(?:\.\d+)?[YMWD])*(?:T(?:\d+(?:\.\d+)?[HMS])+)?|R\d*/P(?=\d|T\d)(?:\d+(?:\.\d+)?[YMWD])*(?:T(?:\d+(?:\.\d+)?[HMS])+)?|[+-]P0?\d*[YMWD])~?"
)
_LENGTH = re.compile(rf"(?P<number>half\s+an?|(?:a|three)\s+quarters?\s+of\s+an|(?:{NUMBER_WORDS}|\d+(?:[.,]\d+)*)(?:\s+and\s+a\s+half)?|an?(?:\s+(?:hundred|thousand|dozen|couple(?:\s+of)?))?|half)[-\s]+(?:(?:more|long|full|whole|straight|consecutive|solid|short|brief)\s+)*(?P<unit>{UNIT})(?:\s+and\s+(?P<half>a\s+half))?\b", re.I)  # fmt: skip
_CLOCK = re.compile(r"\b(\d{1,2}):(\d\d)(?::(\d\d))?\s*([ap])?\.?m?\b|\b(\d{1,2})(?:\.(\d\d))?\s*([ap])\.?m\b", re.I)
_OCLOCK = re.compile(rf"\b({'|'.join(HOURS)}|\d{{1,2}})\s+o['’]clock", re.I)
_PAST = re.compile(
    rf"\b(half|(?:a\s+)?quarter|{NUMBER_WORDS}|\d+)(?:\s+minutes?)?\s+(past|to)\s+({'|'.join(HOURS)}|noon|midnight|\d{{1,2}})\b",
    re.I,
)
_ABOUT = re.compile(r"\b(?:about|around|roughly|nearly|almost|approximately|towards?|some)\b", re.I)
_NEAR = re.compile(r"\b(?:just|right|shortly|soon|immediately|not\s+long)\s+(before|after)\b", re.I)
_MEDIA = rf"(?:the|this|our)\s+(?:\w+\s+)?(?:{'|'.join(MEDIA)})"
_SEEN = re.compile(rf"\b(?:you(?:['’]ll|\s+will|\s+can|\s+saw)?\s+(?:see|saw|seen|notice|watch)|we(?:['’]ll|\s+will|\s+saw)?\s+(?:see|saw|look\s+at|show)|(?:i|as\s+i)(?:['’]ll|\s+will)?\s+show(?:n|ed)?|watch|in\s+{_MEDIA}|of\s+{_MEDIA})\b", re.I)  # fmt: skip


def parses(form: str) -> bool:
    """Whether a text is a normal form."""
    return _FORM.fullmatch(form) is not None and form not in {"", "--", "P", "~"}


def normal_form(text: str) -> str | None:
    """The normal form of a phrase of time; None where it has none."""
    said = " ".join(text.lower().split())
    for rule in _RULES:
        form = rule(said)
        if form is not None:
            about = "~" if (_ABOUT.search(said) and not form.startswith("R")) or _NEAR.search(said) else ""
            return form + about if parses(form) else None
    return None


def seconds_of(form: str) -> float | None:
    """Seconds of a length or offset, years and months at their mean; None for clocks, dates and repetitions."""
    match = re.fullmatch(r"([+@-]?)P((?:\d+(?:\.\d+)?[YMWD])*)(?:T((?:\d+(?:\.\d+)?[HMS])+))?~?", form)
    if match is None:
        return None
    days = {"Y": 31557600.0, "M": 2629800.0, "W": 604800.0, "D": 86400.0}
    clock = {"H": 3600.0, "M": 60.0, "S": 1.0}
    total = sum(float(n) * days[u] for n, u in re.findall(r"(\d+(?:\.\d+)?)([YMWD])", match[2] or ""))
    total += sum(float(n) * clock[u] for n, u in re.findall(r"(\d+(?:\.\d+)?)([HMS])", match[3] or ""))
    return -total if match[1] == "-" else total


def moment_of(phrase: str, sentence: str, said_s: float, duration_s: float) -> float | None:
    """The second of the footage that a phrase refers to, spoken at `said_s`; None where it speaks of anything else, or of what
    lies outside of the footage.
    """
    said = " ".join(phrase.lower().split())
    if re.search(rf"\b(?:beginning|start)\s+of\s+{_MEDIA}", said) and not _LENGTH.search(said):
        return 0.0
    if re.search(rf"\bhalfway\s+through\s+{_MEDIA}|\bmiddle\s+of\s+{_MEDIA}", said):
        return duration_s / 2
    form = normal_form(phrase)
    length = None if form is None else seconds_of(form)
    if re.search(rf"\b(?:end|close)\s+of\s+{_MEDIA}", said):
        found = duration_s - (length or 0.0)
    elif length is None or form is None:
        return None
    elif form.startswith("@"):
        found = length
    elif form[0] in "+-" and _SEEN.search(sentence):
        found = said_s + length
    else:
        return None
    return found if 0 <= found <= duration_s else None


def _value(words: str) -> float | None:
    """The number that some words say."""
    if re.fullmatch(r"an?", words):
        return 1.0
    if words.startswith("half"):
        return 0.5
    if words.endswith("of an") and "quarter" in words:
        return 0.75 if words.startswith("three") else 0.25
    if words.startswith(("a couple", "couple")):
        return 2.0
    half = words.endswith("and a half")
    plain = re.sub(r"\s+and\s+a\s+half$", "", words)
    plain = re.sub(r"^a\s+", "one ", plain) if re.match(r"a\s+(?:hundred|thousand|dozen)", plain) else plain
    found = value_of(plain)
    return None if found is None else found + (0.5 if half else 0.0)


def _period(said: str) -> str | None:
    """All lengths in a phrase together: PT1H30M."""
    days: dict[str, float] = {}
    clock: dict[str, float] = {}
    for match in _LENGTH.finditer(said):
        unit = match["unit"].lower()
        unit = "century" if unit.startswith("centur") else unit.rstrip("s")
        value = _value(match["number"].lower())
        if value is None or unit not in TIME_UNITS:
            return None
        value += 0.5 if match["half"] else 0.0
        place, letter, _ = TIME_UNITS[unit]
        value *= {"decade": 10, "century": 100, "fortnight": 2, "millisecond": 0.001}.get(unit, 1)
        if unit == "hour" and value % 1 and (value * 60) % 1 == 0:
            if value >= 1:
                clock["H"] = float(int(value))
            place, letter, value = "T", "M", (value % 1) * 60
        into = clock if place else days
        into[letter] = into.get(letter, 0.0) + value
    if not days and not clock:
        return None
    text = "".join(f"{days[u]:g}{u}" for u in "YMWD" if u in days)
    times = "".join(f"{clock[u]:g}{u}" for u in "HMS" if u in clock)
    return f"P{text}" + (f"T{times}" if times else "")


def _into_media(said: str) -> str | None:
    if re.search(
        rf"\b(?:into|after\s+the\s+(?:start|beginning)\s+of|from\s+the\s+(?:start|beginning)\s+of)\s+{_MEDIA}", said
    ):
        found = _period(said)
        return None if found is None else "@" + found
    return None


def _repeated(said: str) -> str | None:
    match = re.fullmatch(
        r"(?:.*\b)?every\s+(other\s+|second\s+|single\s+)?(.*?)(?:\s+at\b.*|\s+for\b.*|\s+in\b.*)?", said
    )
    if match is not None:
        unit = match[2] if re.match(rf"(?:{NUMBER_WORDS}|\d)", match[2]) else f"one {match[2]}"
        if any(match[2].startswith(d) for d in WEEKDAYS):
            unit = "one week"
        elif any(match[2].startswith(d) for d in (*DAY_PARTS, "weekend")):
            unit = "one week" if match[2].startswith("weekend") else "one day"
        found = _period(unit if not (match[1] or "").startswith(("other", "second")) else unit.replace("one", "two", 1))
        return None if found is None else f"R/{found}"
    match = re.search(rf"\b(once|twice|(?:{NUMBER_WORDS}|\d+)\s+times)\s+(?:an?|per|each|every)\s+({UNIT})$", said)
    if match is not None:
        times = {"once": 1.0, "twice": 2.0}.get(match[1]) or _value(match[1].split()[0])
        found = _period(f"one {match[2]}")
        return None if times is None or found is None else f"R{times:g}/{found}"
    return None


def _offset(said: str) -> str | None:
    plain = {
        "yesterday": "-P1D",
        "tomorrow": "+P1D",
        "today": "+P0D",
        "the day after tomorrow": "+P2D",
        "the day before yesterday": "-P2D",
    }
    if said in plain:
        return plain[said]
    if re.search(r"\b(?:ago|earlier|beforehand|before\s+that|prior)\b", said):
        sign = "-"
    elif re.search(r"\b(?:later|afterwards?|after\s+that|from\s+now)\b", said) or re.match(r"in\s+(?!the\b)", said):
        sign = "+"
    else:
        return None
    found = _period(said)
    return None if found is None else sign + found


def _clock(said: str) -> str | None:
    date = _date(said)
    part = next((p for p in DAY_PARTS if re.search(rf"\b{p}\b", said)), None)
    hour = minute = None
    later = part in ("afternoon", "evening")
    if match := _PAST.search(said):
        hour = {"noon": 12, "midnight": 0}.get(match[3]) if match[3] in ("noon", "midnight") else _hour(match[3])
        step = 30 if match[1] == "half" else 15 if "quarter" in match[1] else int(_value(match[1]) or 0)
        minute = step if match[2] == "past" else -step
    elif match := _CLOCK.search(said):
        hour, minute = int(match[1] or match[5]), int(match[2] or match[6] or 0)
        half = (match[4] or match[7] or "").lower()
        later = later or half == "p"
        hour = 0 if half == "a" and hour == 12 else hour
    elif match := _OCLOCK.search(said):
        hour, minute = _hour(match[1]), 0
    else:
        named = next((t for t in DAY_TIMES if re.search(rf"\b{t}\b", said)), None)
        if named is None or not DAY_TIMES[named][0].isdigit():
            return None if named is None else f"T{DAY_TIMES[named]}"
        hour, minute = int(DAY_TIMES[named][:2]), 0
    if hour is None:
        return None
    hour += 12 if (later or (part == "night" and hour >= 6)) and hour < 12 else 0
    near = _NEAR.search(said)
    total = (hour * 60 + minute + (0 if near is None else NEAR_MINUTES if near[1] == "after" else -NEAR_MINUTES)) % 1440
    time = f"T{total // 60:02d}:{total % 60:02d}"
    return f"{date}{time}" if date is not None and re.fullmatch(r"\d{4}-\d\d-\d\d|XXXX-WXX-\d", date) else time


def _hour(word: str) -> int | None:
    return int(word) if word.isdigit() else HOURS.index(word) + 1 if word in HOURS else None


def _date(said: str) -> str | None:
    if match := re.search(r"\b\d{4}-\d\d-\d\d\b", said):
        return match[0]
    month = re.search(rf"\b{MONTH}", said)
    year = re.search(rf"\b{YEAR}\b", said)
    if month is not None:
        number = next(i for i, m in enumerate(MONTHS, start=1) if m.startswith(month[0][:3]))
        rest = said.replace(year[0], " ") if year else said
        day = re.search(r"\b(\d{1,2})(?:st|nd|rd|th)?\b", rest) or re.search(rf"\b{ORDINAL}\b", rest)
        of_month = None if day is None else int(day[1]) if day.re.groups else _ordinal(day[0])
        head = f"{year[0]}-" if year else "--"
        return f"{head}{number:02d}" + (f"-{of_month:02d}" if of_month else "")
    if match := re.search(r"\b(\d{3})0s\b", said):
        return f"{match[1]}X"
    if match := re.search(
        r"\b(?:nineteen[-\s])(twenties|thirties|forties|fifties|sixties|seventies|eighties|nineties)\b", said
    ):
        return (
            "19"
            + str(
                ["twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties"].index(
                    match[1]
                )
                + 2
            )
            + "X"
        )
    if match := re.search(rf"\b({ORDINAL})\s+century\b", said):
        century = _ordinal(match[1])
        return None if century is None else f"{century - 1:02d}XX"
    if match := re.search(rf"\b({'|'.join(WEEKDAYS)})s?\b", said):
        part = next((DAY_PARTS[p] for p in DAY_PARTS if re.search(rf"\b{p}\b", said)), None)
        return f"XXXX-WXX-{WEEKDAYS.index(match[1]) + 1}" + (
            f"T{part}"
            if part and not _CLOCK.search(said) and not _OCLOCK.search(said) and not _PAST.search(said)
            else ""
        )
    return year[0] if year else None


def _ordinal(words: str) -> int | None:
    units = [
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "eleventh",
        "twelfth",
        "thirteenth",
        "fourteenth",
        "fifteenth",
        "sixteenth",
        "seventeenth",
        "eighteenth",
        "nineteenth",
    ]
    tens = {"twenty": 20, "thirty": 30, "twentieth": 20, "thirtieth": 30}
    pieces = re.split(r"[-\s]+", words)
    if words in tens:
        return tens[words]
    if len(pieces) == 2 and pieces[0] in tens and pieces[1] in units:
        return tens[pieces[0]] + units.index(pieces[1]) + 1
    return units.index(words) + 1 if words in units else None


def _range(said: str) -> str | None:
    """A range has two ends and so no single form; None ends the search through `normal_form`."""
    return "~" if re.match(r"(?:from|between)\b.*\b(?:to|until|till|and|through)\b", said) else None


def _part(said: str) -> str | None:
    part = next((DAY_PARTS[p] for p in DAY_PARTS if re.search(rf"\b{p}\b", said)), None)
    return None if part is None or re.search(r"\b(?:last|next|every|tomorrow|yesterday|all)\b", said) else f"T{part}"


_RULES: tuple[Callable[[str], str | None], ...] = (
    _range, _into_media, _repeated, _offset, _clock, _date, _period, _part,
)  # fmt: skip
