"""Verb forms are spelled as they are in a book, and each form leads back to its verb."""

from __future__ import annotations

import pytest
from chronotope.schemas.morphology import base_of, gerund, third_person
from chronotope.schemas.verbs import OFTEN_NOUNS, VERBS

TABLE = """
open opens opening | close closes closing | run runs running | sit sits sitting | put puts putting | take takes taking
lie lies lying | tie ties tying | see sees seeing | go goes going | do does doing | have has having | be is being
carry carries carrying | play plays playing | cry cries crying | fly flies flying | buy buys buying | wash washes washing
watch watches watching | fix fixes fixing | mix mixes mixing | kiss kisses kissing | pass passes passing | box boxes boxing
dance dances dancing | hike hikes hiking | hop hops hopping | hope hopes hoping | stir stirs stirring | stare stares staring
star stars starring | begin begins beginning | open opens opening | enter enters entering | offer offers offering
visit visits visiting | climb climbs climbing | clap claps clapping | clean cleans cleaning | load loads loading
eat eats eating | swim swims swimming | dive dives diving | drive drives driving | ride rides riding | write writes writing
cut cuts cutting | chop chops chopping | slice slices slicing | peel peels peeling | pour pours pouring | fry fries frying
squat squats squatting | quit quits quitting | knit knits knitting | sew sews sewing | row rows rowing | glue glues gluing
shake shakes shaking | jog jogs jogging | ski skis skiing | snow snows snowing | panic panics panicking | chase chases chasing
juggle juggles juggling | measure measures measuring | lean leans leaning | hug hugs hugging | whisk whisks whisking
"""
FORMS = [tuple(entry.split()) for entry in TABLE.replace("\n", "|").split("|") if entry.strip()]


@pytest.mark.parametrize(("base", "third", "ing"), FORMS)
def test_forms_are_spelled_right(base, third, ing):
    assert (third_person(base), gerund(base)) == (third, ing)


def test_there_are_many():
    assert len(FORMS) >= 60 and len(VERBS) > 400 and OFTEN_NOUNS < VERBS


def test_every_form_of_every_known_verb_leads_back_to_it():
    assert [v for v in sorted(VERBS) if {base_of(third_person(v)), base_of(gerund(v))} != {v}] == []


@pytest.mark.parametrize(
    ("form", "base"),
    [("opened", "open"), ("ran", "run"), ("carried", "carry"), ("stopped", "stop"), ("hiked", "hike"), ("rolled", "roll"),
     ("taken", "take"), ("boxes", "box"), ("dogs", "dog"), ("glass", "glass"), ("bus", "bus"), ("Onions", "onion")],
)  # fmt: skip
def test_pasts_and_plurals_lead_back_too(form, base):
    assert base_of(form) == base
