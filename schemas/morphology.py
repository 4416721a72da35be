"""English verb forms by rule: third person, gerund, and back to the base form.

Spelling rules (consonant doubling, silent e, y to ie) and short lists of what they do not cover. Made for the present
tense of descriptions of what happens; a form that is neither regular nor listed is left as it is.
"""

from __future__ import annotations

from .verbs import VERBS

_VOWELS = "aeiou"
_IRREGULAR_PAST = {
    "began": "begin", "begun": "begin", "bent": "bend", "bit": "bite", "bitten": "bite", "blew": "blow", "blown": "blow",
    "broke": "break", "broken": "break", "brought": "bring", "built": "build", "bought": "buy", "came": "come",
    "caught": "catch", "chose": "choose", "chosen": "choose", "did": "do", "done": "do", "drank": "drink", "drew": "draw",
    "drawn": "draw", "drove": "drive", "driven": "drive", "ate": "eat", "eaten": "eat", "fell": "fall", "fallen": "fall",
    "fed": "feed", "felt": "feel", "flew": "fly", "flown": "fly", "fought": "fight", "found": "find", "froze": "freeze",
    "gave": "give", "given": "give", "got": "get", "went": "go", "gone": "go", "grew": "grow", "grown": "grow",
    "held": "hold", "hid": "hide", "hidden": "hide", "hung": "hang", "heard": "hear", "kept": "keep", "knelt": "kneel",
    "laid": "lay", "led": "lead", "leapt": "leap", "left": "leave", "lit": "light", "lost": "lose", "made": "make",
    "met": "meet", "paid": "pay", "ran": "run", "rang": "ring", "rode": "ride", "ridden": "ride", "rose": "rise",
    "said": "say", "sang": "sing", "sat": "sit", "saw": "see", "seen": "see", "sent": "send", "shook": "shake",
    "shaken": "shake", "shone": "shine", "shot": "shoot", "showed": "show", "shown": "show", "slept": "sleep",
    "slid": "slide", "spoke": "speak", "spoken": "speak", "spun": "spin", "stood": "stand", "stole": "steal",
    "struck": "strike", "swam": "swim", "swept": "sweep", "swung": "swing", "taken": "take", "took": "take",
    "taught": "teach", "told": "tell", "thought": "think", "threw": "throw", "thrown": "throw", "tore": "tear",
    "understood": "understand", "woke": "wake", "wore": "wear", "worn": "wear", "won": "win", "wrote": "write",
    "written": "write",
}  # fmt: skip
_IRREGULAR_THIRD = {"be": "is", "have": "has", "do": "does", "go": "goes"}
_FROM_THIRD = {third: base for base, third in _IRREGULAR_THIRD.items()} | {"dies": "die", "lies": "lie", "ties": "tie"}
_STRESSED_LAST = frozenset({"admit", "begin", "commit", "control", "equip", "forget", "occur", "permit", "prefer", "refer",
                            "regret", "submit", "upset"})  # fmt: skip
"""Verbs of two syllables that double their last consonant."""
_GERUND = {
    "be": "being",
    "see": "seeing",
    "dye": "dyeing",
    "panic": "panicking",
    "mimic": "mimicking",
    "picnic": "picnicking",
}
_FROM_GERUND = {
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "vying": "vie",
    "untying": "untie",
    "panicking": "panic",
}
_KEPT_DOUBLE = ("ss", "ll", "zz", "ff")
"""Endings that belong to the base form: passing, rolling, buzzing, sniffing."""
_DOUBLED_BEFORE_E = frozenset({"travel", "control", "propel", "cancel", "label"})
"""Verbs whose single l is doubled; every other -lling comes from -ll."""
_SILENT_E_AFTER = (
    "v",
    "c",
    "u",
    "iz",
    "az",
    "uz",
    "dg",
    "rg",
    "rs",
    "ns",
    "bl",
    "dl",
    "fl",
    "gl",
    "kl",
    "pl",
    "tl",
    "zl",
    "at",
)
"""Ends of stems that a silent e follows, where the word list does not say."""


def third_person(base: str) -> str:
    """`open` to `opens`, `carry` to `carries`, `wash` to `washes`."""
    if base in _IRREGULAR_THIRD:
        return _IRREGULAR_THIRD[base]
    if base.endswith(("s", "x", "z", "ch", "sh")):
        return base + "es"
    if base.endswith("y") and base[-2:-1] not in _VOWELS:
        return base[:-1] + "ies"
    return base + "s"


def gerund(base: str) -> str:
    """`open` to `opening`, `run` to `running`, `take` to `taking`, `lie` to `lying`."""
    if base in _GERUND:
        return _GERUND[base]
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")):
        return base[:-1] + "ing"
    return (base + base[-1] if _doubles(base) else base) + "ing"


def base_of(form: str, known: frozenset[str] = VERBS) -> str:
    """The base form of a verb form, or of a plural noun; a form without an ending is returned as it is.

    Where spelling leaves several base forms (`hop` or `hope` for `hoping`), one in `known` wins.
    """
    word = form.lower()
    for table in (_FROM_THIRD, _FROM_GERUND, _IRREGULAR_PAST):
        if word in table:
            return table[word]
    if word in known:
        return word  # "feed" is no past of "fe"
    candidates = _candidates(word)
    return next((c for c in candidates if c in known), candidates[0])


def _candidates(word: str) -> list[str]:
    """Base forms that `word` can come from, the likeliest first."""
    if word.endswith("ies") and len(word) > 4:
        return [word[:-3] + "y", word[:-1]]
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return [word[:-2], word[:-1]]
    if word.endswith("s") and len(word) > 2 and (not word.endswith(("ss", "us", "is")) or word == "skis"):
        return [word[:-1], word[:-2]] if word.endswith("es") else [word[:-1]]
    if word.endswith("ied") and len(word) > 4:
        return [word[:-3] + "y"]
    for ending in ("ing", "ed"):
        stem = word[: -len(ending)]
        if word.endswith(ending) and len(stem) > 1 and any(v in stem for v in "aeiouy"):
            return _stems(stem)
    return [word]


def _stems(stem: str) -> list[str]:
    if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in _VOWELS:
        single = stem[:-1]
        keeps = stem.endswith(_KEPT_DOUBLE) and single not in _DOUBLED_BEFORE_E
        return [stem, single] if keeps else [single, stem]
    silent = stem.endswith(_SILENT_E_AFTER) and not (stem.endswith("at") and stem[-3:-2] in _VOWELS)
    if silent or _doubles(stem):  # a stem that would double but did not has lost its e: hoping
        return [stem + "e", stem]
    return [stem, stem + "e"]


def _doubles(base: str) -> bool:
    """Whether the last consonant doubles before -ing: one vowel before it, and the stress on it."""
    if len(base) < 2 or base[-1] in _VOWELS + "wxy" or base[-2] not in _VOWELS + "y":
        return False
    if len(base) > 2 and base[-3] in _VOWELS and base[-4:-2] != "qu":
        return False
    syllables = sum(a in _VOWELS + "y" and (i == 0 or base[i - 1] not in _VOWELS + "y") for i, a in enumerate(base))
    return syllables == 1 or base in _STRESSED_LAST
