"""Words of time and place: units, months, events that people date by, nouns that are places, names of places, and idioms.

Lists for the grammar in `phrase_patterns.py`; English, lower case, common words only. A place that is not listed is found behind
a preposition that can only be spatial (behind, beside ...) or by its capital letter.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MONTHS = _words("january february march april may june july august september october november december")
AMBIGUOUS_MONTHS = ("march", "may", "april", "june", "august")
"""Months that are also verbs, names or adjectives: they count only where something dates them."""
WEEKDAYS = _words("monday tuesday wednesday thursday friday saturday sunday")
SEASONS = _words("spring summer autumn fall winter")
HOURS = _words("one two three four five six seven eight nine ten eleven twelve")
DAY_TIMES = {
    "noon": "12:00", "midday": "12:00", "midnight": "00:00", "dawn": "DN", "daybreak": "DN", "sunrise": "DN", "dusk": "DK", "sunset": "DK",
    "nightfall": "DK", "lunchtime": "MI", "bedtime": "NI",
}  # fmt: skip
"""Named times of day with their clock, or TIMEX3's name of a part of the day."""
DAY_PARTS = {"morning": "MO", "afternoon": "AF", "evening": "EV", "night": "NI"}
HOLIDAYS = r"christmas(?:\s+(?:eve|day|morning))?|easter(?:\s+(?:sunday|monday))?|thanksgiving|halloween|new\s+year['’]s(?:\s+(?:eve|day))?"
EVENTS = _words(
    "breakfast lunch dinner supper school work war game match meeting show concert ceremony wedding class lesson storm election break "
    "party race session flight trip speech interview performance film movie play exam surgery harvest holidays funeral race earthquake "
    "flood revolution training rehearsal service auction parade festival conference crisis accident attack launch landing"
)
"""What people date by: before lunch, after the war."""
MEDIA = _words("video film movie clip episode recording show talk lecture tutorial footage presentation documentary")
TIME_UNITS = {
    "millisecond": ("T", "S", 0.001), "second": ("T", "S", 1.0), "sec": ("T", "S", 1.0), "minute": ("T", "M", 60.0),
    "min": ("T", "M", 60.0), "hour": ("T", "H", 3600.0), "hr": ("T", "H", 3600.0), "day": ("", "D", 86400.0),
    "night": ("", "D", 86400.0), "week": ("", "W", 604800.0), "fortnight": ("", "W", 1209600.0), "month": ("", "M", 2629800.0),
    "year": ("", "Y", 31557600.0), "decade": ("", "Y", 315576000.0), "century": ("", "Y", 3155760000.0),
}  # fmt: skip
"""Letter of ISO 8601 with its T, and seconds; decades and centuries count in years."""
LENGTHS = _words(
    "metre metres meter meters kilometre kilometres kilometer kilometers km mile miles block blocks foot feet yard yards step steps "
    "pace paces street streets door doors floor floors inch inches centimetre centimetres centimeter centimeters row rows stop stops "
    "storey storeys house houses exit exits"
)
PLACE_NOUNS = _words(
    "house home kitchen station street road avenue lane highway motorway bridge river stream creek hill hilltop hillside mountain valley "
    "city town village suburb suburbs neighbourhood neighborhood district room bedroom bathroom hallway corridor hall lobby garden yard "
    "backyard park playground school classroom university campus college hospital clinic church cathedral mosque temple museum gallery "
    "library shop store supermarket market bakery restaurant cafe café bar pub hotel airport harbour harbor port dock pier beach shore "
    "coast island lake pond sea ocean bay forest wood woods field fields meadow farm barn stable desert cave canyon cliff square plaza "
    "corner intersection crossing crossroads roundabout tunnel gate gates fence wall tower castle palace fort office factory warehouse "
    "garage basement cellar attic roof rooftop balcony porch terrace stairs staircase stage theatre theater cinema stadium arena gym "
    "pool court courtyard courthouse prison jail bank border county country province region capital centre center downtown countryside "
    "mill lighthouse mine camp campsite cabin cottage hut tent apartment flat building skyscraper platform track tracks pavement sidewalk "
    "parking lot quay canal dam waterfall glacier volcano jungle swamp path trail entrance exit doorway window door table desk counter "
    "shelf cupboard fridge oven sink sofa couch bed chair bench tree trees car truck bus train boat ship plane van fountain statue monument "
    "cemetery graveyard post-office pharmacy depot terminal laboratory lab studio workshop kiosk orchard vineyard pasture stairwell elevator "
    "lift marketplace waterfront riverbank seaside shoreline summit peak slope ridge plateau ditch driveway alley alleyway schoolyard "
    "surface frontier grass pass nest water room ground floor ceiling world earth moon planet sky globe"
)
THINGS = _words(
    "curtain curtains lamp ladder rock rocks sign piano screen box boxes bookcase wardrobe mirror carpet rug stove heater barrel bush bushes "
    "hedge pillar column goal goalpost net podium camera crowd counter trailer tractor wagon cart tent umbrella bin dumpster altar"
)
PLACE_NAMES = _words(
    "africa america antarctica asia australia europe argentina austria belgium brazil canada chile china colombia cuba denmark egypt england "
    "finland france germany greece hungary iceland india indonesia iran iraq ireland israel italy japan kenya korea mexico morocco nepal "
    "netherlands nigeria norway pakistan peru poland portugal russia scotland spain sweden switzerland turkey ukraine vietnam wales "
    "amsterdam athens atlanta barcelona beijing berlin bombay boston brussels budapest cairo calcutta chicago copenhagen dallas delhi denver "
    "detroit dublin edinburgh florence geneva hamburg havana helsinki houston istanbul jakarta jerusalem johannesburg lagos lima lisbon "
    "london madrid manchester melbourne miami milan montreal moscow mumbai munich nairobi naples oslo paris philadelphia prague rome "
    "seattle seoul shanghai singapore stockholm sydney tehran tokyo toronto vancouver venice vienna warsaw washington zurich alaska arizona "
    "california florida georgia hawaii illinois kansas louisiana maine massachusetts michigan minnesota montana nevada ohio oregon "
    "pennsylvania tennessee texas utah vermont virginia wisconsin manhattan brooklyn harlem hollywood chinatown"
)
AMBIGUOUS_NAMES = ("china", "turkey", "reading", "nice", "mobile", "georgia", "virginia", "florence", "sydney", "paris")
"""Names that are also things or people: they count only behind a preposition of place."""
STREET = r"street|road|avenue|lane|drive|boulevard|square|place|bridge|station|park|hill|airport|river|lake|mountain|island|valley|beach|bay|museum|hotel|tower|hall|market|cathedral|palace|castle|creek|harbour|harbor"
SPATIAL = (
    "behind|beside|beneath|underneath|alongside|near|next\\s+to|close\\s+to|in\\s+front\\s+of|across\\s+from|opposite|inside|outside(?:\\s+of)?|"
    "on\\s+top\\s+of|in\\s+between|under|above|below|amid|atop|out\\s+of"
)
"""Prepositions that speak of places whatever follows."""
OPEN = (
    "in|at|on|upon|to|into|onto|from|through|across|along|around|over|past|towards?|up|down|off|by|via|throughout|all\\s+over|all\\s+around|"
    "all\\s+across|beyond|within|against|round"
)
"""Prepositions that speak of places only before something that is one."""
FUNCTION = _words(
    "a an the this that these those i you he she it we they who which what and or but so because if when while as than then of to in on at by "
    "for with from into is are was were be been being has have had do does did will would can could may might must shall should not no "
    "my your his her its our their there here very too just only also again before after until since during about around over under up "
    "down out off all some any each every both one please or nor yet still"
)
ABSTRACT = _words(
    "control pressure attack review discussion question construction arrest oath contract law rules circumstances condition average all "
    "everything everyone suspicion budget time schedule influence expectations stress debate scenes average date fire water hand"
)
"""Nouns behind which a spatial preposition is no place: under pressure, behind schedule."""
TITLES = r"mr|mrs|ms|miss|dr|doctor|president|captain|professor|prof|sir|queen|king|prince|princess|senator|judge|general|aunt|uncle|pope|saint"
FIRST_NAMES = _words(
    "adam alice anna ben charles clara daniel david emily emma george hannah helen henry jack james jane john joseph julia karen laura "
    "linda lisa lucy maria mark martin mary michael nancy oliver paul peter rachel richard robert sarah simon sophie susan thomas tom william"
)
ORG_ENDS = r"university|company|inc|corp|corporation|association|institute|council|foundation|committee|agency|club|league|union|ministry|department|group|society"
IDIOMS = (
    r"at the end of the day", r"on the other hand", r"on (?:the )?one hand", r"in the (?:long|short) run", r"in the first place", r"on the right track",
    r"on the wrong track", r"at the top of \w+ (?:lungs|voice|game)", r"over the moon", r"under the weather", r"on the house", r"down the drain",
    r"in the same boat", r"at the heart of", r"in the heat of the moment", r"in the blink of an eye",
    r"once upon a time", r"time after time", r"from time to time", r"day in,? day out", r"in the nick of time", r"behind the times",
    r"ahead of (?:its|his|her|their) time", r"at the eleventh hour", r"in the back of (?:my|his|her|your|our|their) mind", r"out of the blue",
    r"in hot water", r"on thin ice", r"in the dark about", r"on the table for discussion",
    r"by the book", r"out of the question", r"out of the woods", r"on top of the world", 
    r"up in the air", r"down to earth", r"at sea", r"on cloud nine", r"in a bad place", r"take place", r"in place of", r"all over the place",
    r"on the back burner", r"behind closed doors", r"behind the scenes", r"in the spotlight", r"in the loop", r"in deep water",
    r"the moment of truth", r"in (?:my|his|her|their|your|our) (?:heart|mind|head|opinion|view)", r"(?:call it|make (?:my|your|his|her)) (?:a )?day",
    r"the sands of time", r"a bridge too far", r"cross that bridge", r"second to none", r"at first sight", r"on second thoughts?",
    r"second (?:thoughts?|nature|hand|opinion|chance|language|cousin|place|fiddle|wind)", r"out of (?:order|breath|date|control|hand)",
)  # fmt: skip
"""Phrases that look like time or place and mean neither."""
