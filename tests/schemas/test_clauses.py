"""Descriptions become statements, questions and noun phrases that are English, or are refused."""

from __future__ import annotations

import pytest
from chronotope.schemas.clauses import event_of

SENTENCES = """
a man opens the door | a man opens the door | does a man open the door | a man opening the door
Man opening door | a man opens the door | does a man open the door | a man opening the door
the door is opened by a man | the door is opened by a man | is the door opened by a man | the door being opened by a man
A person is opening the box. | a person opens the box | does a person open the box | a person opening the box
person puts a book away | a person puts a book away | does a person put a book away | a person putting a book away
two dogs bark at a cat | two dogs bark at a cat | do two dogs bark at a cat | two dogs barking at a cat
Two dogs are running | two dogs run | do two dogs run | two dogs running
people dancing | people dance | do people dance | people dancing
the man is on the sofa | the man is on the sofa | is the man on the sofa | the man being on the sofa
There is a man playing guitar | a man plays guitar | does a man play guitar | a man playing guitar
we see a man running | a man runs | does a man run | a man running
cut the onions | someone cuts the onions | does someone cut the onions | someone cutting the onions
Add salt to the pan | someone adds salt to the pan | does someone add salt to the pan | someone adding salt to the pan
the camera pans to the left | the camera pans to the left | does the camera pan to the left | the camera panning to the left
a red star moves up | a red star moves up | does a red star move up | a red star moving up
a sign reads “OPEN” | a sign reads “OPEN” | does a sign read “OPEN” | a sign reading “OPEN”
A man and a woman dance | a man and a woman dance | do a man and a woman dance | a man and a woman dancing
A man opened the door | a man opens the door | does a man open the door | a man opening the door
a man dressed in red walks off | a man dressed in red walks off | does a man dressed in red walk off | a man dressed in red walking off
a man with glasses opens a box | a man with glasses opens a box | does a man with glasses open a box | a man with glasses opening a box
A man is seen lifting weights | a man lifts weights | does a man lift weights | a man lifting weights
a girl sings while she plays | a girl sings while she plays | does a girl sing while she plays | a girl singing while she plays
a woman walks in and sits down | a woman walks in and sits down | does a woman walk in and sit down | a woman walking in and sitting down
Woman washing car in driveway | a woman washes the car in the driveway | does a woman wash the car in the driveway | a woman washing the car in the driveway
the man then throws the ball | the man throws the ball | does the man throw the ball | the man throwing the ball
Someone walks in | someone walks in | does someone walk in | someone walking in
A group of people dance | a group of people dance | do a group of people dance | a group of people dancing
Chef Gordon slices ham | Chef Gordon slices ham | does Chef Gordon slice ham | Chef Gordon slicing ham
A dog is chased by a cat | a dog is chased by a cat | is a dog chased by a cat | a dog being chased by a cat
smoke rises | smoke rises | does smoke rise | smoke rising
a boy lies on the bed | a boy lies on the bed | does a boy lie on the bed | a boy lying on the bed
"""


@pytest.mark.parametrize("line", [line for line in SENTENCES.strip().splitlines()])
def test_sentences_are_turned_around(line):
    text, clause, question, gerund = (part.strip() for part in line.split(" | "))
    event = event_of(text)
    assert event is not None
    assert (event.clause, event.question, event.gerund) == (clause, question, gerund)


def test_there_are_thirty():
    assert len(SENTENCES.strip().splitlines()) >= 30


@pytest.mark.parametrize("text", ["a goal celebration", "a drum solo", "There is a dog on the sofa"])
def test_noun_phrases_have_no_clause(text):
    event = event_of(text)
    assert event is not None and event.clause is None and event.gerund.startswith("a ")


@pytest.mark.parametrize(
    "text",
    ["he opens the door", "They walk away.", "a man who wears a hat opens the door", "A man runs. Then he stops.", "woman",
     "a man zorbs down the hill", "a man eats chips and drinks", "CLOSE UP OF A HAND", "a man is not moving", "", "?!",
     "a woman holding a baby walks in", "A man can be seen swimming", "Open window"],
)  # fmt: skip
def test_what_cannot_be_read_for_certain_is_refused(text):
    assert event_of(text) is None


def test_forms_of_forms_stay_the_same():
    for line in SENTENCES.strip().splitlines():
        clause, gerund = (line.split(" | ")[i].strip() for i in (1, 3))
        again = event_of(clause)
        assert again is not None and (again.clause, again.gerund) == (clause, gerund)
