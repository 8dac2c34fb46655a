"""Seeded simple modern English for pretraining a tiny model: stories, letters, dialogues, questions and answers.

    python assets/simple_english.py [--samples 5] [--megabytes 4]

Every kind of document is one small function that fills templates from the tables in simple_english_words.py, so that
what is said of a thing is true and the same everywhere. In a template [a|b] is a choice (it may nest) and {word} or
{word.form} a filled slot; forms: past, s (third person), ing, pl (plural).
"""

import argparse
import random
import re
import runpy
from pathlib import Path
from types import SimpleNamespace

# By path, so that this file also loads from outside its folder.
W = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("simple_english_words.py"))))

QUESTION_SHARE = 0.25
SHORTEST, SHORTEST_QUESTION, LONGEST = 150, 40, 1500

PAST = dict(
    pair.split(":")
    for pair in """
    cut:cut eat:ate drive:drove make:made bake:baked keep:kept drink:drank carry:carried dig:dug sit:sat sleep:slept
    hang:hung do:did light:lit rest:rested tell:told show:showed give:gave send:sent sign:signed draw:drew find:found
    read:read look:looked put:put hold:held go:went buy:bought bring:brought take:took write:wrote see:saw get:got
    swim:swam run:ran sing:sang meet:met feed:fed fly:flew sell:sold catch:caught speak:spoke lead:led build:built
    grow:grew sew:sewed learn:learned lend:lent wear:wore steer:steered fix:fixed put:put win:won hit:hit ride:rode
    play:played stay:stayed choose:chose leave:left open:opened watch:watched wake:woke pay:paid visit:visited
    begin:began teach:taught think:thought throw:threw stick:stuck tie:tied lay:laid spread:spread fold:folded
    listen:listened answer:answered order:ordered offer:offered gather:gathered cover:covered remove:removed
    borrow:borrowed glide:glided pick:picked dance:danced wrap:wrapped mop:mopped grab:grabbed chat:chatted
    stop:stopped shop:shopped plan:planned scan:scanned drop:dropped hug:hugged tap:tapped pat:patted stir:stirred
    clap:clapped knit:knitted juggle:juggled climb:climbed decide:decided protect:protected""".split()
)
DOUBLED = set("cut dig sit get put swim run hit stop shop plan scan drop hug win mop chat begin wrap pat stir".split())
DOUBLED |= {"clap", "knit", "tap", "grab"}


def past(verb):
    if verb in PAST:
        return PAST[verb]
    if verb.endswith("e"):
        return verb + "d"
    return verb[:-1] + "ied" if re.search("[^aeiou]y$", verb) else verb + "ed"


def third(verb):
    if re.search("(s|sh|ch|x|z|o)$", verb):
        return verb + "es"
    return verb[:-1] + "ies" if re.search("[^aeiou]y$", verb) else verb + "s"


def ing(verb):
    if verb in DOUBLED:
        return verb + verb[-1] + "ing"
    if verb == "tie":
        return "tying"
    return verb[:-1] + "ing" if re.search("[^e]e$", verb) else verb + "ing"


def plural(noun):
    head, *rest = re.split("(?= of )", noun, maxsplit=1)  # the head of "loaf of bread" is the first word
    irregular = {"knife": "knives", "loaf": "loaves", "shelf": "shelves", "bookshelf": "bookshelves", "mouse": "mice"}
    irregular |= {"scarf": "scarves", "child": "children", "foot": "feet", "goose": "geese", "fish": "fish"}
    irregular |= {"postman": "postmen", "policeman": "policemen", "fisherman": "fishermen", "torch": "torches"}
    irregular |= {"potato": "potatoes", "tomato": "tomatoes", "mango": "mangoes", "salmon": "salmon"}
    if head in irregular:
        return irregular[head] + "".join(rest)
    if head.endswith("f") and head == "leaf":
        return "leaves"
    return (head + "s" if head.endswith("o") else third(head)) + "".join(rest)


def inflect(text, form):
    """The form of a phrase: of its first word for verbs ("cut bread and roll it": and of a verb after "and" never)."""
    if form == "pl":
        return plural(text)
    if form == "cap":
        return text[0].upper() + text[1:]
    first, *rest = text.split(" ", 1)
    return " ".join([{"past": past, "s": third, "ing": ing}[form](first), *rest])


CHOICE = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"\{(\w+)(?:\.(\w+))?\}")
ARTICLE = re.compile(r"\b([Aa]) (?=(?:[aeiouAEIOU](?!ni[^n]|se|sual|ne\b|uro)|hour|honest|unus|unn|under))")
START = re.compile(r'(^|\n|[.!?:] ?"|[,:] "|[.!?] )([a-z])')


class Writer:
    """A random source together with the slots of one document."""

    def __init__(self, rng):
        self.rng, self.slots = rng, {}
        self.pick, self.num = rng.choice, rng.randint
        self.person(""), self.person("2")
        self.slots.update(day=self.pick(W.DAYS), month=self.pick(W.MONTHS), town=self.pick(W.TOWNS))
        self.slots.update(good=self.pick(W.GOOD), bad=self.pick(W.BAD), colour=self.pick(W.COLOURS))
        self.slots.update(coin=self.pick(["dollars", "pounds", "euros"]), surname=self.pick(W.SURNAMES))
        self.slots.update(hour=W.NUMBERS[self.num(1, 12)], few=W.NUMBERS[self.num(2, 9)])
        relative, sex = self.pick(W.RELATIVES).split(":")
        self.slots.update(kin=relative, ke="she" if sex == "f" else "he", kim="her" if sex == "f" else "him")
        self.thing(""), self.food("")
        self.weather()

    def person(self, key):
        girl = self.rng.random() < 0.5
        taken = {self.slots.get("n"), self.slots.get("n2")}
        name = self.pick([name for name in (W.GIRLS if girl else W.BOYS) if name not in taken])
        pronouns = ("she", "her", "her", "herself") if girl else ("he", "him", "his", "himself")
        self.slots.update(zip([w + key for w in ("he", "him", "his", "self")], pronouns, strict=True))
        self.slots["n" + key] = name

    def thing(self, key, row=None):
        row = row or self.pick(W.THINGS)
        names = ("thing", "kind", "stuff", "use", "spot", "shop", "cm", "price", "quality")
        self.slots.update({name + key: cell for name, cell in zip(names, row, strict=True)})
        self.slots["tprice" + key] = row[7]
        return row

    def food(self, key, row=None):
        row = row or self.pick(W.FOODS)
        names = ("food", "unit", "fkind", "number", "fcolour", "taste", "fshop", "source", "eaten", "fprice")
        self.slots.update({name + key: cell for name, cell in zip(names, row, strict=True)})
        many = row[3] == "p"
        self.slots.update({"are" + key: "are" if many else "is", "they" + key: "they" if many else "it"})
        self.slots.update({"them" + key: "them" if many else "it", "s" + key: "" if many else "s"})
        return row

    def weather(self):
        names = ("weather", "sky", "feel", "gear", "outdoors")
        self.slots.update(zip(names, self.pick(W.WEATHER), strict=True))

    def __call__(self, template, **slots):
        """One filled template, with articles and capitals set right."""
        self.slots.update(slots)
        text = template
        while CHOICE.search(text):
            text = CHOICE.sub(lambda found: self.pick(found[1].split("|")), text)
        for _ in range(2):  # a filled cell may itself hold slots
            text = SLOT.sub(self._fill, text)
        text = re.sub(" +", " ", text).replace(" ,", ",").replace(" .", ".")
        text = ARTICLE.sub(lambda found: found[1] + "n ", text)
        text = re.sub(r"\b(1|[Oo]ne) (dollar|pound|euro)s\b", r"\1 \2", text)
        return START.sub(lambda found: found[1] + found[2].upper(), text.strip())

    def _fill(self, found):
        value = str(self.slots[found[1]])
        return inflect(value, found[2]) if found[2] else value

    def lines(self, *templates):
        """A paragraph; a template that begins with "?" is left out half the time, so that lengths differ."""
        kept = [t.lstrip("?") for t in templates if t[0] != "?" or self.rng.random() < 0.5]
        return " ".join(self(t) for t in kept)

    def some(self, items, count):
        return self.rng.sample(list(items), count)


def listed(items, word="and"):
    items = list(items)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + f" {word} " + items[-1]


def below(number):
    return W.NUMBERS[number] if number < len(W.NUMBERS) else str(number)


def a(noun):
    return ARTICLE.sub(lambda found: found[1] + "n ", "a " + noun)


# ---- stories ---------------------------------------------------------------------------------------------------------

OPEN = """[one {weather} {day} in {month}, {n} |on a {weather} morning in {town}, {n} |last {day} {n} |
{few} weeks ago {n} |it was {day} and {sky} when {n} |in {month}, when {sky}, {n} |early on {day}, {n} ]""".replace(
    "\n", ""
)
END = """[from then on {n} [and {n2} met every {day}|never forgot that {day}|had a good story to tell].|
that evening {n} felt {good}.|"What a day," {n} [said|told {n2}|wrote to {his} {kin}], and {he} was {good}.|
{n} went to bed {good} that night.|{n2} was {good}, and so was {n}.|
"[Thank you|I will not forget this|That was kind of you]," said {n}, and {n2} [smiled|laughed|blushed|nodded].|
{n} told the whole story to {his} {kin} [at dinner|on the phone|the next {day}].|
when {n} got home, {his} {kin} had made [tea|soup|pancakes|cocoa] and wanted to hear everything.]""".replace("\n", "")
ASIDE = """[{n2} had {colour} boots and always carried a {thing2}.|
in the bag there was also a {thing2} and some {food}.|
outside, {sky}.|on the way {he} [passed|saw] a shop with {thing2.pl} in the window.|
{he} was hungry and ate some {food}, which tasted {taste}.|{his} {kin} had once lost a {thing2} in the same way.|
it was {hour} o'clock by then.|a {colour} bird sat on the fence and watched.]""".replace("\n", "")


def story_lost(w):
    w.thing("")
    while int(w.slots["cm"]) > 60:
        w.thing("")
    spots = w.some([p[1] for p in W.PLACES], 3)
    w.slots.update(p1=spots[0], p2=spots[1], p3=spots[2])
    return w.lines(
        OPEN + "[could not find|had lost|was looking for] {his} {colour} {thing}.",
        "[{he} needed it to {use}.|without it {he} could not {use}.|it was {quality}, and "
        "{his} {kin} had given it to "
        "{him}.|it had cost {tprice} {coin}, which was a lot for {him}.|how would {he} {use} "
        "now?]",
        "[first {he} looked {spot}|{he} began {spot}, where it usually was], [but it was not "
        "there|but found only "
        "a {thing2}|and found nothing].",
        "?" + ASIDE,
        "[{he} asked {his} friend {n2}|{n2} came by and asked what was wrong|then {he} "
        "called {n2}]. "
        '"[Where did you use it last|When did you see it last|Where were you on {day}]?" '
        "asked {n2}.",
        '{n} thought for a moment. "[I was {p1} and later {p2}|I had it {p1}, I think, and '
        "perhaps also {p2}|"
        'Maybe {p1}, or {p2}]," {he} said.',
        "[{n} and {n2} went back together and searched for {few} hours.|they looked {p1}, "
        "but in vain.|they asked "
        "everyone {p1}, and nobody had seen a {colour} {thing}.]",
        "[at last they found the {thing} {p2}, under a {colour2} [bag|coat|cloth].|then {n2} "
        "laughed: the {thing} lay "
        "{p2}, right beside a {thing2}.|a [kind|young|tall] {job} {p2} had picked it up and "
        "kept it safe.]",
        END,
    )


