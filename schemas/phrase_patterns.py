"""The grammar of extended phrases of time and place, as patterns: whole phrases with their prepositions, numbers and hedges.

`a few blocks north of the station`, `just before noon`, `two minutes later`, `from Monday to Friday`, `on the left side of the
stage`. Patterns are tried at every word; the longest match from the leftmost place wins (`phrases.py`), after context has
decided about words that only look like time or place. English.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .number_words import NUMBER_WORDS
from .phrase_words import (
    ABSTRACT,
    AMBIGUOUS_MONTHS,
    DAY_PARTS,
    DAY_TIMES,
    EVENTS,
    FUNCTION,
    HOLIDAYS,
    HOURS,
    LENGTHS,
    MEDIA,
    MONTHS,
    OPEN,
    PLACE_NAMES,
    PLACE_NOUNS,
    SEASONS,
    SPATIAL,
    STREET,
    THINGS,
    TIME_UNITS,
    WEEKDAYS,
)


def any_of(words: Iterable[str]) -> str:
    """One of the words, longest first."""
    return "(?:" + "|".join(sorted({w.replace(" ", r"\s+") for w in words}, key=lambda w: (-len(w), w))) + ")"


S = r"\s+"
NUMBER = rf"(?:{NUMBER_WORDS}|\d+(?:[.,]\d+)*)"
ORDINAL = (
    r"(?:(?:twenty|thirty)[-\s](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|first|second|third|fourth|fifth|sixth|"
    r"seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|"
    r"twentieth|thirtieth)"
)
UNIT = any_of(
    [u + s for u in TIME_UNITS for s in ("", "s") if u != "century"] + ["century", "centuries", "moment", "moments"]
)
SOME = (
    rf"(?:an?{S}(?:few|couple(?:{S}of)?|dozen|good{S}many|hundred|thousand)|several|many|few|half{S}an?|(?:a|three){S}quarters?{S}of{S}an|"
    rf"{NUMBER}(?:{S}and{S}a{S}half|{S}(?:or|to|and){S}{NUMBER}|[-–]\d+)?|an?)"
)
HEDGE = (
    rf"(?:(?:about|around|roughly|nearly|almost|approximately|exactly|only|just|barely|at{S}least|at{S}most|up{S}to|more{S}than|"
    rf"less{S}than|fewer{S}than|not{S}even|well{S}over|just{S}(?:over|under)|over|under|some|another|the{S}(?:first|last|next|past|following|final|"
    rf"previous)){S})*"
)
LENGTH_OF_TIME = (
    rf"(?:{HEDGE}{SOME}[-\s]+(?:(?:more|long|full|whole|short|straight|consecutive|extra|other|brief|solid){S})*{UNIT}(?:{S}and{S}(?:{NUMBER}{S}{UNIT}|a{S}half))?|"
    rf"{HEDGE}half{S}(?:an?{S})?hour|the{S}(?:past|last|next|coming|following|previous|whole|entire|first|final){S}(?:{NUMBER}{S}|few{S}|couple{S}of{S})?{UNIT})"
)
YEAR = r"(?:1[0-9]\d\d|20\d\d)"
MONTH = rf"(?:{any_of(MONTHS)}|(?:jan|feb|apr|aug|sept?|oct|nov|dec)\.)"
SURE_MONTH = any_of([m for m in MONTHS if m not in AMBIGUOUS_MONTHS])
DAY = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?|(?:the{S})?{ORDINAL})"
WEEKDAY = rf"{any_of(WEEKDAYS)}s?(?:{S}(?:morning|afternoon|evening|night)s?)?"
PART = any_of(DAY_PARTS)
AMPM = r"(?:\s*[ap](?:\.m\.|m\b))"
HOUR = any_of(HOURS)
CLOCK = (
    rf"(?:\d{{1,2}}:\d\d(?::\d\d)?{AMPM}?|\d{{1,2}}(?:\.\d\d)?{AMPM}|(?:{HOUR}|\d{{1,2}}){S}o['’]clock(?:{S}sharp)?|"
    rf"(?:half|(?:a{S})?quarter|{NUMBER}(?:{S}minutes?)?){S}past{S}(?:{HOUR}|noon|midnight|\d{{1,2}})|"
    rf"(?:(?:a{S})?quarter|{NUMBER}{S}minutes?){S}to{S}(?:{HOUR}|noon|midnight|\d{{1,2}})|{any_of(DAY_TIMES)})"
    rf"(?:{S}(?:in{S}the{S}(?:early{S}|late{S})?(?:morning|afternoon|evening)|at{S}night|sharp))?"
)
DATE = (
    rf"(?:\d{{4}}-\d\d-\d\d|{MONTH}{S}(?:the{S})?{DAY}(?!\d|{S}(?:{UNIT})\b)(?:,?{S}{YEAR})?|{DAY}{S}(?:of{S})?{MONTH}(?:,?{S}{YEAR})?|"
    rf"{MONTH},?{S}(?:of{S})?{YEAR}|(?:the{S})?{any_of(SEASONS)}{S}of{S}{YEAR})"
)
PERIOD = (
    rf"(?:the{S}(?:(?:early|late|mid)[-\s]+)?(?:\d{{3}}0s|(?:nineteen[-\s])?(?:twenties|thirties|forties|fifties|sixties|seventies|eighties|nineties))|"
    rf"the{S}(?:(?:early|late|mid)[-\s]+)?{ORDINAL}{S}century)"
)
RELATIVE = (
    rf"(?:the{S}day{S}(?:after{S}tomorrow|before{S}yesterday|before|after)|(?:tomorrow|yesterday){S}{PART}|today|tomorrow|yesterday|tonight|nowadays|"
    rf"these{S}days|the{S}other{S}day|right{S}now|just{S}now|(?:last|next|this|every|each|the{S}next|the{S}following|the{S}same|the{S}previous|that|"
    rf"this{S}coming|late{S}last|early{S}this|late{S}this|early{S}next|late{S}next|this{S}very)"
    rf"{S}(?:{PART}|{WEEKDAY}|{MONTH}|{any_of(SEASONS)}|{UNIT}|weekend|{HOLIDAYS})|"
    rf"all{S}(?:day|night|morning|afternoon|evening|week|summer|winter|year)(?:{S}long)?)"
)
FREQUENCY = rf"(?:every{S}(?:(?:other|second|single|{NUMBER}){S})?(?:{UNIT}|{PART}|{WEEKDAY}|weekend)|(?:once|twice|{NUMBER}{S}times|several{S}times|three{S}times){S}(?:an?|per|each|every){S}{UNIT})"
POINT = rf"(?:{DATE}|{CLOCK}|{PERIOD}|{RELATIVE}|{WEEKDAY}|{SURE_MONTH}|{HOLIDAYS})"
THE_EVENT = rf"(?:(?:the|his|her|their|our|my|your|a|this|that){S}(?:\w+{S})?)?{any_of(EVENTS)}"
THE_MEDIA = rf"(?:the|this|our){S}(?:\w+{S})?{any_of(MEDIA)}"
EDGE = rf"(?:the{S})?(?:very{S})?(?:beginning|start|end|middle|close)"
BEFORE_AFTER = (
    rf"(?:(?:(?:just|right|shortly|soon|immediately|long|only|not{S}long|well|some{S}time|a{S}little|a{S}bit|ever|even|sometime|{LENGTH_OF_TIME}){S})?"
    rf"(?:before|after|until|till|since|by|past))"
)
AT = (
    rf"(?:{BEFORE_AFTER}|(?:(?:early|late|later|earlier|sometime|only|right|just|exactly|starting|beginning){S})?(?:at|on|in|during|throughout|around|"
    rf"about|towards?|from|over|through|as{S}of|for|within))"
)
VAGUE_POINT = (
    rf"(?:(?:the{S})?(?:{EDGE}{S}of{S})?(?:(?:early|late|mid|nearly|almost|around|about|exactly)[-\s]+)?{POINT})"
)
TIMES: tuple[str, ...] = (
    rf"(?:{AT}{S})?{VAGUE_POINT}(?:(?:,?{S}(?:at|on|in|of){S}|,?{S}){POINT})*",
    rf"(?:{AT}{S}|early{S}|late{S})?{EDGE}{S}of{S}(?:{POINT}|the{S}{UNIT}|{MONTH}|{YEAR})",
    rf"(?:{AT}|of|early|late|mid|last|next){S}(?:(?:early|late|mid)[-\s]+)?{MONTH}(?:,?{S}{YEAR})?",
    rf"{BEFORE_AFTER}{S}{THE_EVENT}",
    rf"(?:during|throughout|in{S}the{S}middle{S}of|at{S}the{S}(?:start|end|beginning){S}of){S}{THE_EVENT}",
    rf"(?:{AT}){S}(?:the{S}(?:year{S})?|early{S}|late{S})?{YEAR}\b",
    rf"(?:from|between){S}(?:{POINT}|{HOUR}|{MONTH}|{YEAR}){S}(?:to|until|till|through|and){S}(?:{POINT}|{HOUR}|{MONTH}|{YEAR})",
    rf"(?:early{S}|late{S})?(?:in|during|throughout|over|by){S}(?:the{S})(?:(?:early|late){S}|middle{S}of{S}the{S}|dead{S}of{S})?(?:{PART}|{any_of(SEASONS)})",
    rf"(?:early{S}|late{S})?(?:at|by){S}night|in{S}the{S}middle{S}of{S}the{S}night|(?:early|late){S}(?:in{S}the{S}(?:morning|evening)|at{S}night)",
    rf"(?:in|during|by|until|since|early|late|last|next|every){S}(?:(?:early|late){S})?{any_of(SEASONS)}",
    rf"{LENGTH_OF_TIME}{S}(?:later|ago|earlier|beforehand|afterwards?|before{S}that|after{S}that|from{S}now|prior|in{S}advance)(?:{S}(?:on{S}|in{S}){VAGUE_POINT})?",
    rf"(?:in|for|within|over|after|throughout|during|until){S}{LENGTH_OF_TIME}(?:{S}or{S}(?:so|more|less))?(?:{S}time)?",
    rf"{LENGTH_OF_TIME}",
    rf"(?:for|after|in|within){S}(?:an?|some|quite{S}a){S}(?:very{S})?(?:(?:long|short|little){S})?(?:time|while)\b",
    rf"{FREQUENCY}(?:{S}at{S}{CLOCK}|{S}in{S}the{S}{PART}|{S}for{S}{LENGTH_OF_TIME})?",
    rf"{LENGTH_OF_TIME}{S}(?:into|before{S}the{S}end{S}of|after{S}the{S}(?:start|beginning){S}of|from{S}the{S}(?:start|beginning|end){S}of){S}{THE_MEDIA}",
    rf"(?:(?:at|near|towards?|by|until|from|around|right{S}at){S})?{EDGE}{S}of{S}{THE_MEDIA}",
    rf"(?:about{S}|roughly{S})?halfway{S}through{S}{THE_MEDIA}|(?:later|earlier){S}(?:on{S})?in{S}{THE_MEDIA}",
    rf"(?:at|around|about|by|until|till|before|after|since){S}(?:{HOUR}|half{S}past|\d{{1,2}}){S}(?:in{S}the{S}(?:morning|afternoon|evening)|at{S}night|tomorrow|today|tonight|yesterday)",
)
"""Phrases of time."""

WORD = r"[a-z][\w'’-]*"
NOT_FUNCTION = rf"(?!(?:{'|'.join(FUNCTION)})\b)"
MODIFIERS = rf"(?:{NOT_FUNCTION}{WORD}{S}){{0,3}}?"
DETERMINER = r"(?:the|an?|this|that|these|those|my|your|his|her|its|our|their|every|each|another|some|any)"
PROPER = r"(?-i:(?:[Tt]he\s+)?[A-Z][\w’'-]*(?:\s+(?:(?:of|de|la|del)\s+)?[A-Z][\w’'-]*)*)"
NAME = rf"(?:(?:the{S})?(?:{any_of(['north', 'south', 'east', 'west', 'northern', 'southern', 'eastern', 'western', 'central', 'new', 'san', 'los', 'saint'])}{S})?(?-i:(?=[A-Z])){any_of(PLACE_NAMES)}\b|the{S}(?:united{S}states|united{S}kingdom|netherlands|alps|andes|himalayas|atlantic|pacific)|(?-i:New York(?: City)?|Los Angeles|San Francisco|Hong Kong|New Zealand|South Africa|Rio de Janeiro|Cape Town))"
STREETS = "|".join(w.capitalize() for w in STREET.split("|"))
ADDRESS = rf"(?:\d+{S})?(?-i:(?!The\s)[A-Z][\w’'-]*(?:\s+[A-Z][\w’'-]*)*?\s+(?:{STREETS}))\b"
NOUN = rf"{any_of([*PLACE_NOUNS, *THINGS])}s?"
THE_PLACE = rf"(?:(?:{DETERMINER}|{NUMBER}){S})?{MODIFIERS}{NOUN}\b(?:{S}{NOUN}\b)?"
DEEP = rf"(?:{S}(?:of|in|at|on|by|near){S}(?:{NAME}|{ADDRESS}|{DETERMINER}{S}{MODIFIERS}{NOUN}\b))?"
PLACE = rf"(?:{ADDRESS}|{NAME}|{THE_PLACE})"
TIMELY = rf"(?:{UNIT}|{PART}|{MONTH}|{any_of(WEEKDAYS)}s?|{any_of(SEASONS)}|{any_of(DAY_TIMES)}|{HOLIDAYS}|weekend|{any_of(EVENTS)}|{any_of(MEDIA)})\b"
NOT_TIMELY = rf"(?!(?:{DETERMINER}{S})?(?:\w+{S})?{TIMELY})"
ANYTHING = rf"(?:{PLACE}|{NOT_TIMELY}(?:{DETERMINER}{S}{NOT_FUNCTION}(?!(?:{'|'.join(ABSTRACT)})\b){WORD}|{PROPER}))"
DIRECTION = r"(?:(?:north|south)[-\s]?(?:east|west)|north|south|east|west)(?:wards?|ern)?"
LENGTH = any_of(LENGTHS)
DISTANCE = rf"{HEDGE}{SOME}{S}(?:(?:more|long|short|good|nautical|city|whole){S})?{LENGTH}"
NEAR_WORD = rf"(?:(?:just|right|far|directly|immediately|somewhere|deep|high|low|halfway|straight|back|out|over|up|down|away|all{S}the{S}way|further|only){S})*"
SIDE = (
    r"(?:(?:far|other|near|opposite|left|right|left-hand|right-hand|north|south|east|west|northern|southern|eastern|western|top|bottom|upper|lower|"
    r"back|front|inner|outer|very|same)\s+)*"
)
PART_OF = (
    rf"(?:left|right|{SIDE}(?:side|end|edge|corner|top|bottom|middle|centre|center|front|back|rear|foot|head|mouth|bank|entrance|outskirts|"
    rf"heart|half|part|wall|floor)s?)"
)
PLACES: tuple[str, ...] = (
    rf"{DISTANCE}{S}(?:(?:further|away|straight){S})?(?:(?:to{S}the{S})?{DIRECTION}{S}of|to{S}the{S}(?:left|right){S}of|(?:away{S})?from|above|below|beneath|"
    rf"behind|beyond|past|off|outside(?:{S}of)?|inside|down|up|along|into|in{S}front{S}of|across|through){S}{PLACE}{DEEP}",
    rf"{DISTANCE}{S}(?:(?:further|straight){S})?(?:(?:to{S}the{S})?{DIRECTION}|away|ahead|further{S}on|apart|underground|inland|offshore|upstream|downstream|up|down)\b",
    rf"{NEAR_WORD}(?:(?:to|in|from){S}the{S})?{DIRECTION}{S}of{S}{PLACE}{DEEP}",
    rf"(?:in|to|from|towards){S}the{S}(?:far{S})?{DIRECTION}\b(?:{S}of{S}{PLACE})?",
    rf"{NEAR_WORD}(?:on|at|to|from|in|along|around|near|towards?|by|over){S}(?:the|your|his|her|my|our|their|its|either|each|one|both){S}{PART_OF}(?:{S}(?:hand{S})?side)?"
    rf"(?:{S}of{S}(?:{ANYTHING}){DEEP}(?:{S}and{S}(?:{ADDRESS}|{NAME}))?|(?!{S}of\b))",
    rf"{NEAR_WORD}between{S}{ANYTHING}{S}and{S}{ANYTHING}",
    rf"{NEAR_WORD}(?:{SPATIAL}){S}{ANYTHING}{DEEP}",
    rf"{NEAR_WORD}(?:{OPEN}){S}(?:the{S}(?:corner|end|top|bottom|side|edge|middle|front|back){S}of{S})?{PLACE}{DEEP}(?:{S}and{S}(?:{ADDRESS}|{NAME}))?",
    rf"(?:upstairs|downstairs|indoors|outdoors|abroad|overseas|nearby|next{S}door|(?:far|miles){S}away|(?:over|right|up|down|out){S}(?:here|there)|"
    rf"around{S}the{S}corner|down{S}the{S}(?:road|street|hall|hallway|corridor|stairs)|backstage|offshore|inland|underground|upstream|downstream|"
    rf"(?:all{S})?(?:over|around){S}the{S}world)\b",
    rf"{NAME}|{ADDRESS}",
)
"""Phrases of place."""


def compiled(patterns: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    """Patterns that match at a word and end at one."""
    return tuple(re.compile(rf"(?<![\w'’-])(?:{p})(?![\w]|['’]\w)", re.IGNORECASE) for p in patterns)
