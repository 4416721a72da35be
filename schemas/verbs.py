"""Verbs of descriptions of what happens, in their base form, and which of their forms are as often nouns.

A word list, not a dictionary: a verb that is missing makes a text one that cannot be turned around, never a wrong one.
"""

from __future__ import annotations


def word_list(text: str) -> frozenset[str]:
    """The words of a list that is written as running text."""
    return frozenset(text.split())


VERBS = word_list(
    """
    add adjust aim amble answer appear apply approach arrange arrive ask assemble attach attack awake back bake
    balance bang bark bathe be beat begin bend bite blend blow board boil bounce bow bowl box braid brake break
    breathe bring brush bubble build bump burn bury button buy call capture carry carve cast catch celebrate
    change charge chase chat check cheer chew chop circle clap clean clear climb clip close coat collapse collect
    comb combine come compete complete connect continue cook cool cough cover crack crash crawl cross crouch cry
    curl cut cycle dance decorate deliver demonstrate dig dip direct disappear discuss display dissolve dive
    divide do double drag draw dress dribble drift drill drink drip drive drop dry dunk dust eat embrace emerge
    empty enter examine exchange exercise exit explain explode fade fall feed feel fetch fight fill film find
    finish fish fix flash flip float flow fly fold follow fry gallop gather gaze gesture get give glide glue go
    grab graze greet grill grin grind grip groom grow hammer hand hang heat help hide hike hit hold hop hug hunt
    hurry ignite inflate inspect iron jog join juggle jump keep kick kiss kneel knit knock laugh launch lay lead
    lean leap leave let lick lie lift light line listen load lock look lose lower make march marry massage measure
    meet melt mend mix mount move mow nod observe offer open operate order overtake pack paddle paint pan park
    pass pat pause pay pedal peel perform pet pick pierce pinch place plant play point polish pose pour practice
    practise pray prepare present press pull pump punch push put race rain raise reach read receive record relax
    remove repair replace rescue rest return reveal reverse ride ring rinse rip rise roll rotate row rub run rush
    sail salute sand saw say score scrape scratch scream scroll scrub season see seize sell send serve set sew
    shake sharpen shave shine ship shoot shout shovel show shower shuffle shut sing sip sit skate skateboard
    sketch ski skid skip slap sleep slice slide slip slow smash smell smile smoke sneeze sniff snow snowboard soak
    speak spill spin spit splash split spray spread sprinkle sprint squat squeeze stack stand stare start stay
    steal steam steer step stick stir stop straighten stretch strike stroke strum stumble surf surround sway sweep
    swim swing switch tackle take talk tap taste teach tear tell test throw tickle tidy tie tilt tip toast toss
    touch tow trace trim trip try tumble turn twirl twist type unbox unfold unload unlock unpack unroll untie
    unwrap use vacuum vanish wag wait wake walk wander warm wash watch water wave wax wear weave weigh weld wheel
    whip whisk whisper whistle win wink wipe work wrap wrestle write yawn yell zoom
    """
)
OFTEN_NOUNS = word_list(
    """
    back bark board bow bowl box brake brush button call change check circle clip coat comb cook cover crack crash
    cross curl cut cycle dance dip double dress drift drill drink drip drive drop dust exercise exit fall fight
    film fish flash float flow fly fold glue grill grip hammer hand heat help hit hop hug iron jump kick kiss
    knock laugh lead light line load lock look march mix mount move order pack paddle paint pan park pass pat
    pedal pet pick place plant play point pose present press pump punch race rain record rest ride ring rip roll
    row run sail sand saw score season set shake ship show shower skate skateboard sketch ski skip slice slide
    slip smell smile smoke snow snowboard spill spin split spray spread stack stand start steam step stick stop
    stretch strike stroke surf swing switch tackle talk tap taste tear test throw tie tilt tip toast touch tow
    trace trim trip turn twist type use wait walk wash watch water wave wax weave wheel whip whistle work wrap
    """
)
"""Their -s form after a noun can be a plural: `drum kicks`, `paper cuts`."""