def story_save(w):
    w.thing("", w.pick([row for row in W.THINGS if 20 <= int(row[7]) <= 300]))
    price, have = int(w.slots["price"]), 0
    have = w.num(2, price // 2)
    weekly = w.num(2, 9)
    weeks = -(-(price - have) // weekly)
    chore = "[wash cars|walk dogs|carry shopping|water flowers|sweep yards|deliver newspapers|pick apples]"
    w.slots.update(have=have, rest=price - have, weekly=weekly, weeks=below(weeks), chore=w(chore).lower())
    return (
        w.lines(
            "[{n} dreamed of a {colour} {thing}.|More than anything, {n} wanted a {thing}.|In "
            "the window of the {shop} in "
            "{town} stood a {colour} {thing}, and {n} looked at it every {day}.]",
            "[with it {he} could {use}.|{he} wanted to {use}, as {n2} did.|{n2} had one and used it to {use}.]",
            "[the {thing} cost {price} {coin}, and {n} had only {have}.|it cost {price} {coin}. "
            "in {his} jar {n} counted "
            "{have} {coin}, so {rest} were missing.]",
            '["Then I will earn the rest," {n} told {his} {kin}.|{his} {kin} said that '
            "patience was the best bank.|"
            "{n} did not want to borrow the money from {his} {kin}.]",
            "so {he} began to {chore} for [the neighbours|old Mrs {surname}|Mr {surname} next "
            "door|{n2} and the family] "
            "and earned {weekly} {coin} a week.",
            "?[once {he} nearly bought a {thing2} instead, but {he} stayed firm.|{n2} wanted to "
            "spend it on {food}, but {n} "
            "shook {his} head.|on {day} {he} saw a {thing2} and put {his} hands in {his} "
            "pockets.]",
            "[after {weeks} weeks {he} had enough.|it took {weeks} weeks, and then the jar was "
            "full.|week after week the "
            "jar got heavier, and after {weeks} of them {he} walked to the {shop}.]",
            '[the seller counted the coins twice and wrapped up the {thing}.|"Here is the '
            '{price} {coin}," {n} said, and '
            "the seller handed over the {thing}.|{n} paid, took the receipt and carried the "
            "{thing} home.]",
            END,
        )
        if weeks > 1
        else story_lost(w)
    )


def story_hobby(w):
    hobby, gear, trouble, help_ = w.pick(W.HOBBIES)
    w.slots.update(hobby=hobby, gear=gear, trouble=trouble, aid=help_)
    return w.lines(
        "[{n} wanted to learn to {hobby}.|at the age of {age}, {n} decided to {hobby}.|since "
        "{his} trip to {town}, {n} "
        'had wished to {hobby}.|"I would like to {hobby}," {n} told {his} {kin} one '
        "{weather} {day}.]",
        "[{he} got {gear} and began in {month}.|{his} {kin} bought {him} {gear}.|all {he} needed was {gear} and time.]",
        "[it was not easy: {trouble}.|at first {trouble}.|but on the first {day} {trouble}.]",
        '[{n} was {bad} and wanted to give up.|"I will never learn this," {he} told {n2}.|that made {him} {bad}.]',
        "?" + ASIDE,
        "[then {aid}.|luckily {aid}.|{n2} had once had the same trouble, so {aid}.]",
        "[after {few} weeks things went better.|by {month2} {he} was no longer {bad}.|day by "
        "day it got easier.|"
        "{n} practised every {day} for {few} months.]",
        "[now {he} can {hobby} [quite well|better than {his} {kin}], and {n2} is proud of "
        "{him}.|in the end {he} could "
        "{hobby} as well as {n2}.|today {he} teaches others in {town} to {hobby}.]",
        END,
    )


def story_weather(w):
    first, second = w.some(W.PLACES, 2)
    inside = ("library", "museum", "cinema", "theatre", "swimming pool", "gym", "cafe", "bookshop", "restaurant")
    second = w.pick([p for p in W.PLACES if p[0] in inside and p is not first])
    plan, other = w.pick(first[2].split("; ")), w.pick(second[2].split("; "))
    w.slots.update(p1=first[1], plan=plan, p2=second[1], other=other)
    bad = w.pick([row for row in W.WEATHER if row[0] in ("rainy", "snowy", "foggy", "stormy")])
    w.slots.update(sky=bad[1], gear=bad[3])
    return w.lines(
        "[{n} and {n2} had a plan for {day}: they wanted to meet {p1}.|All week {n} had "
        "looked forward to {day}, "
        "because {n2} was coming to {town}.|{n} had promised to take {his} {kin} and {n2} "
        "out on {day}.]",
        "[they had packed {food} and a {thing2}.|{n} had bought {food} at the {fshop}, and "
        "{n2} brought a {thing2}.|"
        "{n2} wanted to see the place where people {plan}.]",
        "[but when {n} woke up, {sky}.|at {hour} o'clock, however, {sky}.|then the weather "
        "changed, and suddenly {sky}.]",
        '"[What shall we do now|We cannot go like this|Can you see that]?" [said '
        "{n2}|{n2} cried|{n} said on the "
        "phone], and {he} [felt|looked|was] {bad}.",
        '[{his} {kin} had an idea: they could go somewhere else and {other}.|"Take {gear} '
        'and let us {other}," said '
        "{his} {kin}.|{n} did not give up. with {gear} they set off, this time to {other}.]",
        "[{p2} they [stayed until {hour} o'clock|had the place almost to themselves|met "
        "{few} other friends].|it was warm "
        "{p2}, and they talked for {few} hours.|soon they were {p2} and had forgotten the "
        "plan.]",
        "?" + ASIDE,
        '[afterwards they shared the {food}, and {n2} told funny stories.|"This is better than '
        'our first plan," said {n2}.|'
        "later they drank tea and looked at {thing2.pl} in the shops.]",
        END,
    )


def story_repair(w):
    w.thing(
        "",
        w.pick(
            [
                r
                for r in W.THINGS
                if r[1]
                in (
                    "vehicle",
                    "household machine",
                    "piece of furniture",
                    "toy",
                    "kitchen machine",
                    "electronic device",
                    "musical instrument",
                )
            ]
        ),
    )
    return w.lines(
        OPEN + "[wanted to {use}, but the {thing} was broken|heard a crack: the {thing} had "
        "broken|saw that the "
        "{thing} of {his} {kin} was broken].",
        "[a new one would cost {price} {coin} at the {shop}.|a new {thing} was too "
        "expensive, for it cost {price} {coin}.|"
        "{his} {kin} wanted to throw it away.]",
        '["We can mend it," said {n2}.|{n2} from next door offered to help.|{n} called {n2}, '
        "who was good with {his2} "
        "hands.]",
        "{n2} fetched [a screwdriver and some glue|a small hammer and wire|a box of old "
        "parts|{his2} tools and a torch] "
        "and [opened the {thing} on the floor|looked at the {thing} from all sides|asked {n} "
        "to hold the lamp].",
        "[the trouble was small: [one screw was loose|a spring had come off|there was dust "
        "inside|a thin part was bent].|"
        "after {few} minutes {he2} found a loose piece under the {colour} cover.|inside lay "
        "a {colour} button that did not "
        "belong there.]",
        "?" + ASIDE,
        "[{n} held the {thing} while {n2} worked.|they worked until {hour} o'clock and ate "
        "{food} in between.|{n} learned "
        "how each part of the {thing} fits the next.]",
        "[then they tried it out, and {n} could {use} again.|at last the {thing} was as good "
        "as new.|the {thing} worked "
        "again, and {n} was {good}.]",
        "[{n} gave {n2} {food2} to thank {him2}.|{n} wanted to pay, but {n2} only asked for "
        "a cup of tea.|in return {n} "
        "helped {n2} to [paint a fence|carry boxes|clean the yard] on {day}.]",
        END,
    )


def story_animal(w):
    row = w.pick([r for r in W.ANIMALS if 0.2 < float(r[6]) < 30 and r[0] not in ("penguin", "eagle", "otter")])
    place = w.pick([p for p in W.PLACES if p[0] in ("park", "garden", "forest", "farm", "playground", "campsite")])
    w.slots.update(beast=row[0], young=row[7], p1=place[1], food3=row[3], fact=row[10], many=row[1])
    return w.lines(
        OPEN + "[found a young {beast} {p1}|was walking {p1} when {he} saw a small {beast}|heard a "
        "weak noise {p1} and "
        "found a {beast}].",
        "[it had hurt its leg and could not get away.|it was caught in an old net.|it was "
        "cold, thin and alone.|it sat in "
        "a {colour} bucket and could not climb out.]",
        '[{n} knew that {many} {fact}.|{n} had read in a book that {many} eat {food3}.|"A '
        "young {beast} is called a "
        '{young}," {his} {kin} had once said.]',
        "[{he} did not touch it but ran to {n2}.|{he} put {his} {colour2} jacket around it "
        "and called {n2}.|{n2}, who "
        "worked for a vet in {town}, came at once.]",
        '"[It needs rest|It is only frightened|Do not worry]," [said {n2}|{n2} told {him}]. '
        '"[Many {many} get well again|'
        'We will take it to the vet on {surname} Street|{He} is lucky that you came]."'.replace("{He}", "It"),
        "[for {few} days it slept in a box beside the heater.|the vet cleaned the wound and "
        "put on a bandage.|they gave it "
        "water, and slowly it became lively.]",
        "?" + ASIDE,
        "[in {month2} they [brought it back {p1}|let it go {p1}], and it was gone in a "
        "second.|when it was strong again, "
        "they took it back to where it belonged.|{few} weeks later {n} saw the {beast} {p1}, "
        "and it looked well.]",
        END,
    )


def story_honest(w):
    row = w.pick([p for p in W.PLACES if p[0] not in ("bank", "forest")])
    w.slots.update(p1=row[1], worker=row[4], sum=w.num(12, 90), p2=w.pick(W.PLACES)[1])
    return w.lines(
        OPEN + "[found a {colour} wallet {p1}|saw a wallet on the floor {p1}|stepped on something "
        "{p1}: it was a {colour} "
        "purse].",
        "[inside were {sum} {coin} and a photo of a [dog|baby|boat].|it held {sum} {coin}, a "
        "library card and a key.|"
        "{he} counted {sum} {coin} and found a card with the name {surname}.]",
        '[with {sum} {coin} {he} could buy {food} for the whole family.|"Now you can buy a '
        '{thing}," whispered {n2}.|for '
        "a moment {n} thought of the {thing} that {he} wanted.]",
        '[but the money was not {his}.|"It is not mine," {n} [said|answered].|then {he} '
        "thought how {bad} the owner "
        "must be.]",
        "[{he} gave the wallet to the {worker}.|{he} took it to the police station in "
        "{surname2} Street.|{he} rang the "
        "number on a small note inside.]",
        "?" + ASIDE,
        "[an hour later|two days later|the next morning], [an old man|a young woman|a {job}] "
        "[came to the house and thanked {him}|rang "
        "the bell with a large cake|called and almost cried with joy].",
        "[as a reward {n} got a {thing}.|{n} did not want a reward, but {he} got a {thing2} "
        "anyway.|the owner gave {him} "
        "{few} {coin} and a warm hug.]",
        '["[Being honest|Doing the right thing] feels better than any {thing2}," {n} told '
        "{n2}.|{his} {kin} was proud of "
        "{him}.|{n2} thought about it for a long time.]",
    )


def story_quarrel(w):
    return w.lines(
        "[{n} and {n2} were best friends in {town}.|{n} had known {n2} for {few} "
        "years.|Everyone in {surname} Street knew "
        "{n} and {n2}.]",
        "[one {day} {n} borrowed the {thing} of {n2} and broke it.|but in {month} they "
        "quarrelled about a {colour} {thing}.|"
        "then {n} forgot to give back a {thing} that {n2} needed.]",
        '"[You never take care|You only think of yourself|That was my only {thing}]!" cried '
        "[{n2}|{n}]. [they stopped "
        "talking.|for {few} days neither said a word.]",
        "[without {n2}, {n} felt {bad}.|{n} went home alone and ate {food} without any "
        "joy.|at {hour} o'clock {n} still lay "
        "awake and thought about it.]",
        '?[{his} {kin} noticed it and gave {him} good advice.|"Friends matter more than '
        '{thing.pl}," said {his} {kin}.]',
        "[so {n} wrote a letter and put it under the door of {n2}.|on {day} {he} took some "
        "{food2} and knocked at {n2}'s door.|"
        "{n} saved {tprice} {coin} and bought a new {thing} at the {shop}.]",
        '"I am sorry," [said {n}|{n} began]. "[I was wrong|I should have asked you first|I '
        'should not have shouted]." '
        "[{n2} was silent for a moment|{n2} looked at the floor|{n2} had to smile].",
        '"[I am sorry too|I missed you|So was I, a little]," {he2} [answered|said], and '
        "[they went out to {outdoors}|they "
        "shared some {food2}|both of them were {good} again].",
        "[Since then they ask before they borrow things.|Their friendship was stronger than "
        "before.|Now they laugh about "
        "it.|The {thing} still stands {spot}, and nobody fights about it.]".replace("still stands {spot}", "is shared"),
    )


def story_shop_errand(w):
    w.food("", w.pick(W.FOODS)), w.food("2")
    meal = w.pick(["a birthday cake", "soup", "pancakes", "a big salad", "dinner", "lunch", "breakfast"])
    w.slots.update(meal=meal)
    return w.lines(
        OPEN
        + "[wanted to make {meal} for {n2}|was making {meal} when {he} saw that there {was} no "
        "{food} left|needed "
        "{food} for {meal}].".replace("{was}", "were" if w.slots["number"] == "p" else "was"),
        "[{he} opened every cupboard, but there was only {food2}.|without {food} it would "
        "not taste right.|the {fshop} "
        "closed at {hour} o'clock, so {he} had to hurry.]",
        "{he} [took {his} basket and {few} {coin}|put on {his} {colour} shoes|jumped on "
        "{his} bicycle] and [hurried|went quickly] "
        "to the {fshop}.",
        "[there {n} met {n2}'s {kin}, who was buying {food2}.|the queue was long, and a "
        "{job} in front of {him} talked "
        "and talked.|the shop was nearly empty. only one {unit} was left on the shelf.]",
        '?["For whom is that?" asked the seller. {n} told her that it was for {n2}.|{he} '
        "paid {fprice} {coin} for a "
        "{unit}.|the seller also gave {him} a few {food3} to try.]".replace("a few {food3}", "something sweet"),
        "[on the way home {sky}, and {n} [ran faster|got tired|began to sing].|back home "
        "{he} washed {his} hands and "
        "started at once.|{his} {kin} helped to [stir|cut|set the table].]",
        "[at {hour} o'clock {n2} rang the bell.|when {n2} came in, {he2} smelled {meal} at "
        "once.|then the door opened, and "
        "there stood {n2} with a {thing2}.]",
        '"[How good this smells|You made this yourself|Is that really for me]?" [asked|said] '
        "{n2}, and {n} was {good}.".replace("How good this smells|", "What smells so good|"),
        "?" + END,
    )


def story_travel(w):
    a_, b_ = w.some(W.TOWNS, 2)
    vehicle = w.pick(["train", "bus", "ferry", "plane"])
    w.slots.update(
        t1=a_,
        t2=b_,
        vehicle=vehicle,
        stop={"train": "station", "bus": "bus stop", "ferry": "harbour", "plane": "airport"}[vehicle],
    )
    return w.lines(
        "[{n} had to travel from {t1} to {t2}.|In {month}, {n} went to {t2} to see {his} "
        "{kin}.|{n} lived in {t1}, but "
        '{his} friend {n2} lived in {t2}.|"Come to {t2} on {day}," {n2} had written, and {n} '
        "bought a ticket.]",
        "[{he} packed a {thing2}, {food} and a book about {beasts}.|in {his} suitcase lay a "
        "present for {n2}: a {thing}.|"
        "the {vehicle} was due at {hour} o'clock, and {n} was at the {stop} early.]",
        "[but the {vehicle} was {few} hours late.|half an hour before, {n} noticed that the "
        "ticket was at home.|there {he} "
        "read on a board that the {vehicle} to {t2} was cancelled.|{he} fell asleep on a "
        "bench and missed the {vehicle}.]",
        "[{he} asked a {job} for help.|a woman with a {colour} hat saw that {he} was "
        "{bad}.|{n} called {n2} and told {him2} "
        "what had happened.]",
        "\"[There is another one at {hour2} o'clock|You can share my taxi|Do not worry, we "
        'will find a way]," [came the '
        "answer|was the reply].",
        "?" + ASIDE,
        "[{n} waited and read about {beasts}.|on the way they talked about {food} and "
        "{beasts}.|through the window {n} saw "
        "fields, {beasts} and small {colour} houses.]",
        "[late in the evening {he} arrived in {t2}.|it was dark when {n} reached {t2}.|at "
        "last the lights of {t2} came into "
        "sight.]",
        "[{n2} was waiting with a {colour2} umbrella.|{his} {kin} stood at the {stop} and "
        "waved.|{n2} had cooked {food2} and "
        "ran out to meet {him}.]",
        END,
    )


def story_chain(w):
    """Cause and effect, told with its links named."""
    one, two, three, four = w.pick(W.CHAINS)
    w.slots.update(c1=one, c2=two, c3=three, c4=four)
    text = w.lines(
        "[it happened in {town} in {month}.|this is what happened to {n} last {day}.|{n} "
        "from {town} remembers one {weather} "
        "{day} very well.]",
        "[first, {c1}.|it all began like this: {c1}.|{c1}, and that was only the start.]",
        "[because of that, {c2}.|as a result, {c2}.|so {c2}.]",
        "[then {c3}.|this meant that {c3}.|soon {c3}.]",
        "[in the end {c4}.|that is why {c4}.|therefore {c4}.]",
    )
    why = w.lines(
        '[{n2} later asked {n} how it had come to this.|"How did that happen?" asked {n2} on '
        "the phone.|{his} {kin} wanted "
        "to know the reason.]",
        '[the answer was simple: one thing had led to the next.|"One thing led to another," '
        "{n} explained, and {he} drew "
        "it on a {colour} piece of paper.|{n} thought about it while {he} ate {food}.]",
        "[if only the first thing had not happened, the rest would not have followed.|the "
        "last event had its cause in the "
        "first, although nobody saw it at the time.|since that {day}, {n} watches out for "
        "small causes.]",
    )
    return text + w.pick([" ", "\n"]) + why


# ---- descriptions ----------------------------------------------------------------------------------------------------


def describe_thing(w):
    w.thing("")
    other = w.pick([r for r in W.THINGS if r[1] == w.slots["kind"] and r[0] != w.slots["thing"]] or W.THINGS)
    w.slots.update(other=other[0], ouse=other[3])
    return w.lines(
        "[a {thing} is a {kind}.|the {thing} belongs to the group: {kind}.|{n} has a new "
        "{thing}, which is a {kind}.|what is "
        "a {thing}? it is a {kind}.]",
        "[it is made of {stuff}.|most {thing.pl} are made of {stuff}.|the maker uses {stuff} for it.]",
        "[people use it to {use}.|with a {thing} you can {use}.|it helps when you want to "
        "{use}.|{n} needs it to {use}.]",
        "[at home it is kept {spot}.|you will usually find it {spot}.|in the house of {n} it is {spot}.]",
        "[a good {thing} should be {quality}.|this one is {quality} and {colour}.|{n2} likes "
        "it because it is {quality}.]",
        "[it is about {cm} centimetres long or high.|it measures roughly {cm} "
        "centimetres.|from end to end it has about {cm} "
        "centimetres.]",
        "[you can buy one at the {shop} for about {tprice} {coin}.|at the {shop} in {town} a "
        "{thing} costs {tprice} {coin}.|"
        "{n} paid {tprice} {coin} for it at the {shop}.]",
        "?[a {other} is something else: with it you {ouse}.|do not mix it up with a {other}, "
        "which is used to {ouse}.|"
        "{n2} would rather have a {other}, because {he2} wants to {ouse}.]",
        "?[if a {thing} breaks, {n} tries to mend it first.|last {day} {n} lent the {thing} "
        "to {n2}.|{n2} got one from {his2} "
        "{kin} in {month}.]",
    )


def describe_animal(w):
    r = w.pick(W.ANIMALS)
    w.slots.update(beast=r[0], many=r[1], cls=r[2], diet=r[3], home=r[4], young=r[7], move=r[8], fact=r[10])
    legs = W.NUMBERS[int(r[5])] if int(r[5]) else "no"
    w.slots.update(legs=legs, sound=r[9], beast2=(o := w.pick([x for x in W.ANIMALS if x[2] == r[2]]))[0], fact2=o[10])
    return w.lines(
        "[{many} live {home}.|a {beast} is a {cls}.|{n} loves {many}.|today {n} read a page "
        "about {many}.|for school in {town}, {n} "
        "wrote about {many}.]",
        "[the {beast} is a {cls} and has {legs} legs.|like every {cls}, it is fun to watch, "
        "and it has {legs} legs.|it "
        "has {legs} legs and belongs to the class called {cls}.]",
        "[it eats {diet}.|its food is {diet}.|{many} feed on {diet}.|when they are hungry, {many} look for {diet}.]",
        "[{many} {fact}.|it is well known that {many} {fact}.|{n2} finds it wonderful that {many} {fact}.]",
        "[a young {beast} is called a {young}.|the young ones are called {young.pl}.|a "
        "{young} is a {beast} that is not grown "
        "up.]"
        if r[7] not in ("larva", "fry")
        else "[many of them live together.|they are not easy to count.]",
        "[{many} {move} [when they look for food|from place to place].|to get about, {many} "
        "{move}.|you can see how they "
        "{move} when {sky}.]".replace("when {sky}", "in the morning"),
        "?[as for sounds, {many} {sound}.|{n} once heard how {many} {sound}.|if you listen, {many} {sound}.]",
        "[a grown one weighs about {kilo}.|its weight is about {kilo}.|on a scale it would show about {kilo}.]".replace(
            "{kilo}", weight(r)
        ),
        "?[{n2} prefers another {cls}, the {beast2}.|{n} also drew a {beast2}, because "
        "{beast2.pl} {fact2}.|at the zoo in {town} "
        "{n} saw one on {day}.]".replace("{beast2.pl}", o[1]),
    )


def weight(row):
    kilos = float(row[6])
    if kilos < 0.01:
        return "less than a coin"
    return f"{row[6]} kilograms" if kilos >= 1 and kilos != 1 else f"{round(kilos * 1000)} grams"


def describe_job(w):
    name, duties, where, tools, needs = w.pick(W.JOBS)
    one, two, three = w.some(duties.split("; "), 3)
    w.slots.update(job=name, d1=one, d2=two, d3=three, where=where, tools=tools, needs=needs)
    return w.lines(
        "[{n} {surname} is a {job} in {town}.|{n} has worked as a {job} for {few} "
        "years.|when {n} was a child, {he} wanted to "
        'become a {job}, and now {he} is one.|ask {n} what {he} does, and {he} will say: "I '
        'am a {job}."]',
        "[{he} works {where}.|{his} place of work is easy to guess: {he} works "
        "{where}.|every {day} you can meet {him} "
        "{where}.]",
        "[there {he} has to {d1} and {d2}.|{his} main tasks are to {d1} and to {d2}.|in the "
        "morning {he} has to {d1}, and "
        "later {he} must {d2}.]",
        "[{he} also likes to {d3}.|sometimes {he} must {d3} as well.|on {day} {he} often has to {d3}.]",
        "[for this {he} uses {tools}.|{his} tools are {tools}.|without {tools} {he} could not do the job.]",
        "[the work takes {needs}.|a good {job} needs {needs}.|{n} says that one needs {needs} for it.]",
        "?[{he} starts at {hour} o'clock and brings {food} for lunch.|at noon {he} eats "
        "{food} with {n2}.|{n2} is {his} "
        "colleague and brings the {food}.]",
        "?[the best part is the people, {he} says.|last {month} {he} was very busy, but also "
        "{good}.|{his} {kin} was a {job} "
        "too.|{he} earns enough and puts a little money into the bank each month.]",
    )


def describe_place(w):
    name, at, acts, things, worker = w.pick(W.PLACES)
    one, two, three = w.some(acts.split("; "), 3)
    w.slots.update(place=name, at=at, a1=one, a2=two, a3=three, things=things, worker=worker)
    return w.lines(
        "[there is a {place} in {town}.|the {place} of {town} is in {surname} Street.|{n} "
        "often goes to the {place}.|on {day} "
        "{n} and {n2} went to the {place}.]",
        "[people go there to {a1} or to {a2}.|{at} you can {a1}.|it is a place where people {a1} and {a2}.]",
        "[{n} likes to go there to {a3}.|some come only to {a3}.|when {sky2}, many people come to {a3}.]".replace(
            "{sky2}", "the week is over"
        ),
        "[you can see {things} there.|inside and around it there are {things}.|{n} noticed {things}.]",
        "[a {worker} works there and helps the visitors.|the {worker}, a friend of {n2}, "
        "knows everyone.|if you need help, "
        "ask the {worker}.]",
        "[it opens at {open} o'clock and closes in the evening.|on {day} it is closed.|it is busiest on {day}.]",
        "?[{n2} finds it too loud, but {n} is always {good} there.|{n} once lost a {thing} "
        "there, and the {worker} kept it for "
        "{him}.|{his} {kin} used to work there.]",
        "?[not far away there is a {place2}, where people {b1}.|next to it stands the {place2}, where you can {b1}.]",
    )


def describe_food(w):
    w.food("")
    mate = w.pick([f for f in W.FOODS if f[2] == w.slots["fkind"]])
    w.food("2", mate)
    return w.lines(
        "[{food} {source}.|{n} likes {food}.|everyone knows {food}: {they} {are} {taste}.|for lunch, {n} had {food}.]",
        "[{food} {are} {fcolour}.|the colour of {food} is {fcolour}.|{they} {are} {fcolour} in colour.]",
        "[{they} taste{s} {taste}.|the taste is {taste}.|{n2} says that {they} taste{s} {taste}.]",
        "[people eat or drink {them} {eaten}.|at home, {n} has {them} {eaten}.|most families enjoy {them} {eaten}.]"
        if w.slots["fkind"] == "drink"
        else "[people eat {them} {eaten}.|at home, {n} has {them} {eaten}.|most families enjoy {them} {eaten}.]",
        "[{food} {source}.|where {do} {they} come from? {food} {source}.|{n} learned at "
        "school that {food} {source}.]".replace("{do}", "do" if w.slots["number"] == "p" else "does"),
        "[you can buy {them} at the {fshop}.|a {unit} costs about {fprice} {coin} at the "
        "{fshop}.|{n} gets {them} at the {fshop} in "
        "{town} every {day}.]",
        "?[{n2} would rather have {food2}, because {they2} {are2} {taste2}.|with {food2}, "
        "{they} make a good snack.|{food2} and "
        "{food} belong to the same kind: {fkind}.]".replace("make a", "can be part of a"),
        "?[if {n} has too much of {them}, {he} gives some to {n2}.|one should keep {them} in "
        "a clean place.|a little of {them} "
        "every {day} makes {n} {good}.]",
    )


def glossary(w):
    """Words explained; money words live here and never in a question."""
    table = W.MONEY_DEFS if w.rng.random() < 0.25 else W.DEFS
    head = w("[Words to know|New words of the week|{n}'s list of words|What these words mean|Small dictionary]")
    lines = []
    for word, sense in w.some(table, w.num(3, 5)):
        bare = word.split(" ", 1)[1] if word.startswith(("a ", "an ")) else word
        extra = w.pick(
            [
                "",
                f" {{n}} used the word {bare} on {w.pick(W.DAYS)}.",
                f" We talked about {word} in {{town}}.",
                "",
                f" {{n2}} asked what {word} is.",
                f' "Is this about {word}?" asked {{n2}}.',
            ]
        )
        shape = w.pick(["{x} is {y}.", "{x}: {y}.", "{x} means {y}.", "we call it {x} when we speak of {y}."])
        lines.append(w(shape.replace("{x}", word).replace("{y}", sense) + extra))
    return head + "\n" + "\n".join(lines)


def compare(w):
    w.thing(""), w.thing("2")
    kind = w.num(0, 2)
    if kind == 0:
        big, small = w.some(W.ANIMALS, 2)
        while not float(big[6]) > 2 * float(small[6]):
            big, small = w.some(W.ANIMALS, 2)
        w.slots.update(
            b=big[0],
            bs=big[1],
            s_=small[0],
            ss=small[1],
            bfood=big[3],
            sfood=small[3],
            bh=big[4],
            sh=small[4],
            bf=big[10],
            sf=small[10],
            bw=weight(big),
            sw=weight(small),
        )
        return w.lines(
            "[which is heavier, a {b} or a {s_}?|{n} compares {bs} and {ss}.|how do {bs} differ from {ss}?]",
            "[a {b} is heavier than a {s_}.|of the two, the {b} is the heavier one.|the {s_} "
            "weighs less than the {b}.]",
            "[a {b} weighs about {bw}, and a {s_} about {sw}.|the scale shows about {bw} for the "
            "{b} and {sw} for the {s_}.]",
            "[{bs} live {bh}, while {ss} live {sh}.|you find {bs} {bh}, but {ss} {sh}.]",
            "[{ss} eat {sfood}. {bs}, on the other hand, eat {bfood}.|while {bs} eat {bfood}, {ss} eat {sfood}.]",
            "[both are special: {bs} {bf}, and {ss} {sf}.|{bs} {bf}. {ss} {sf}.]",
            "?[{n} likes the {s_} more, but {n2} prefers the {b}.|{n2} drew both of them in {colour}.]",
        )
    if kind == 1:
        x, y = w.some(W.THINGS, 2)
        while not int(x[6]) > 1.5 * int(y[6]) or x[7] == y[7]:
            x, y = w.some(W.THINGS, 2)
        dear, cheap = (x, y) if int(x[7]) > int(y[7]) else (y, x)
        w.slots.update(
            x=x[0],
            y=y[0],
            xu=x[3],
            yu=y[3],
            xs=x[4],
            ys=y[4],
            d=dear[0],
            c=cheap[0],
            dp=dear[7],
            cp=cheap[7],
            xm=x[2],
            ym=y[2],
        )
        return w.lines(
            "[{n} has a {x} and a {y}.|compare a {x} with a {y}.|on {day}, {n} bought a {x}, and {n2} bought a {y}.]",
            "[the {x} is bigger than the {y}.|the {y} is smaller than the {x}.|of the two, the {x} is the larger one.]",
            "[the {d} costs more: {dp} {coin}, while the {c} costs only {cp}.|the {c} is cheaper "
            "than the {d}. it costs {cp} "
            "{coin} and not {dp}.]",
            "[you use a {x} to {xu}, but a {y} to {yu}.|with the {y} you can {yu}; with the {x} you can {xu}.]",
            "[one is kept {xs}, the other {ys}.|the {x} belongs {xs} and the {y} {ys}.]",
            "[the {x} is made of {xm}, and the {y} is made of {ym}.|a maker needs {xm} for the "
            "{x} and {ym} for the {y}.]",
            "?[if {n} had to give one away, it would be the {c}.|{n2} would like to {xu}, so {he2} needs the {x}.]",
        )
    w.food(""), w.food("2", w.pick([f for f in W.FOODS if f[0] != w.slots["food"]]))
    return w.lines(
        "[{n} loves {food}, but {n2} prefers {food2}.|what is the difference between {food} "
        "and {food2}?|at the table, {n} and "
        "{n2} talk about {food} and {food2}.]",
        "[{food} {are} {fcolour}, while {food2} {are2} {fcolour2}.|look at the colours: "
        "{food} {are} {fcolour}, and {food2} {are2} "
        "{fcolour2}.]",
        "[{food} taste{s} {taste}. {food2} taste{s2} {taste2}.|{n} says that {food} {are} "
        "{taste} and that {food2} {are2} {taste2}.]",
        "[you get {food} at the {fshop} and {food2} at the {fshop2}.|for {food} {n} goes to "
        "the {fshop}, for {food2} to the "
        "{fshop2}.]",
        "[{food} {source}. {food2} {source2}.|{they2} {source2}, but {food} {source}.]".replace(
            "{they2} {s", "{food2} {s"
        ),
        "?[{n} has {food} {eaten}.|{n2} has {food2} {eaten2}.]",
        "?[one {kin} of {n} will not touch {food}.|on {day} they will have both.]".replace("one {kin}", "the {kin}"),
    )


# ---- instructions, letters, dialogues --------------------------------------------------------------------------------


def how_to(w):
    goal, steps, tip = w.pick(W.HOWTO)
    steps = steps.split("; ")
    w.slots.update(goal=goal, tip=tip)
    head = w(
        "[How to {goal}|Would you like to {goal}? Here is how {n} does it.|{n} wants to "
        "{goal}. {n2} explains it.|This is how "
        "you {goal}:|A note for {n}: how to {goal}|It is {day}, and {n} has to {goal}.]"
    )
    style = w.num(0, 2)
    if style == 0:
        body = "\n".join(w(f"{i}. {step}.") for i, step in enumerate(steps, 1))
    elif style == 1:
        links = [
            "[first|to begin with|start like this:]",
            "[then|next|after that,]",
            "[now|after that,|when this is done,]",
            "[next|then|as soon as you are ready,]",
            "[finally|at the end|last of all,]",
        ]
        body = " ".join(w(f"{link} {step}.") for link, step in zip(links, steps, strict=False))
    else:
        tidy = [s.replace("your ", "{his} ").replace("you ", "{he} ") for s in steps]
        verbs = [
            w(links + "{n} had to " + s + ".")
            for links, s in zip(
                [
                    "[first |to start, |on {day} ]",
                    "[then |next |after that ]",
                    "[a little later |then |now ]",
                    "[next |then ]",
                    "[finally |at the end |at {hour} o'clock ]",
                ],
                tidy,
                strict=False,
            )
        ]
        body = " ".join(v.replace(" {he} like", " he likes") for v in verbs)
    close = w(
        "[Tip: {tip}.|One more thing: {tip}.|Remember: {tip}.|{n2} adds a tip: {tip}.] [{n} "
        "tried it in {month} and was {good}.|"
        "{his} {kin} learned it in {town}.|It took {n} {few} tries.|The first time, {n2} "
        "needed help from {his2} {kin}.]"
    )
    return f"{head}\n{body}\n{close}"


def notice(w):
    name, at, acts, things, worker = w.pick(W.PLACES)
    w.slots.update(place=name, at=at, worker=worker)
    rules = [
        "[Please be quiet after {hour} o'clock.|No loud music after {hour} o'clock.]",
        "Do not leave your {thing} on the floor.",
        "Do not bring {food} inside.",
        "Please put your {thing2} into a locker.",
        "[Dogs must be kept on a lead.|No dogs, please.]",
        "Ask the {worker} if you need help.",
        "Lost things can be collected on {day}.",
        "Children need an adult with them.",
        "The door on {surname} Street is closed in {month}.",
        "On {day} we open at {open} o'clock.",
        "Put your rubbish into the {colour} bin.",
        "In case of fire, leave by the {colour2} door and do not use the lift.",
        "Please wash your hands before you touch anything.",
        "Keep the way to the exit free.",
        "Groups of more than {few} people should call first.",
        "Talk to {n} {surname} if something is broken.",
    ]
    head = w(
        "[Rules for visitors to the {place} in {town}|Notice: the {place} of {town}|Welcome "
        "to the {place}!|Dear visitors of the "
        "{place},|How to behave {at}]"
    )
    mark = w.pick(["- ", "* ", ""])
    lines = [mark + w(rule) for rule in w.some(rules, w.num(4, 7))]
    return (
        head
        + "\n"
        + "\n".join(lines)
        + "\n"
        + w("[Thank you!|Thank you, {n} {surname}|Your {worker}, {n}|We wish you a nice {day}.]")
    )


def letter(w):
    r = w.pick(W.ANIMALS)
    w.slots.update(
        many=r[1], hobby=w.pick(W.HOBBIES)[0], place=(p := w.pick(W.PLACES))[0], act=w.pick(p[2].split("; "))
    )
    w.thing("", w.pick([t for t in W.THINGS if int(t[7]) < 100]))
    head = w("[{town}, {date} {month}\n|]Dear [{n2}|{kin.cap}|Mrs {surname}|Mr {surname}],")
    body = [
        "[thank you for the {thing}. I can now {use}.|the {thing} arrived on {day}, and I like it very much.]",
        "[I have started to {hobby}, and it is fun.|since {month}, I have been trying to {hobby}.]",
        "[here in {town} {sky}, so we {outdoors}.|the weather is {weather}, and I have to wear {gear}.]".replace(
            "{sky}, so we {outdoors}", "it is {weather}, so we may {outdoors}"
        ),
        "[yesterday we went to the {place} to {act}.|on {day} my {kin} took me to the {place}, where one can {act}.]",
        "[my {kin} has bought a {thing2}. {ke} needs it to {use2}.|I lost my {thing2}, so I "
        "cannot {use2} at the moment.]",
        "[the food is good: there is {food} every {day}.|we often have {food} and {food2}.]",
        "[we saw some {many} and took photos.|do you still like {many}?|I read a book about {many} last week.]",
        "[could you bring a {thing2} when you come?|do you know where I can get a good {thing2}?]",
        "[my neighbour, {n3}, is a {job} and tells funny stories.|I met a {job} called {n3}, who knows your {kin}.]",
    ]
    w.slots["n3"] = w.pick(W.GIRLS)
    close = w(
        "[Please write soon.|I hope to see you in {month2}.|Come and visit us on {day}.|Give "
        "my love to your {kin}.|Stay well.]"
        "\n[Love|Yours|Best wishes|Many greetings|See you soon],\n{n}"
    )
    return head + "\n" + w.lines(*w.some(body, w.num(4, 6))) + "\n" + close


def email(w):
    """Work and everyday mails."""
    topic = w.num(0, 3)
    w.slots.update(room=w.num(2, 40), date2=w.num(1, 28))
    head = "Subject: " + w(
        [
            "[meeting on {day}|our meeting in {month}|{day}, {hour} o'clock]",
            "[order of a {thing}|your {thing}|question about a {thing}]",
            "[party on {day}|invitation|birthday in {month}]",
            "[trip to {town}|our journey|{town} in {month}]",
        ][topic]
    )
    parts = [
        [
            "I would like to [meet you|talk about the new {thing}|show you my plan] on {day} at {hour} o'clock.",
            "[we will be in room {room}.|the room is number {room}, next to the {colour} door.]",
            "[please bring your {thing2} and the report from {month}.|{n3} will take notes, and there will be {food}.]",
            "[if {hour} o'clock is too early, please tell me soon.|should you have no time, {n3} "
            "can come in your place.]",
        ],
        [
            "[I ordered a {colour} {thing} from you in {month}.|on {day} I bought a {thing} in your shop in {town}.]",
            "[it is {quality}, and I use it to {use}.|I need it to {use}, so it is important to me.]",
            "[now my {kin} would like the same one in {colour2}. do you still have it?|can you "
            "tell me if it also comes in {colour2}?]",
            "[I could pick it up on {day} at {hour} o'clock.|the price was {tprice} {coin}. is it still the same?]",
        ],
        [
            "[I will be {age2} years old on the {date2} of {month}.|we are having a small party "
            "in our garden in {town}.]",
            "[it starts at {hour} o'clock, and you are invited.|come at {hour} o'clock and bring {n3}.]",
            "[there will be {food} and {food2}.|could you bring some {food}? my {kin} makes the rest.]",
            "[please do not buy a present, but you may bring your {thing2}.|tell me soon if you can come.]",
        ],
        [
            "[we leave for {town} on {day} at {hour} o'clock.|the train to {town} goes on {day}.]",
            "[do not forget {gear} and a {thing2}.|the weather there is {weather}, so pack {gear}.]",
            "[{n3} has booked {few} rooms in a small hotel.|we stay for {few} nights with my {kin}.]",
            "[on the second day we can {outdoors}.|there is a {place2} nearby, where people {b1}.]",
        ],
    ][topic]
    greet = w("[Hello {n2}|Dear {n2}|Hi {n2}|Good morning, {n2}],")
    close = w("[Best wishes|Kind regards|See you then|Many thanks|Yours],\n{n} [{surname}|]")
    return f"{head}\n{greet}\n{w.lines(*parts)}\n{close}"


def diary(w):
    w.slots.update(hobby=w.pick(W.HOBBIES)[0])
    p, q = w.some(W.PLACES, 2)
    w.slots.update(p1=p[1], a1=w.pick(p[2].split("; ")), p2=q[1], a2=w.pick(q[2].split("; ")))
    hours = [W.NUMBERS[h] for h in (w.num(6, 8), w.num(9, 11), w.num(1, 3), w.num(4, 6), w.num(8, 10))]
    w.slots.update(zip(("h1", "h2", "h3", "h4", "h5"), hours, strict=True))
    me = w.rng.random() < 0.5
    text = (
        w(
            "[Dear diary, today was {day}.|{day}, the {date} of {month}.|My {day} in {town}:]"
            if me
            else "[This is what {n} did on {day}.|A {day} in the life of {n}:|{n} had a full {day}.]"
        )
        + " "
    )
    text += w.lines(
        "[I|At {h1} o'clock I] [got up|woke up] [at {h1} o'clock|while it was still "
        "quiet|and opened the window].".replace("[I|At {h1} o'clock I]", "I").replace(
            "while it was still quiet", "at {h1}"
        ),
        "[for breakfast I had {food}.|I ate some {food} and looked for my {thing}.|I put "
        "{food} on the table and read the news.]",
        "[at {h2} o'clock I was {p1}.|around {h2} I met {n2} {p1}.|I took the bus at {h2}, and soon I was {p1}.]",
        "[some people came there to {a1}.|I wanted to {a1}, but it took longer than I "
        "thought.|{n2} showed me how to {use2} with a {thing2}.]",
        "?[it was {weather}, so I needed {gear}.|outside, {sky}.]",
        "[at {h3} in the afternoon I bought a {thing} for {tprice} {coin}.|after lunch I "
        "tried to {hobby}.|at {h3} my {kin} called and talked "
        "about {food2}.]",
        "[from {h4} o'clock on I was {p2}.|at {h4} I went with my {kin} to a place where people {a2}.]",
        "[that made me {good}.|I was {bad} at first and {good} later.|I felt {good} all the time.]",
        "[in the evening I shared some {food2} with {n2}.|before bed I cleaned my "
        "{thing}.|at {h5} I was in bed with a book about {beasts}.]",
    )
    if me:
        return text
    name, he, his, him = (w.slots[k] for k in ("n", "he", "his", "him"))
    text = re.sub(r"\bmy\b", his, text)
    text = re.sub(r"\bmyself\b", w.slots["self"], text)
    text = re.sub(r"\bme\b", him, text)
    return re.sub(r"\bI\b", he, re.sub(r"^(.*? )I\b", rf"\1{name}", text)).replace(
        ". " + he + " ", ". " + he.capitalize() + " "
    )


def speakers(w, lines):
    """A dialogue in one of three layouts."""
    one, two = w.slots["who1"], w.slots["who2"]
    if w.rng.random() < 0.7:
        return "\n".join(f"{(one, two)[i % 2]}: {w(line)}" for i, line in enumerate(lines))
    first, second = w.pick([("", ""), ("- ", "- ")])
    return "\n".join(f'{(first, second)[i % 2]}"{w(line)}"' for i, line in enumerate(lines))


def dialogue_shop(w):
    (
        w.food(""),
        w.food(
            "2",
            w.pick(
                [f for f in W.FOODS if f[6] == w.slots["fshop"] and f[0] != w.slots["food"]]
                or [w.food("", W.FOODS[0]), W.FOODS[1]][1:]
            ),
        ),
    )
    if w.rng.random() < 0.5:
        count, count2 = w.num(2, 4), w.num(1, 3)
        w.slots.update(
            k=below(count), k2=f"{below(count2)} {plural(w.slots['unit2'])}" if count2 > 1 else a(w.slots["unit2"])
        )
        total = count * int(w.slots["fprice"]) + count2 * int(w.slots["fprice2"])
        note = next(n for n in (10, 20, 50, 100) if n >= total)
        w.slots.update(
            total=total, note=note, back=note - total, who1=w("[Seller|Shop assistant]"), who2=w("[Customer|{n}]")
        )
        change = "here are {back} {coin} back." if note > total else "that is exactly right, thank you."
        return (
            w("[{n} goes to the {fshop} in {town}.|At the {fshop} on {day}.|It is {hour} o'clock at the {fshop}.]")
            + "\n"
            + speakers(
                w,
                [
                    "[good morning! what can I do for you?|hello {n}, what would you like today?|who is next, please?]",
                    "[I would like {k} {unit.pl}, please.|could I have {k} {unit.pl}?|{k} {unit.pl}, please.]",
                    "[of course. anything else?|here you are. is that all?|they are very good today. what else?]",
                    "[and {k2}, please.|yes, {k2} as well.|also {k2} for my {kin}.]",
                    "[that makes {total} {coin}.|that is {total} {coin} altogether.|{total} {coin}, please.]",
                    "[here are {note} {coin}.|I only have a note of {note}.|please take it out of {note}.]",
                    "[thank you, |]" + change + " [have a nice {day}!|greetings to your {kin}!|see you on {day}!]",
                ],
            )
        )
    w.thing("", w.pick([t for t in W.THINGS if 10 < int(t[7]) < 500]))
    w.slots.update(
        who1=w("[Customer|{n}]"), who2=w("[Seller|Shop assistant|{n2}]"), less=max(5, int(w.slots["price"]) * 4 // 5)
    )
    return (
        w("[At the {shop} in {town}.|{n} walks into the {shop} on {day}.|{n} needs help in the {shop}.]")
        + "\n"
        + speakers(
            w,
            [
                "[excuse me, do you sell {thing.pl}?|hello, I am looking for a {thing}.|good "
                "{morning}, I need a {thing}.]".replace("{morning}", "day"),
                "[yes, over there, behind the {thing2.pl}.|certainly. what do you need it for?|we "
                "do. which colour would you like?]".replace("behind the {thing2.pl}", "next to the {colour2} shelf"),
                "[I want to {use}.|it is for my {kin}, who wants to {use}. {colour} would be "
                "nice.|{colour}, please. I need it to {use}.]",
                "[then take this one. it is {quality}.|this one is made of {stuff} and is very "
                "{quality}.|here is a {quality} one.]",
                "[how much is it?|what does it cost?|and the price?]",
                "[it is {price} {coin}, but today you pay only {less}.|{price} {coin}, with a new "
                "bag for free.|{price} {coin}.]",
                "[good, I will take it.|that is too much for me. I will think about it.|fine, please "
                "wrap it up for {n3}.]",
                "[thank you, and have a nice {day}.|we are open until {hour} o'clock.|gladly. goodbye!]",
            ],
        )
    )


def dialogue_service(w):
    """At a hotel, a restaurant, a doctor's, on the street; one setting a document."""
    w.slots.update(who1=w("[Guest|{n}]"), who2=w("[Receptionist|{n2}]"), room=w.num(101, 560), rate=w.num(40, 150))
    setting = w.num(0, 4)
    if setting == 0:
        intro, lines = (
            "[{n} arrives at a hotel in {town}.|Evening at the Hotel {surname}.]",
            [
                "[good evening, my name is {surname}. I have booked a room.|hello, do you have a "
                "free room until {day}?]",
                "[for how many nights?|welcome! how long would you like to stay?|good evening. one "
                "moment, please. how many nights?]",
                "[{few} nights, please. what does it cost?|until {day}, that is {few} nights. how much is it?]",
                "[{rate} {coin} a night, and breakfast with {food} is included.|the room is {rate} "
                "{coin} a night and looks onto the {place2}.]",
                "[good. at what time is breakfast?|is there a place for my {thing}?|that is fine. "
                "can I still get {food2} tonight?]",
                "[between seven and ten o'clock, on the first floor.|yes, of course. just ask at "
                "this desk.|certainly, I will see to it.]",
                "[thank you. which room is it?|very well, I will take it.]",
                "[you have room {room}. the lift is behind the {colour} door.|here is "
                "the key to room {room}. sleep well!]",
            ],
        )
    elif setting == 1:
        w.slots.update(who1=w("[Waiter|{n2}]"), who2=w("[Guest|{n}]"))
        intro, lines = (
            "[{n} sits in a restaurant in {town}.|{day} evening, a small table by the window.]",
            [
                "[good evening. would you like to order?|what may I bring you, {n}?]",
                "[what do you have today?|yes, is there anything with {food}?|first a drink, please: "
                "water for me and juice for {n2}.]".replace(" for me and juice for {n2}", ""),
                "[today the cook has made something with {food} and {food2}.|we have fresh {food}. "
                "our boy was at the {fshop} this morning.]",
                "[that sounds good. I will have it without {food2}.|I do not eat {food}, but I like "
                "{food2}.|my {kin} would love that. one portion, please.]",
                "[and afterwards? the cake is still warm.|very good. it will take {few} minutes.]",
                "[no, thank you, only the bill later.|take your time. the view of the {place2} is lovely.]",
                "[it is {rate2} {coin}.|enjoy your meal!]",
                "[thank you, keep the change.|thank you. it was {taste}, just right.]".replace(
                    "it was {taste}, just right", "everything was very good"
                ),
            ],
        )
    elif setting == 2:
        w.slots.update(who1=w("[Visitor|{n}]"), who2=w("[Woman|Man|{n2}]"), turn=w.num(2, 9))
        intro, lines = (
            "[{n} is lost in {town}.|On a street in {town}, on {day}.]",
            [
                "[excuse me, how do I get to the {place2}?|hello, is there a {place2} near "
                "here?|sorry, I am looking for the {place2}.]",
                "[go straight on to {surname} Street and then turn [left|right].|take the second "
                "street on the [left|right], past the {colour} house.|"
                "walk down to the bridge and turn [left|right] at the {shop}.]",
                "[is it far?|can I walk there?|how long does it take?]",
                "[it is about {few} minutes on foot.|only {few} minutes. you will see a "
                "{colour2} sign.|take bus number {turn}, if you do not want to walk.]",
                "[I want to {b1} there. is it open?|thank you. my {kin} is waiting for me "
                "there.|good, because I must be there at {hour} o'clock.]",
                "[it should be open. have a good {day}!|then hurry up!|you cannot miss it.]",
            ],
        )
    elif setting == 3:
        w.slots.update(
            who1=w("[Doctor|Dr {surname}]"),
            who2=w("[Patient|{n}]"),
            pain=w("[knee|back|ear|tooth|throat|shoulder|ankle|stomach|head]").lower(),
        )
        intro, lines = (
            "[{n} visits the doctor on {day}.|In the practice of Dr {surname} in {town}.]",
            [
                "[good morning, {n}. what is the matter?|please sit down. how can I help?]",
                "[my {pain} hurts.|I have had pain in my {pain} since {day}.|it is my {pain}. I "
                "cannot {use} any more.]",
                "[how did it start?|let me see. did you do anything unusual?]",
                "[it began when I carried a {thing} for my {kin}.|I fell off a {thing2} in "
                "{month}.|I ate too much {food} at a party.]".replace(
                    "fell off a {thing2}", "slipped on the wet floor"
                ),
                "[you need rest for {few} days.|it is not serious. drink a lot and sleep well.|take "
                "one of these pills every morning for {few} days.]",
                "[may I go to work on {day}?|and can I {b1} again next week?|thank you. I was {bad} about it.]",
                "[better wait a little longer.|yes, but slowly.|come back in {few} weeks, and we will look again.]",
            ],
        )
    else:
        w.slots.update(who1="{n}", who2="{n2}")
        w.slots.update(who1=w("{n}"), who2=w("{n2}"))
        intro, lines = (
            "[{n} and {n2} talk on the phone.|{n} meets {n2} on {day} in {town}.]",
            [
                "[hello {n2}, what are you doing on {day}?|hi {n2}, do you have time on {day}?]",
                "[I have to help my {kin} until {hour} o'clock. why?|nothing special. have you got a "
                "plan?|I want to buy a {thing}. and you?]",
                "[let us go to the {place2}. one can {b1} there.|we could {outdoors}, if it stays "
                "{weather}.|come over, I will make something with {food}.]",
                "[good idea! shall I bring {food2}?|I would rather look at {beasts} at the zoo.|yes, "
                "but I need to be back early.]",
                "[fine. and do not forget your {thing2}.|all right. {n3} may come too.|then let us "
                "meet at {hour} o'clock at the {shop}.]",
                "[wonderful. I am {good} already.|I will write it down. see you!|great, see you on {day}.]",
            ],
        )
    return w(intro) + "\n" + speakers(w, lines)


def bank_visit(w):
    """A bank in a story only: savings and coins, no trouble with cards or accounts."""
    coins = w.num(20, 90)
    w.thing("", w.pick([row for row in W.THINGS if 120 <= int(row[7]) <= 700]))
    extra = w.num(5, 19)
    w.slots.update(sum=coins, extra=extra, total=coins + extra)
    return w.lines(
        OPEN + "[went to the bank with a heavy jar of coins|carried {his} {colour} money box to the "
        "bank|walked to the bank in "
        "{surname} Street with {his} {kin}].",
        '[a bank keeps money safe, {his} {kin} had explained.|"Why do people bring money to '
        'a bank?" {he} asked. "Because it is safe there," '
        "said {his} {kin}.|{he} had saved for {few} months.]",
        "the clerk, [Mr|Mrs] {surname}, [had a {colour2} pen and a kind smile|sat behind a "
        "high counter|greeted {n} like an old friend].",
        "[a machine counted the coins: {sum} {coin}.|together they counted {sum} "
        '{coin}.|"That is {sum} {coin}," said the clerk after a while.]',
        "[{his} {kin} added {extra} {coin}, so there were {total}.|then {n} found {extra} "
        "more {coin} in {his} coat, which made {total}.]",
        '["One day I will buy a {thing} with it and {use}," said {n}.|{n} was saving for a '
        "{thing}, which costs {tprice} {coin} at the {shop}.]",
        "?" + ASIDE,
        END,
    )


def help_desk(w):
    """A call about phones, parcels, trains and the like, as a dialogue."""
    vp, do, extra = w.pick(W.SUPPORT[w.pick(list(W.SUPPORT))])
    w.slots.update(
        vp=vp,
        do=do,
        extra=extra,
        who1=w("[Agent|Help desk|{n2}]"),
        who2=w("[Caller|Customer|{n}]"),
        room=w.num(1000, 9999),
    )
    return (
        w(
            "[{n} calls the help desk on {day}.|A phone call at {hour} o'clock.|{n} from {town} "
            "needs some help.|The phone rings, and {n2} "
            "answers it.]"
        )
        + "\n"
        + speakers(
            w,
            [
                "[good {time}, this is {n2}. how can I help you?|help desk, {n2} speaking. what can "
                "I do for you?|hello, you are talking to {n2}.]".replace("{time}", "day"),
                "[hello, this is {n} {surname} from {town}. I would like to {vp}.|hi, I want to "
                "{vp}, but I do not know how.|my {kin} said you could "
                "help me to {vp}.]",
                "[of course. have you got a {thing} and your number ready?|no problem. may I have "
                "your customer number?|I see. what is your number, please?]".replace("a {thing} and ", ""),
                "[yes, it is {room}.|one moment, it is {room}.|I wrote it on a {colour} piece of paper: {room}.]",
                "[thank you, {n}. please {do}.|all right. first you should {do}.|the way to do it is this: {do}.]",
                "[that sounds easy. is there anything else to know?|and then?|let me write that down "
                "with my {colour} pen. what else?]",
                "[{extra}|yes. {extra}|only this: {extra}]",
                "[thank you very much. I am {good}.|wonderful, I will do it on {day}.|thanks, now I "
                "can tell my {kin}.]",
            ],
        )
    )


# ---- reasoning, news, opinions ---------------------------------------------------------------------------------------


def puzzle(w):
    kind = w.num(0, 6)
    x, y, z = w.some(W.GIRLS + W.BOYS, 3)
    w.slots.update(x=x, y=y, z=z)
    if kind == 0:
        adj, most, least, noun = w.pick(
            [
                ("taller", "tallest", "shortest", "in height"),
                ("older", "oldest", "youngest", "in age"),
                ("faster", "fastest", "slowest", "in running"),
                ("stronger", "strongest", "weakest", "in strength"),
            ]
        )
        w.slots.update(adj=adj, most=most, least=least)
        ask, answer = w.pick([("most", x), ("least", z)])
        return w.lines(
            "[three children from {town} compare themselves.|{x}, {y} and {z} stand side by side "
            "on {day}.|here is a small puzzle about {x}, {y} and {z}.]",
            "[{x} is {adj} than {y}. {y} is {adj} than {z}.|{y} is {adj} than {z}, and {x} is {adj} than {y}.]",
            "?[all of them like {food}.|they play with a {thing} and wear {colour} caps.]",
            "who is the {" + ask + "}?",
            "[{x} is {adj} than {y}, and {y} is {adj} than {z}, so {x} is also {adj} than "
            "{z}.|put them in order: {x} comes first, then {y}, then {z}.]",
            f"[the answer is {answer}.|so the {{{ask}}} is {answer}.|"
            f"therefore {answer} is the {{{ask}}} of the three.]",
        )
    if kind == 1:
        rooms = w.some(["kitchen", "garden", "hall", "bedroom", "garage", "bathroom", "cellar", "living room"], 3)
        w.slots.update(r1=rooms[0], r2=rooms[1], r3=rooms[2])
        w.thing("", w.pick([t for t in W.THINGS if int(t[6]) < 50]))
        moved = w.rng.random() < 0.5
        return w.lines(
            "[{x} put the {thing} in the {r1}.|at {hour} o'clock the {thing} was in the {r1}, where {x} had left it.]",
            "[then {y} took it to the {r2}.|a little later {y} carried the {thing} from there to the {r2}.]",
            "[after that {z} brought it into the {r3}.|at last {z} moved it from the {r2} to the {r3}.]"
            if moved
            else "[{z} went to the {r3} but did not touch the {thing}.|{z} came home, saw it and "
            "walked on to the {r3} without it.]",
            "?[meanwhile, {sky}.|{x} ate some {food} and noticed nothing.|in the {colour} "
            "cupboard there was only {food}.]",
            "[where is the {thing} now?|{x} comes back and looks for the {thing}. where must {x} look?]",
            "[it is in the {end}, because [the last one to move it was {who}|{who} moved it "
            "last].|{who} was the last to carry it, so the {thing} is in "
            "the {end}.]".replace("{end}", rooms[2] if moved else rooms[1]).replace("{who}", z if moved else y),
        )
    if kind == 2:
        have, lost, got = w.num(6, 20), w.num(1, 5), w.num(2, 9)
        fruit = w.pick(
            ["apples", "plums", "pears", "eggs", "rolls", "stamps", "marbles", "nuts", "shells", "cards", "pencils"]
        )
        w.slots.update(
            fruit=fruit,
            have=below(have),
            lost=below(lost),
            got=below(got),
            left=below(have - lost),
            total=below(have - lost + got),
        )
        return w.lines(
            "[{x} has {have} {fruit}.|in a {colour} basket {x} carries {have} {fruit}.|on {day} "
            "{x} counted {have} {fruit}.]",
            "[{lost} of them go to {y}.|{x} gives {lost} to {y}.|on the way {x} loses {lost}.]".replace(
                "[{lost} of them go to {y}.|", "["
            ),
            "[then {z} brings {got} more.|later {z} gives {x} another {got}.|in {town}, {x} gets {got} more from {z}.]",
            "how many {fruit} does {x} have now?",
            "[{have} minus {lost} is {left}, and {left} plus {got} is {total}.|after the first "
            "step there are {left}. add {got}, and you get {total}.]",
            "[so {x} has {total} {fruit}.|the answer is {total}.|{x} now has {total} of them.]",
        )
    if kind == 3:
        day, step = w.num(0, 6), w.num(2, 6)
        names = [W.DAYS[(day + i) % 7] for i in range(step + 1)]
        w.slots.update(d0=names[0], step=below(step), end=names[-1], row=listed(names[1:]))
        return w.lines(
            "[today is {d0}.|it is {d0} in {town}.]",
            "[in {step} days {x} will [visit {y}|fly to {town}|buy a {thing}|eat {food} with "
            "{y}].|{x} must wait "
            "{step} days for a {thing}.]",
            "[what day will it be then?|on which day is that?|which day of the week is it in {step} days?]",
            "[count on from {d0}: {row}.|the days after {d0} are {row}.|we say the days one by one: {row}.]",
            "[so it will be {end}.|the answer is {end}.|in {step} days it is {end}.]",
            "?{z} writes it on a {colour} calendar.",
            "?{y} had guessed it at once and was {good}.",
        )
    if kind == 4:
        w.food(""), w.food("2", w.pick([f for f in W.FOODS if f[0] != w.slots["food"]]))
        i, j = w.num(2, 6), w.num(2, 6)
        p, q = int(w.slots["fprice"]), int(w.slots["fprice2"])
        w.slots.update(i=below(i), j=below(j), pi=i * p, qj=j * q, sum=i * p + j * q)
        return w.lines(
            "[{x} buys {i} {unit.pl} and {j} {unit2.pl}.|on {day} {x} puts {i} {unit.pl} and {j} "
            "{unit2.pl} into a basket.]",
            "[a {unit} costs {fprice} {coin}, a {unit2} {fprice2}.|one {unit} is {fprice} "
            "{coin}, and one {unit2} is {fprice2} {coin}.]",
            "[how much must {x} pay?|what does it cost altogether?]",
            "[for the first {x} pays {pi} {coin}, for the second {qj}.|{i} times {fprice} is "
            "{pi}, and {j} times {fprice2} is {qj}.]",
            "[together that is {sum} {coin}.|so {x} pays {sum} {coin}.|the sum is {sum} {coin}.]",
            "?[{y} carries the bag to {town} for {x}.|at home {z} counts everything again.]",
        )
    if kind == 5:
        start, long_ = w.num(1, 7), w.num(2, 5)
        w.slots.update(start=below(start), long=below(long_), end=below(start + long_))
        return w.lines(
            "[{x} leaves {town} at {start} o'clock.|at {start} o'clock {x} begins to clean a "
            "{thing}.|{x} and {y} start to {outdoors} at {start} o'clock.]",
            "[it takes {long} hours.|after exactly {long} hours it is over.|{long} hours pass until it is done.]",
            "[when is that?|what does the clock show then?|at what time is it over?]",
            "[we add {long} hours to {start} o'clock.|count {long} hours on from {start} o'clock.]",
            "[it is {end} o'clock then.|{start} and {long} make {end}, so it is {end} o'clock.]",
            "?[{z} waits with {food}.|{z} has a {colour} watch and agrees.]",
            "?afterwards {x} is {good}.",
        )
    key = w.pick(list(W.CATEGORIES))
    inside = w.some(W.CATEGORIES[key], 3)
    other = w.pick([k for k in W.CATEGORIES if not set(W.CATEGORIES[k]) & set(W.CATEGORIES[key]) and k != key])
    odd = w.pick(W.CATEGORIES[other])
    four = w.some([*inside, odd], 4)
    w.slots.update(four=listed(four), odd=odd, key=key, other=other, three=listed(inside))
    return w.lines(
        "[{x} writes four words on a {colour} card: {four}.|look at these words: {four}.|{x} "
        "asks {y} about four words: {four}.]",
        "[which word does not belong?|one of them does not fit. which one?|find the odd one out.]",
        "[the words {three} name the same sort of thing: each is a {key}.|each of these is a {key}: {three}.]",
        "[but the word {odd} names a {other}.|{odd} is the name of a {other}.]",
        "[so the answer is {odd}.|therefore {odd} does not belong.]",
        "?[{z} finds it too easy.|{y} wins {food} for the right answer.|{y} needs {few} seconds.]",
    )


def news(w):
    p = w.pick(W.PLACES)
    w.slots.update(
        place=p[0],
        at=p[1],
        act=w.pick(p[2].split("; ")),
        worker=p[4],
        sum=w.num(12, 900),
        year=w.num(2, 60),
        many=w.pick(W.ANIMALS)[1],
    )
    topic = w.pick(
        [
            [
                "{town} gets a new {place}",
                "[The town of {town} will get a new {place} in {month}.|A new {place} will open in {town} on {day}.]",
                "[it will offer space for {sum2} people.|for {year} years people had asked for it.]",
                "[visitors can {act} there every day.|people will soon be able to {act} there.]",
            ],
            [
                "Storm over {town}",
                "[A strong storm hit {town} on {day} night.|On {day}, wind and rain did great damage in {town}.]",
                "[the roof of the {place} was torn off.|{few} trees fell near the {place}, and "
                "{sum2} homes had no power.]",
                "[nobody was hurt, said a {job}.|firefighters worked until {hour} o'clock.]",
            ],
            [
                "Young people of {town} win prize",
                "[A class from {town} has won {sum} {coin} with a report about {many}.|Pupils from "
                "{town} won first prize on {day} for a film about {many}.]",
                "[they had worked on it for {few} months.|{n}, who is {age} years old, had the idea.]",
                "[with the money they want to buy a {thing}.|the prize was a trip to {town2}.]",
            ],
            [
                "Road closed in {town}",
                "[The road from {town} to {town2} is closed until {month}.|From {day} on, nobody can "
                "drive from {town} to {town2}.]",
                "[workers are repairing a bridge that is {year} years old.|water has damaged the "
                "road beside the {place}.]",
                "[buses will start {few} minutes earlier.|drivers should take the way past the {place2}.]",
            ],
            [
                "Lost {beast} found {at}",
                "[A {beast} that had been missing since {day} was found {at}.|On {day}, visitors "
                "found a {beast} {at} in {town}.]",
                "[the animal belongs to {n2} {surname}, who had searched for {few} days.|a {worker} "
                "gave it water and called the vet.]",
                "[it is healthy and back at home.|nobody knows how it got there.]",
            ],
            [
                "Market day in {town}",
                "[Thousands came to the market in {town} on {day}.|The {month} market in {town} was a great success.]",
                "[{sum2} sellers offered {food}, {thing.pl} and {thing2.pl}.|{food2} sold out before {hour} o'clock.]",
                "[{n2}, a {job}, sold {few} {thing.pl} in an hour.|next to the {place} a band played.]",
            ],
        ]
    )
    w.slots.update(sum2=w.num(20, 400), beast=w.pick([r[0] for r in W.ANIMALS if 1 < float(r[6]) < 60]))
    first = w.lines(topic[1], topic[2], topic[3])
    second = w.lines(
        '"[I am {good}|We were all {good}|This is a day to remember|I have never seen '
        'anything like it]," said {n} {surname}, a {age2}-year-old {job} from '
        "{town2}.",
        "[{n} had come with {his} {kin} and a {thing2}.|{he} had been there since {hour} "
        "o'clock.|{he} lives only {few} minutes away.]",
        "[the mayor, [Mr|Mrs] {surname2}, thanked all helpers.|the town will say more on "
        "{day}.|the next meeting will be in {month2}.|our reporter {n2} was there.]",
        "?[for {day}, the weather service expects {weather} weather.|people who want to know "
        "more can call the town hall on {day}.]",
    )
    return w(topic[0]) + "\n" + first + "\n" + second


def opinion(w):
    x, y, one, two, three = w.pick(W.OPINIONS)
    r1, r2, r3 = w.some([one, two, three], 3)
    w.slots.update(ox=x, oy=y, r1=r1, r2=r2, r3=r3)
    return w.lines(
        "[in my opinion, {ox} is better than {oy}.|{n} thinks that {ox} is better than "
        "{oy}.|which is better, {ox} or {oy}? {n} from {town} chooses {ox}.|"
        "I have tried both, but {ox} wins over {oy}.]",
        "[the first reason is that {r1}.|why? {r1}.|one reason is simple: {r1}.]",
        "[besides, {r2}.|it also matters that {r2}.|another point: {r2}.]",
        "?[and {r3}.|last but not least, {r3}.|we should not forget that {r3}.]",
        "[{n2}, a {job}, sees it differently and prefers {oy}.|of course, {n2} would choose "
        "{oy}.|my {kin} does not agree and speaks for {oy}.]",
        '["Everyone should decide alone," says {n3}, who is {age2}.|last {day} they talked '
        "about it over {food}.|they discussed it until {hour} o'clock and "
        "ate {food}.]",
        "[still, nobody needs to quarrel about it.|in {month2} we will try it the other way "
        "round.|in the end both have good sides.|perhaps {n2} will change "
        "{his2} mind in {month2}.]",
    )


def why_page(w):
    rows = w.some(W.WHY, 3)
    parts = []
    for clause, reason in rows:
        parts.append(
            w(
                w.pick(
                    [
                        "{c} because {r}.",
                        "{r}. [that is why|for this reason,|therefore] {c}.",
                        "why is it that {c}? [the reason is that|because] {r}.",
                        "[{n} asked {n2} on {day}|one day {n3} wondered] why {c}. [the answer: {r}.|{n2} "
                        "knew it: {r}.]",
                        "since {r}, {c}.",
                        '"{r}," said {n2}. "so now you know why {c}."',
                    ]
                ),
                c=clause,
                r=reason,
            )
        )
    bridge = w(
        "[{n} wrote this down in a {colour} notebook.|{n} learned three things on "
        "{day}.|{his} {kin} explained this to {n} in {town}.|These are answers "
        "for {n}, who asks a lot.|It began when {n} ate {food} with {n2}.]"
    )
    return bridge + " " + w.pick([" ", "\n"]).join(parts)


def shopping_list(w):
    rows = w.some(W.FOODS, w.num(3, 6))
    total, lines = 0, []
    for row in rows:
        count = w.num(1, 5)
        total += count * int(row[9])
        name = plural(row[1]) if count > 1 else row[1]
        lines.append(
            w.pick(
                [
                    f"- {count} {name}, {count * int(row[9])} {w.slots['coin']}",
                    f"- {below(count)} {name}: {count * int(row[9])}",
                ]
            )
        )
    w.slots.update(total=total, note=(note := (total // 10 + 1) * 10), back=note - total)
    return (
        w("[{n}'s shopping list for {day}:|{n} needs these things for {day}:|For the party in {month} {n} buys:]")
        + "\n"
        + "\n".join(lines)
        + "\n"
        + w.lines(
            "[together it costs {total} {coin}.|the sum is {total} {coin}.]",
            "[{n} pays with {note} {coin} and gets {back} back.|from {note} {coin}, {back} are left.]",
            "[{he} carries everything home in a {colour} bag.|{n2} helps {him} to carry "
            "it.|{his} {kin} wanted a {thing} too, but there was no more money.]",
            "?[at home {he} notices that {he} forgot the {food2}.|on the way {he} meets {n2}, who buys a {thing2}.]",
        )
    )


def weather_report(w):
    one, two = w.some(W.WEATHER, 2)
    warm = {
        "snowy": (-8, 0),
        "frosty": (-9, -1),
        "hot": (29, 36),
        "sunny": (16, 27),
        "rainy": (7, 17),
        "windy": (6, 17),
    }
    low, high = warm.get(one[0], (3, 14))
    low2, high2 = warm.get(two[0], (3, 14))
    w.slots.update(
        w1=one[0],
        w2=two[0],
        g1=one[3],
        g2=two[3],
        o1=one[4],
        o2=two[4],
        t1=w.num(low, high),
        t2=w.num(low2, high2),
        f1=one[2],
        f2=two[2],
    )
    return w.lines(
        "[the weather for {town}: on {day} it will be {w1}.|good morning from {town}. {day} "
        "will be {w1}.|{n} reads the weather report: {w1} on {day}.]",
        "[the air will be {f1}, with about {t1} degrees at noon.|the thermometer will show "
        "{t1} degrees.|at {hour} o'clock it will have {t1} degrees.]".replace("it will have", "there will be"),
        "[so take {g1} with you.|{n} packs {g1}.|without {g1} you should not go out.]",
        "[it is a good day to {o1}.|{n} and {n2} are going to {o1}.|if you like, you can {o1}.]",
        "[the next day will be {w2}, with {t2} degrees.|after that it gets {w2}: {t2} "
        "degrees are expected in {town2}.]",
        "[then people will {o2}.|{n2} will need {g2}.|a {job} from {town2} is already looking for {g2}.]",
        "?[in {month2} everything may be different.|{his} {kin} does not trust the report and takes {g2} as well.]",
        "?[the {job} {n2} {surname} is {good} about it.|for {month} this is quite usual, says {n2}.]".replace(
            "for {month} this is quite usual, says", "this was a surprise for"
        ),
    )


def page(w):
    """Several questions on one page, each in another place than the Question/Answer form."""
    pairs = []
    for _ in range(w.num(3, 4)):
        question, answer = w.pick(QUESTIONS)(Writer(w.rng))
        pairs.append((question, answer))
    marks = w.pick([("Q: ", "A: "), ("- ", "  "), ("", "")])
    head = w(
        "[Questions from readers in {town}|{n} asks, {n2} answers|The page for curious "
        "people, {month}|Quiz night in {town}|{n} wants to know]"
    )
    return head + "\n" + "\n".join(f"{marks[0]}{q}\n{marks[1]}{a}" for q, a in pairs)


def biography(w):
    born = w.num(1930, 1990)
    job, duties, where, tools, needs = w.pick(W.JOBS)
    w.slots.update(
        job=job,
        where=where,
        tools=tools,
        d1=w.pick(duties.split("; ")),
        born=born,
        school=born + 6,
        work=born + w.num(18, 25),
        hobby=w.pick(W.HOBBIES)[0],
        wed=born + w.num(26, 34),
    )
    return w.lines(
        "[{n} {surname} was born in {town} in {born}.|in {month} {born}, {n} {surname} was born in {town}.]",
        "[{his} {kin} sold {thing.pl}, and the family was not rich.|the family lived above a "
        "{shop} and ate {food} almost every day.|as a child {he} loved {beasts} and "
        "{food}.]",
        "[in {school} {he} went to school in {town2}.|at school {he} met {n2}, who became a friend for life.]",
        "[in {work} {he} became a {job} and worked {where}.|{he} wanted to {d1}, and so in "
        "{work} {he} began to work as a {job}.]",
        "[{his} first {thing2} cost {tprice2} {coin}, which was all {he} had.|with {tools} {he} did {his} work well.]",
        "[in {wed} {he} married {n2}, and they had {few} children.|{he} moved to {town2} in {wed}.]",
        "[in {his} free time {he} learned to {hobby}.|later {he} wrote a book about {beasts}.]",
        "[today people in {town2} still talk about {him}.|{his} {colour} house is now a "
        'museum.|"I was always {good}," {he} once said.]',
    )


# ---- one question, one answer ----------------------------------------------------------------------------------------

ASK = """[how do I {vp}?|how can I {vp}?|I want to {vp}. what should I do?|what is the best way to {vp}?|
can you tell me how to {vp}?|could you help me to {vp}?|I need to {vp}, but I do not know how.|
what do I have to do to {vp}?|please tell me how I can {vp}.|hello, I would like to {vp}.|
is it possible to {vp}?|what is the easiest way to {vp}?|my {kin} wants to know how to {vp}.|
I have never done this before: how do I {vp}?|since {day} I have been trying to {vp}. how does it work?|
can I {vp} on {day}?|is there a quick way to {vp}?|I live in {town}. how can I {vp}?|do you know how to {vp}?|
we are trying to {vp}. any ideas?]""".replace("\n", "")


def ask_support(w):
    vp, do, extra = w.pick(W.SUPPORT[w.pick(list(W.SUPPORT))])
    w.slots.update(vp=vp, do=do, extra=extra)
    return w(ASK), w(
        "[please {do}. {extra}|to {you}, {do}. {extra}|you can do it like this: {do}. "
        "{extra}|it is easy: {do}. {extra}|gladly! {do}.|of course. {do}. {extra}|"
        "we can help with that. please {do}. {extra}|just {do}. {extra}|the best way is this: "
        "{do}. {extra}]".replace(
            "{you}", re.sub(r"\bmyself\b", "yourself", re.sub(r"\bI\b", "you", re.sub(r"\bmy\b", "your", vp)))
        )
    )


def ask_problem(w):
    fault, do, extra = w.pick(W.PROBLEMS)
    w.slots.update(fault=fault, do=do, extra=extra)
    return w(
        "[{fault}. what can I do?|help, {fault}!|{fault}. what should I do?|hello, {fault}. "
        "can you help me?|what can I do if {fault}?|since {day}, I have a problem: {fault}.|"
        "{fault}, and I am {bad} about it. what now?|what should one do when {fault}?|I am "
        "in {town}, and {fault}. who can help?|{fault}. do you have any advice?]"
    ), w(
        "[I am sorry to hear that. |We are sorry about that. |That is annoying. |Do not "
        "worry. |No problem. |]Please {do}. {extra}"
    )


def ask_advice(w):
    state, do, extra = w.pick(W.ADVICE)
    w.slots.update(state=state, do=do, extra=extra)
    return w(
        "[I {state}. what should I do?|what can I do when I {state}?|I {state}. do you have "
        "any advice?|I {state}, and I am {bad}. what would you do?|what helps if I {state}?|"
        "my problem is that I {state}. can you help?]"
    ), w(
        "[you should {do}. {extra}|{do.cap}. {extra}|my advice is simple: {do}. {extra}|try "
        "this: {do}. {extra}|"
        "it is a good idea to {do}. {extra}]".replace("you should {do}", "please {do}").replace(
            "it is a good idea to {do}", "here is an idea: {do}"
        )
    )


def ask_thing(w):
    w.thing("")
    return w.pick(
        [
            lambda: (
                w(
                    "[what is a {thing} used for?|what do people do with a {thing}?|why do people need a "
                    "{thing}?|what can I do with a {thing}?|what is the use of a {thing}?]"
                ),
                w(
                    "[a {thing} is used to {use}.|people use a {thing} to {use}.|with a {thing} you can "
                    "{use}.|you need a {thing} if you want to {use}.]"
                ),
            ),
            lambda: (
                w(
                    "[where can I buy a {thing}?|which shop sells {thing.pl}?|I need a {thing}. where "
                    "should I go?|where do people buy {thing.pl}?|is there a shop for {thing.pl}?]"
                ),
                w(
                    "[you can buy a {thing} at the {shop}. it costs about {price} {coin}.|go to the "
                    "{shop}. {thing.pl} are sold there.|the {shop} sells {thing.pl}.|try the {shop}. a "
                    "good {thing} "
                    "should be {quality}.]"
                ),
            ),
            lambda: (
                w(
                    "[what is a {thing} made of?|which material are {thing.pl} made of?|what do people "
                    "use to make a {thing}?]"
                ),
                w("[it is made of {stuff}.|a {thing} is usually made of {stuff}.|{thing.pl} are made of {stuff}.]"),
            ),
            lambda: (
                w(
                    "[where do people keep a {thing}?|where should I look for a {thing}?|where is the "
                    "{thing} usually kept?]"
                ),
                w("[it is usually kept {spot}.|you will probably find it {spot}.|most people keep a {thing} {spot}.]"),
            ),
            lambda: (
                w(
                    "[how much does a {thing} cost?|what is the price of a {thing}?|I have {tprice} "
                    "{coin}. is that enough for a {thing}?]"
                ),
                w(
                    "[a {thing} costs about {tprice} {coin} at the {shop}.|you pay about {tprice} {coin} "
                    "for it.|yes or no, it depends, but about {tprice} {coin} is a usual "
                    "price.]".replace("yes or no, it depends, but a", "a")
                ),
            ),
            lambda: (
                w(
                    "[what do I need if I want to {use}?|which object helps me to {use}?|I want to "
                    "{use}. what should I take?]"
                ),
                w(
                    "[you need a {thing}.|take a {thing}. it is made "
                    "for that.|a {thing} is the right thing for it.|use a {thing}, which you can get at "
                    "the {shop}.]"
                ),
            ),
        ]
    )()


def ask_food(w):
    w.food("")
    do = "do" if w.slots["number"] == "p" else "does"
    return w.pick(
        [
            lambda: (
                w("[where can I buy {food}?|I need {food} for {day}. where can I get {them}?|which shop has {food}?]"),
                w(
                    "[you can buy {food} at the {fshop}.|at the {fshop}. a {unit} costs about {fprice} "
                    "{coin}.|go to the {fshop}. {they} {are} sold there.]"
                ),
            ),
            lambda: (
                w("[what colour {are} {food}?|which colour {do} {food} have?]".replace("{do}", do)),
                w("[{they} {are} {fcolour}.|{food} {are} {fcolour}.]"),
            ),
            lambda: (
                w(
                    "[how {do} {food} taste?|what {do} {food} taste like?|what is the taste of {food}?]".replace(
                        "{do}", do
                    )
                ),
                w("[{they} taste{s} {taste}.|{food} {are} {taste}.]"),
            ),
            lambda: (
                w("[where {do} {food} come from?|can you tell me where {food} come{s} from?]".replace("{do}", do)),
                w("{food} {source}."),
            ),
            lambda: (
                w("[how do people have {food}?|how can I serve {food}?|what is a good way to serve {food}?]"),
                w("[most people have {them} {eaten}.|serve {them} {eaten}.|{food} {are} good {eaten}.]"),
            ),
        ]
    )()


def ask_animal(w):
    r = w.pick(W.ANIMALS)
    w.slots.update(
        beast=r[0],
        many=r[1],
        cls=r[2],
        diet=r[3],
        home=r[4],
        legs=W.NUMBERS[int(r[5])] if r[5] != "0" else "no",
        young=r[7],
        fact=r[10],
        move=r[8],
    )
    return w.pick(
        [
            lambda: (
                w(
                    "[what do {many} eat?|what does a {beast} eat?|what is the food of {many}?|which "
                    "food do {many} like?]"
                ),
                w("[{many} eat {diet}.|a {beast} eats {diet}.|they eat {diet}.]"),
            ),
            lambda: (
                w("[where do {many} live?|where can I find {many}?|in what place does a {beast} live?]"),
                w("[{many} live {home}.|you can find {many} {home}.|they live {home}.]"),
            ),
            lambda: (
                w("[how many legs does a {beast} have?|how many legs do {many} have?]"),
                w("[a {beast} has {legs} legs.|it has {legs} legs.|{many} have {legs} legs.]"),
            ),
            lambda: (
                w(
                    "[what is a young {beast} called?|what do we call the young of {many}?|how do you "
                    "call a baby {beast}?]".replace("how do you call", "what is the name for")
                ),
                w("[a young {beast} is called a {young}.|it is called a {young}.|the word is {young}.]"),
            ),
            lambda: (
                w(
                    "[what is special about {many}?|tell me something about {many}.|what do you know "
                    "about the {beast}?]"
                ),
                w("[{many} {fact}.|a {beast} is a {cls}. {many} {fact}.|they live {home}, and they {fact}.]"),
            ),
            lambda: (
                w(
                    "[what kind of animal is a {beast}?|is a {beast} a mammal, a bird or something "
                    "else?|to which class of animals does the {beast} belong?]"
                ),
                w(
                    "[a {beast} is a {cls}.|it is a {cls}.|the {beast} belongs to the class {cls}.]".replace(
                        "belongs to the class", "is a"
                    )
                ),
            ),
        ]
    )()


def ask_job(w):
    name, duties, where, tools, needs = w.pick(W.JOBS)
    one, two = w.some(duties.split("; "), 2)
    w.slots.update(job=name, d1=one, d2=two, where=where, tools=tools, needs=needs)
    if name == "bank clerk":
        return ask_place(w)
    return w.pick(
        [
            lambda: (
                w("[what does a {job} do?|what is the work of a {job}?|what are the tasks of a {job}?]"),
                w("[a {job} has to {d1} and {d2}.|it is the job of a {job} to {d1}.|{job.pl} {d1}, and they {d2}.]"),
            ),
            lambda: (
                w("[where does a {job} work?|where can I meet a {job}?|where do {job.pl} work?]"),
                w("[a {job} works {where}.|{job.pl} usually work {where}.|you can meet a {job} {where}.]"),
            ),
            lambda: (
                w("[what does a {job} need for work?|which tools does a {job} use?|what do {job.pl} work with?]"),
                w("[a {job} uses {tools}.|{job.pl} work with {tools}.|the usual tools are {tools}.]"),
            ),
            lambda: (
                w("[how do I become a good {job}?|what makes a good {job}?|I want to be a {job}. what do I need?]"),
                w(
                    "[a good {job} needs {needs}.|you need {needs}.|the work takes {needs}. you must "
                    "also be ready to {d1}.]"
                ),
            ),
            lambda: (
                w("[whose job is it to {d1} and {d2}?|who has to {d1} and also {d2}?]"),
                w("[that is the job of a {job}.|a {job} does that.|a {job}, who works {where}, does it.]"),
            ),
        ]
    )()


def ask_place(w):
    name, at, acts, things, worker = w.pick([p for p in W.PLACES if p[0] != "bank"])
    w.slots.update(
        place=name, at=at, a1=(two := w.some(acts.split("; "), 2))[0], a2=two[1], things=things, worker=worker
    )
    return w.pick(
        [
            lambda: (
                w("[what do people do {at}?|why do people go to the {place}?|what can I do {at} on {day}?]"),
                w("[people go there to {a1}.|you can {a1} and {a2} there.|they {a1} or {a2}.]"),
            ),
            lambda: (
                w("[what can you see {at}?|what is there {at}?|what will I find {at}?]"),
                w("[there are {things}.|you can see {things} there.|you will find {things}.]"),
            ),
            lambda: (
                w("[who works {at}?|whom should I ask for help {at}?|who can help me {at}?]"),
                w("[a {worker} works there.|ask the {worker}.|the {worker} can help you.]"),
            ),
            lambda: (
                w(
                    "[where can I go if I want to {a1} and {a2}?|I would like to {a1} and then {a2}. "
                    "where is that possible?]"
                ),
                w("[go to the {place}.|you can do that {at}.|the {place} is the right place for it.]"),
            ),
        ]
    )()


def ask_how(w):
    goal, steps, tip = w.pick(W.HOWTO)
    steps = steps.split("; ")
    w.slots.update(vp=goal, tip=tip, s1=steps[0], s2=steps[1], s3=steps[2], s4=steps[3], s5=steps[-1])
    return w(ASK), w(
        "[first {s1}. then {s2}, and after that {s3}. finally {s5}|start like this: {s1}. "
        "next {s2} and {s3}. at the end {s5}|{s1.cap} and {s2}. then {s3}, {s4} and "
        "{s5}|it is simple. first {s1} and {s2}. then {s3}].[ remember: {tip}.| one tip: "
        "{tip}.|]".replace(
            "it is simple. first {s1} and {s2}. then {s3}",
            "you begin in this way: {s1}. after that {s2}, {s3} and {s4}. last of all {s5}",
        )
    )


def ask_why(w):
    clause, reason = w.pick(W.WHY)
    w.slots.update(c=clause, r=reason)
    return w(
        "[why is it that {c}?|can you explain why {c}?|what is the reason that {c}?|tell me "
        "why {c}.|do you know why {c}?|I wonder why {c}.|{n} asks why {c}.]"
    ), w("[because {r}.|{c.cap} because {r}.|the reason is that {r}.|this is so because {r}.]")


def ask_can(w):
    question, answer = w.pick(W.CAN)
    return w("[|||{n} wants to know: |please tell me: |a question from {town}: |quick question: ]" + question), answer


def ask_word(w):
    word, sense = w.pick(W.DEFS)
    w.slots.update(word=word, bare=word.split(" ", 1)[1], sense=sense)
    return w(
        "[what is {word}?|what does the word {bare} mean?|can you explain the word "
        "{bare}?|what do people mean by {word}?|{n} does not know the word {bare}. what is "
        "it?|"
        "which word means: {sense}?]".replace("|which word means: {sense}?", "|what do we call {word} in simple words?")
    ), w("[{word.cap} is {sense}.|it is {sense}.|the word means {sense}.|we use this word for {sense}.]")


def ask_opposite(w):
    one, two = w.some(list(w.pick(W.OPPOSITES)), 2)
    w.slots.update(one=one, two=two)
    return w(
        "[what is the opposite of {one}?|which word is the opposite of {one}?|{n} needs the "
        "opposite of {one}. what is it?|say the opposite of the word {one}.]"
    ), w(
        "[the opposite of {one} is {two}.|it is {two}.|the word {two} is the opposite of {one}.|{two} is the opposite.]"
    )


def ask_category(w):
    key = w.pick(list(W.CATEGORIES))
    right = w.pick(W.CATEGORIES[key])
    others = [k for k in W.CATEGORIES if k != key]
    wrong = []
    while len(wrong) < 2:
        word = w.pick(W.CATEGORIES[w.pick(others)])
        if word not in W.CATEGORIES[key] and word not in wrong:
            wrong.append(word)
    w.slots.update(
        key=key,
        right=right,
        three=listed(w.some([right, *wrong], 3), "or"),
        wrong=wrong[0],
        more=listed(w.some(W.CATEGORIES[key], 3)),
    )
    return w.pick(
        [
            lambda: (
                w(
                    "[which of these is a {key}: {three}?|which word names a {key}: {three}?|find the "
                    "{key}: {three}.|{n} has three words: {three}. which one is a {key}?]"
                ),
                w("[{right} is a {key}.|the answer is {right}.|it is {right}, because {right} is a {key}.]"),
            ),
            lambda: (
                w(
                    "[name three words for a {key}.|give me three examples of a {key}.|what are three "
                    "examples of the word {key}?]".replace("words for", "examples of")
                ),
                w("[three examples are {more}.|here are three: {more}.|for example {more}.]"),
            ),
            lambda: (
                w("[is the word {right} the name of a {key}?|does {right} count as a {key}?]"),
                w("[yes, {right} is a {key}.|yes, it is a {key}.]"),
            ),
            lambda: (
                w("[is the word {wrong} the name of a {key}?|does {wrong} count as a {key}?]"),
                w("[no, {wrong} is not a {key}.|no, it is something else. a {key} is, for example, {right}.]"),
            ),
        ]
    )()


def ask_number(w):
    x, y = w.some(W.GIRLS + W.BOYS, 2)
    i, j = w.num(2, 30), w.num(2, 30)
    i, j = max(i, j) + 1, min(i, j)
    small, times = w.num(2, 9), w.num(2, 9)
    day = w.num(0, 6)
    w.food("")
    w.slots.update(
        x=x,
        y=y,
        i=i,
        j=j,
        plus=i + j,
        minus=i - j,
        sm=small,
        tm=times,
        prod=small * times,
        d0=W.DAYS[day],
        d1=W.DAYS[(day + 1) % 7],
        d2=W.DAYS[day - 1],
        what=w.pick(["apples", "books", "coins", "stamps", "sweets", "photos", "shells", "pens"]),
        cost=small * int(w.slots["fprice"]),
        sw=below(small),
    )
    return w.pick(
        [
            lambda: (
                w("[what is {i} plus {j}?|how much is {i} and {j}?|add {i} and {j}.]"),
                w("[{i} plus {j} is {plus}.|it is {plus}.|the sum is {plus}.]"),
            ),
            lambda: (
                w(
                    "[{x} has {i} {what} and gives {j} to {y}. how many are left?|{x} had {i} {what} and "
                    "lost {j}. how many does {x} have now?]"
                ),
                w("[{i} minus {j} is {minus}, so {minus} {what} are left.|{x} has {minus} {what}.]")
                if i - j > 1
                else w("there is only one left."),
            ),
            lambda: (
                w(
                    "[{x} has {i} {what}, and {y} has {j}. who has more?|who has fewer {what} if {x} has "
                    "{j} and {y} has {i}?]"
                ),
                w("[{x} has more, because {i} is greater than {j}.]"),
            ),
            lambda: (
                w(
                    "[how much do {sw} {unit.pl} cost if one costs {fprice} {coin}?|a {unit} costs "
                    "{fprice} {coin}. what do {sw} of them cost?]"
                ),
                w("[they cost {cost} {coin}.|{sw} times {fprice} is {cost}, so you pay {cost} {coin}.]"),
            ),
            lambda: (
                w("[what day comes after {d0}?|today is {d0}. what day is it tomorrow?|which day follows {d0}?]"),
                w("[it is {d1}.|{d1} comes after {d0}.]"),
            ),
            lambda: (
                w("[what day was it yesterday if today is {d0}?|which day comes before {d0}?]"),
                w("[it is {d2}.|{d2} comes before {d0}.]"),
            ),
            lambda: (
                w("[how much is {sm} times {tm}?|what do you get if you multiply {sm} by {tm}?]"),
                w("[{sm} times {tm} is {prod}.|the answer is {prod}.]"),
            ),
        ]
    )()


def ask_weather(w):
    r = w.pick(W.WEATHER)
    w.slots.update(weather=r[0], gear=r[3], outdoors=r[4], feel=r[2])
    return w(
        "[what should I wear when it is {weather}?|it is {weather} in {town}. what should I "
        "take with me?|what can I do on a {weather} {day}?|{n} goes out on a {weather} day. "
        "what does {he} need?|"
        "do I need anything special in {weather} weather?]"
    ), w(
        "[take {gear} with you. you can {outdoors}.|you need {gear}, because it is "
        "{feel}.|put on or take {gear}. it is a good day to "
        "{outdoors}.]"
    )


QUESTIONS = [
    ask_support,
    ask_support,
    ask_support,
    ask_support,
    ask_problem,
    ask_problem,
    ask_advice,
    ask_thing,
    ask_thing,
    ask_food,
    ask_animal,
    ask_job,
    ask_place,
    ask_how,
    ask_why,
    ask_can,
    ask_word,
    ask_opposite,
    ask_category,
    ask_number,
    ask_weather,
]

KINDS = {
    f.__name__: f
    for f in (
        story_lost,
        story_save,
        story_hobby,
        story_weather,
        story_repair,
        story_animal,
        story_honest,
        story_quarrel,
        story_shop_errand,
        story_travel,
        story_chain,
        describe_thing,
        describe_animal,
        describe_job,
        describe_place,
        describe_food,
        glossary,
        compare,
        how_to,
        notice,
        letter,
        email,
        diary,
        dialogue_shop,
        dialogue_service,
        bank_visit,
        help_desk,
        puzzle,
        news,
        opinion,
        why_page,
        shopping_list,
        weather_report,
        page,
        biography,
    )
}
# Kinds with much to vary come more often.
OFTEN = {
    "puzzle": 3,
    "dialogue_service": 3,
    "news": 2,
    "email": 2,
    "letter": 2,
    "compare": 2,
    "page": 2,
    "describe_thing": 2,
    "bank_visit": 0.5,
    "why_page": 0.7,
    "glossary": 0.7,
    "story_chain": 0.7,
    "opinion": 0.6,
    "how_to": 0.8,
}


def question(rng):
    return "Question: {}\nAnswer: {}".format(*rng.choice(QUESTIONS)(Writer(rng)))


# What a person may carry about.
SMALL = [row for row in W.THINGS if int(row[6]) <= 48 and int(row[7]) < 60 and "machine" not in row[1]]
# What a person eats just so.
SNACKS = [
    row
    for row in W.FOODS
    if row[2] not in ("drink", "spice") and row[0] not in ("salt", "sugar", "butter", "milk", "cream", "oats")
]


def _writer(rng):
    """A writer with the slots that many kinds share."""
    w = Writer(rng)
    w.thing("2", w.pick(SMALL)), w.food("", w.pick(SNACKS)), w.food("2", w.pick(SNACKS))
    place = w.pick([p for p in W.PLACES if p[0] != "bank"])
    w.slots.update(
        place2=place[0],
        b1=w.pick(place[2].split("; ")),
        job=w.pick(W.JOBS)[0],
        beasts=w.pick(W.ANIMALS)[1],
        date=w.num(1, 28),
        age=w.num(8, 17),
    )
    w.slots.update(
        month2=w.pick(W.MONTHS),
        town2=w.pick([t for t in W.TOWNS if t != w.slots["town"]]),
        age2=w.num(20, 80),
        rate2=w.num(9, 70),
    )
    w.slots.update(
        colour2=w.pick(W.COLOURS),
        hour2=W.NUMBERS[w.num(1, 12)],
        surname2=w.pick(W.SURNAMES),
        n3=w.pick(W.GIRLS),
        open=below(w.num(7, 10)),
    )
    return w


def labelled(seed, megabytes):
    """Pairs of kind and text; the whole of them has about the asked size."""
    rng, seen, out, size = random.Random(seed), set(), [], 0
    names, weights = list(KINDS), [OFTEN.get(name, 1) for name in KINDS]
    while size < megabytes * 1e6:
        if rng.random() < QUESTION_SHARE:
            kind, text, shortest = "question", question(rng), SHORTEST_QUESTION
        else:
            kind, shortest = rng.choices(names, weights)[0], SHORTEST
            text = KINDS[kind](_writer(rng))
        if text not in seen and shortest <= len(text) <= LONGEST:
            seen.add(text)
            out.append((kind, text))
            size += len(text) + 1
    return out


def documents(seed: int, megabytes: float) -> list[str]:
    """Unique ASCII documents of about so many megabytes; the same for the same arguments."""
    return [text for _, text in labelled(seed, megabytes)]


def words(text):
    return re.findall(r"[a-z0-9']+", text.lower())


def distinct_share(texts, n=8):
    """Distinct n-grams of words over all of them: 1 is no repetition at all."""
    grams = [tuple(ws[i : i + n]) for ws in map(words, texts) for i in range(len(ws) - n + 1)]
    return len(set(grams)) / len(grams)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=5)
    parser.add_argument("--megabytes", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    pairs = labelled(given.seed, given.megabytes)
    for kind, text in random.Random(given.seed).sample(pairs, min(given.samples, len(pairs))):
        print(f"--- {kind}\n{text}\n")
    texts = [text for _, text in pairs]
    first, size = [], 0
    for text in texts:
        size += len(text)
        if size > 1e6:
            break
        first.append(text)
    asked = sum(kind == "question" for kind, _ in pairs)
    print(
        f"{len(texts)} documents, {sum(map(len, texts)) / 1e6:.2f} MB, "
        f"mean {sum(map(len, texts)) / len(texts):.0f} characters"
    )
    print(f"{len({kind for kind, _ in pairs})} kinds; question-answer {asked / len(texts):.1%} of documents")
    print(
        f"distinct words {len({x for t in texts for x in words(t)})}; "
        f"distinct 8-grams in the first MB {distinct_share(first):.2f}"
    )


if __name__ == "__main__":
    main()
