"""Generate the text-to-SQL rows of the quickstart: `python tools/make_quickstart_data.py OUTPUT_FOLDER`.

The output is the same each time. Every reference statement is executed. It is used only if its result is not trivial
and if typical wrong statements (`>` for `>=`, a missing WHERE, another column) return other results on the same rows.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

SEED = 20240611
ROWS_PER_DOMAIN = {"train": 32, "held_out": 20}
MAX_ROW_LENGTH = 262  # characters of question, visible schema and answer; such rows have fewer than 110 tokens
ATTEMPTS = 40  # draws of a form before the next form is tried

Value = str | int | None


@dataclass(frozen=True)
class Measure:
    """Integer column with English phrases that compare its values. `{}` is the place of the number or noun."""

    column: str
    over: str
    under: str
    most: str
    least: str
    low: int
    high: int


@dataclass(frozen=True)
class Domain:
    """Table with two measures, and a second table that it refers to. Lists are comma-separated."""

    table: str
    noun: str
    label: str
    labels: str
    group: str
    groups: str
    measures: tuple[Measure, Measure]
    parents: str
    parent: str
    attribute: str
    attributes: str

    @property
    def link(self) -> str:
        """Column that refers to the second table. It is empty in some rows."""
        return f"{self.parent}_id"

    @property
    def columns(self) -> dict[str, str]:
        """Columns of the first table in order, with their types."""
        texts = {self.label: "TEXT", self.group: "TEXT"}
        return texts | {measure.column: "INT" for measure in self.measures} | {self.link: "INT"}


@dataclass(frozen=True)
class Example:
    """Question about the tables in its prompt, its answer, and the SQL that creates and fills the tables."""

    kind: str
    prompt: str
    statement: str
    schema: str

    def as_row(self, name: str) -> dict[str, object]:
        """Return the row for the output file."""
        turns = {"user": self.prompt, "assistant": self.statement}
        messages = [{"role": role, "content": content} for role, content in turns.items()]
        return {"messages": messages, "schema": self.schema, "id": name}


@dataclass(frozen=True)
class Form:
    """Templates of a statement and its questions. `draw_fields` returns the fields of the templates."""

    statement: str
    wordings: tuple[str, ...]


# fmt: off
TRAIN_DOMAINS = (
    Domain("pets", "pet", "name", "Rex, Bella, Milo, Luna, Max, Coco, Toby, Daisy, Bruno",
           "species", "dog, cat, rabbit",
           (Measure("age", "older than {}", "younger than {}", "oldest {}", "youngest {}", 1, 18),
            Measure("weight", "heavier than {}", "lighter than {}", "heaviest {}", "lightest {}", 2, 40)),
           "owners", "owner", "city", "Oslo, Lima, Cairo"),
    Domain("books", "book", "title", "Dune, Emma, Ulysses, Beloved, Dracula, Ivanhoe, Persuasion, Solaris, Utopia",
           "genre", "drama, horror, satire",
           (Measure("pages", "longer than {} pages", "shorter than {} pages", "longest {}", "shortest {}", 90, 900),
            Measure("price", "costing more than {}",
                    "costing less than {}", "most expensive {}", "cheapest {}", 5, 45)),
           "authors", "author", "country", "Chile, Ghana, India"),
    Domain("players", "player", "name", "Silva, Kane, Modric, Salah, Messi, Kroos, Rice, Saka, Mount",
           "position", "forward, keeper, defender",
           (Measure("goals", "with more than {} goals", "with fewer than {} goals",
                    "{} with the most goals", "{} with the fewest goals", 1, 40),
            Measure("height", "taller than {}", "shorter than {}", "tallest {}", "shortest {}", 165, 203)),
           "clubs", "club", "coach", "Ricci, Novak, Braun"),
    Domain("movies", "movie", "title", "Alien, Heat, Jaws, Memento, Psycho, Rocky, Tron, Vertigo, Amadeus",
           "category", "action, comedy, mystery",
           (Measure("minutes", "longer than {} minutes",
                    "shorter than {} minutes", "longest {}", "shortest {}", 75, 190),
            Measure("votes", "with more than {} votes", "with fewer than {} votes",
                    "{} with the most votes", "{} with the fewest votes", 20, 400)),
           "directors", "director", "nation", "France, Japan, Brazil"),
    Domain("cars", "car", "model", "Astra, Civic, Corsa, Fiesta, Golf, Leaf, Polo, Prius, Tesla",
           "fuel", "petrol, diesel, electric",
           (Measure("speed", "faster than {}", "slower than {}", "fastest {}", "slowest {}", 120, 260),
            Measure("cost", "costing over {}", "costing under {}", "most expensive {}", "cheapest {}", 9, 80)),
           "dealers", "dealer", "town", "Delft, Turin, Leeds"),
    Domain("employees", "employee", "name", "Anna, Boris, Carla, Dmitri, Elena, Farid, Greta, Hassan, Ivana",
           "job", "clerk, engineer, analyst",
           (Measure("salary", "earning more than {}", "earning less than {}", "best paid {}", "worst paid {}", 30, 95),
            Measure("tenure", "employed for over {} years", "employed for under {} years",
                    "longest employed {}", "most recently employed {}", 1, 30)),
           "offices", "office", "street", "Elm, Oak, Main"),
    Domain("cities", "city", "name", "Bergen, Cusco, Dakar, Hanoi, Lagos, Quito, Riga, Tampa, Turku",
           "continent", "Europe, Africa, Asia",
           (Measure("population", "with more than {} people", "with fewer than {} people",
                    "most populous {}", "least populous {}", 50, 900),
            Measure("altitude", "higher than {}", "lower than {}", "highest {}", "lowest {}", 3, 300)),
           "countries", "country", "currency", "euro, peso, yen"),
    Domain("students", "student", "name", "Ada, Ben, Chloe, Dan, Eva, Finn, Gina, Hugo, Iris",
           "major", "physics, history, law",
           (Measure("score", "scoring above {}", "scoring below {}",
                    "{} with the highest score", "{} with the lowest score", 40, 100),
            Measure("absences", "with more than {} absences", "with fewer than {} absences",
                    "most absent {}", "least absent {}", 1, 30)),
           "tutors", "tutor", "campus", "North, East, Central"),
    Domain("flights", "flight", "code", "AB12, CX77, DL40, EK21, FR88, KL35, LH90, QF11, TK64",
           "airline", "Swiss, Delta, Iberia",
           (Measure("duration", "lasting over {} minutes",
                    "lasting under {} minutes", "longest {}", "shortest {}", 45, 700),
            Measure("seats", "with more than {} seats",
                    "with fewer than {} seats", "biggest {}", "smallest {}", 60, 380)),
           "pilots", "pilot", "license", "alpha, delta, gamma"),
    Domain("songs", "song", "title", "Angie, Creep, Hello, Imagine, Lola, Roxanne, Thriller, Toxic, Yesterday",
           "style", "rock, jazz, soul",
           (Measure("seconds", "longer than {} seconds",
                    "shorter than {} seconds", "longest {}", "shortest {}", 120, 480),
            Measure("plays", "played more than {} times", "played fewer than {} times",
                    "most played {}", "least played {}", 10, 990)),
           "bands", "band", "hometown", "Dublin, Austin, Perth"),
    Domain("hotels", "hotel", "name", "Astoria, Bristol, Carlton, Excelsior, Grand, Miramar, Palace, Regent, Savoy",
           "district", "harbor, center, airport",
           (Measure("rooms", "with more than {} rooms",
                    "with fewer than {} rooms", "biggest {}", "smallest {}", 12, 320),
            Measure("rate", "charging more than {}",
                    "charging less than {}", "most expensive {}", "cheapest {}", 40, 290)),
           "chains", "chain", "founder", "Weber, Conti, Lopez"),
    Domain("lakes", "lake", "name", "Como, Erie, Garda, Huron, Inari, Lugano, Onega, Tahoe, Zurich",
           "region", "alpine, arctic, coastal",
           (Measure("depth", "deeper than {}", "shallower than {}", "deepest {}", "shallowest {}", 8, 400),
            Measure("area", "larger than {}", "smaller than {}", "largest {}", "smallest {}", 20, 950)),
           "parks", "park", "ranger", "Stone, Reed, Marsh"),
    Domain("laptops", "laptop", "model", "Aero, Blade, Envy, Gram, Nitro, Spectre, Swift, Vivo, Zen",
           "brand", "Acer, Lenovo, Dell",
           (Measure("memory", "with more than {} GB", "with less than {} GB",
                    "{} with the most memory", "{} with the least memory", 4, 96),
            Measure("battery", "lasting over {} hours", "lasting under {} hours",
                    "longest lasting {}", "shortest lasting {}", 3, 24)),
           "stores", "store", "manager", "Klein, Duarte, Suzuki"),
    Domain("dishes", "dish", "name", "Biryani, Curry, Goulash, Laksa, Paella, Ramen, Risotto, Tagine, Udon",
           "cuisine", "Thai, Greek, Polish",
           (Measure("calories", "with more than {} calories", "with fewer than {} calories",
                    "{} with the most calories", "{} with the fewest calories", 150, 990),
            Measure("spice", "spicier than {}", "milder than {}", "spiciest {}", "mildest {}", 1, 40)),
           "chefs", "chef", "school", "Lyon, Kyoto, Parma"),
    Domain("orders", "order", "code", "A101, B204, C317, D422, E518, F603, G744, H809, K950",
           "status", "open, paid, shipped",
           (Measure("total", "worth more than {}", "worth less than {}",
                    "most valuable {}", "least valuable {}", 15, 600),
            Measure("items", "with more than {} items", "with fewer than {} items",
                    "{} with the most items", "{} with the fewest items", 1, 30)),
           "customers", "customer", "email", "amy@x.org, joe@x.org, lea@x.org"),
    Domain("machines", "machine", "serial", "M17, N23, P38, R41, S56, T62, V75, W80, X94",
           "type", "press, lathe, drill",
           (Measure("hours", "used for over {} hours",
                    "used for under {} hours", "most used {}", "least used {}", 50, 999),
            Measure("power", "stronger than {}", "weaker than {}", "strongest {}", "weakest {}", 2, 75)),
           "workshops", "workshop", "foreman", "Varga, Olsen, Costa"),
    Domain("courses", "course", "title", "Algebra, Botany, Calculus, Drawing, Ethics, Geology, Logic, Optics, Rhetoric",
           "level", "basic, advanced, expert",
           (Measure("credits", "worth over {} credits", "worth under {} credits",
                    "{} with the most credits", "{} with the fewest credits", 1, 24),
            Measure("fee", "costing more than {}",
                    "costing less than {}", "most expensive {}", "cheapest {}", 50, 500)),
           "teachers", "teacher", "phone", "555-01, 555-02, 555-03"),
    Domain("farms", "farm", "name", "Ashby, Birch, Clover, Dale, Elmwood, Foxhill, Glen, Heath, Meadow",
           "crop", "wheat, corn, barley",
           (Measure("acres", "bigger than {} acres", "smaller than {} acres", "biggest {}", "smallest {}", 10, 500),
            Measure("workers", "with more than {} workers", "with fewer than {} workers",
                    "{} with the most workers", "{} with the fewest workers", 1, 60)),
           "villages", "village", "county", "Kent, Devon, Essex"),
)

# Only the columns `name` and `id` also occur in the domains above. A test checks this.
HELD_OUT_DOMAINS = (
    Domain("ships", "ship", "name", "Aurora, Beagle, Endeavour, Fram, Mayflower, Nautilus, Rainbow, Santana, Victory",
           "flag", "Malta, Panama, Norway",
           (Measure("launched", "launched after {}", "launched before {}", "newest {}", "oldest {}", 1950, 2022),
            Measure("crew", "with a crew over {}", "with a crew under {}",
                    "{} with the largest crew", "{} with the smallest crew", 4, 90)),
           "ports", "port", "harbor", "Genoa, Split, Bilbao"),
    Domain("towers", "tower", "building", "Atlas, Babel, Cayan, Eureka, Obelisk, Petronas, Shard, Taipei, Zenith",
           "material", "steel, brick, glass",
           (Measure("meters", "taller than {} meters", "shorter than {} meters", "tallest {}", "shortest {}", 60, 600),
            Measure("floors", "with more than {} floors", "with fewer than {} floors",
                    "{} with the most floors", "{} with the fewest floors", 10, 120)),
           "architects", "architect", "surname", "Foster, Gehry, Piano"),
    Domain("wines", "wine", "bottle", "Arbois, Bandol, Cahors, Gavi, Irancy, Lirac, Rioja, Soave, Tokaj",
           "grape", "Merlot, Syrah, Riesling",
           (Measure("vintage", "made after {}", "made before {}", "newest {}", "oldest {}", 1985, 2023),
            Measure("points", "rated above {}", "rated below {}", "best rated {}", "worst rated {}", 70, 100)),
           "estates", "estate", "valley", "Napa, Douro, Maipo"),
    Domain("patients", "patient", "person", "Abbot, Baker, Cooper, Fisher, Mason, Porter, Sadler, Turner, Weaver",
           "ward", "surgery, cardiac, dental",
           (Measure("pulse", "with a pulse above {}", "with a pulse below {}",
                    "{} with the highest pulse", "{} with the lowest pulse", 48, 140),
            Measure("nights", "staying over {} nights", "staying under {} nights",
                    "longest staying {}", "shortest staying {}", 1, 40)),
           "doctors", "doctor", "shift", "early, late, weekend"),
    Domain("planets", "planet", "name", "Arrakis, Dagobah, Endor, Hoth, Krypton, Naboo, Pandora, Solaria, Vulcan",
           "climate", "desert, frozen, humid",
           (Measure("moons", "with more than {} moons", "with fewer than {} moons",
                    "{} with the most moons", "{} with the fewest moons", 1, 50),
            Measure("radius", "wider than {}", "narrower than {}", "widest {}", "narrowest {}", 20, 700)),
           "suns", "sun", "color", "red, blue, white"),
)

# {m} and {n} are the two measures in random order. {v} < {w} are values of {m}, and {u} is a value of {n}. All three
# occur in the rows, so that `>` and `>=` differ.
KINDS: dict[str, tuple[Form, ...]] = {
    "project": (
        Form("SELECT {label}, {m} FROM {table}",
             ("List the {label} and {m} of every {noun}.", "Show {label} and {m} for all {table}.")),),
    "distinct": (
        Form("SELECT DISTINCT {group} FROM {table}",
             ("List each {group} once.", "What are the distinct values of {group}?")),),
    "lookup": (
        Form("SELECT {m} FROM {table} WHERE {label} = '{name}'",
             ("What is the {m} of {name}?", "Give the {m} of the {noun} {name}.")),
        Form("SELECT {group}, {m} FROM {table} WHERE {label} = '{name}'",
             ("What are the {group} and {m} of {name}?",))),
    "equal": (
        Form("SELECT {label} FROM {table} WHERE {group} = '{g}'",
             ("List the {label} of each {noun} whose {group} is {g}.",
              "Give the {label} of all {table} with {group} {g}.")),
        Form("SELECT {label}, {m} FROM {table} WHERE {group} = '{g}'",
             ("Show {label} and {m} of {table} with {group} {g}.",))),
    "compare": (
        Form("SELECT {label} FROM {table} WHERE {m} > {v}",
             ("List the {label} of all {table} {over}.", "Give the {label} of each {noun} {over}.")),
        Form("SELECT {label} FROM {table} WHERE {m} < {v}",
             ("List the {label} of all {table} {under}.", "Give the {label} of each {noun} {under}."))),
    "at_least": (
        Form("SELECT {label} FROM {table} WHERE {m} >= {v}",
             ("Give the {label} of all {table} with {m} of at least {v}.", "{label} of {table} with {m} {v} or more?")),
        Form("SELECT {label} FROM {table} WHERE {m} <= {v}",
             ("Give the {label} of all {table} with {m} of at most {v}.", "{label} of {table} with {m} {v} or less?"))),
    "between": (
        Form("SELECT {label} FROM {table} WHERE {m} BETWEEN {v} AND {w}",
             ("List the {label} of {table} with {m} from {v} to {w}.",
              "Give the {label} of each {noun} whose {m} is between {v} and {w}, inclusive.")),),
    "like": (
        Form("SELECT {label} FROM {table} WHERE {label} LIKE '{first}%'",
             ("List each {label} that starts with {first}.",)),
        Form("SELECT {label} FROM {table} WHERE {label} LIKE '%{last}'",
             ("List each {label} that ends with {last}.",)),
        Form("SELECT {label} FROM {table} WHERE {label} LIKE '%{last}%'",
             ("List each {label} that contains {last}.",))),
    "count": (
        Form("SELECT COUNT(*) FROM {table} WHERE {m} > {v}",
             ("How many {table} {over} are there?", "Count the {table} {over}.")),
        Form("SELECT COUNT(*) FROM {table} WHERE {m} < {v}",
             ("How many {table} {under} are there?", "Count the {table} {under}.")),
        Form("SELECT COUNT(*) FROM {table} WHERE {group} = '{g}'",
             ("How many {table} have {group} {g}?", "Count the {table} whose {group} is {g}."))),
    "aggregate": (
        Form("SELECT AVG({m}) FROM {table}", ("What is the average {m} of all {table}?", "Give the mean {m}.")),
        Form("SELECT MAX({m}) FROM {table}", ("What is the highest {m}?", "Give the maximum {m} of all {table}.")),
        Form("SELECT MIN({m}) FROM {table}", ("What is the lowest {m}?", "Give the minimum {m} of all {table}.")),
        Form("SELECT SUM({m}) FROM {table}",
             ("What is the sum of {m} over all {table}?", "Add up the {m} of all {table}."))),
    "aggregate_where": (
        Form("SELECT AVG({m}) FROM {table} WHERE {group} = '{g}'",
             ("What is the average {m} of {table} with {group} {g}?",)),
        Form("SELECT MAX({m}) FROM {table} WHERE {group} = '{g}'", ("What is the highest {m} where {group} is {g}?",)),
        Form("SELECT SUM({m}) FROM {table} WHERE {n} > {u}", ("Add up the {m} of all {table} {n_over}.",))),
    "group_count": (
        Form("SELECT {group}, COUNT(*) FROM {table} GROUP BY {group}",
             ("List each {group} with its number of {table}.", "Per {group}, show it and how many {table} it has.")),),
    "group_aggregate": (
        Form("SELECT {group}, AVG({m}) FROM {table} GROUP BY {group}", ("List each {group} with its average {m}.",)),
        Form("SELECT {group}, MAX({m}) FROM {table} GROUP BY {group}", ("List each {group} with its highest {m}.",)),
        Form("SELECT {group}, SUM({m}) FROM {table} GROUP BY {group}",
             ("List each {group} with the sum of its {m}.",))),
    "having": (
        Form("SELECT {group} FROM {table} GROUP BY {group} HAVING COUNT(*) > {few}",
             ("Which {group} has more than {few} {table}? List each once.",)),
        Form("SELECT {group} FROM {table} GROUP BY {group} HAVING COUNT(*) >= {few}",
             ("List each {group} that has at least {few} {table}.",))),
    "most_common": (
        Form("SELECT {group} FROM {table} GROUP BY {group} ORDER BY COUNT(*) DESC LIMIT 1",
             ("Which {group} has the most {table}?", "Which {group} is the most common?")),
        Form("SELECT {group} FROM {table} GROUP BY {group} ORDER BY COUNT(*) LIMIT 1",
             ("Which {group} has the fewest {table}?", "Which {group} is the least common?"))),
    "top_one": (
        Form("SELECT {label} FROM {table} ORDER BY {m} DESC LIMIT 1",
             ("What is the {label} of the {most_noun}?", "Give the {label} of the {most_noun}.")),
        Form("SELECT {label} FROM {table} ORDER BY {m} LIMIT 1",
             ("What is the {label} of the {least_noun}?", "Give the {label} of the {least_noun}."))),
    "top_some": (
        Form("SELECT {label} FROM {table} ORDER BY {m} DESC LIMIT {few}",
             ("Give the {label} of the {few} {most}, highest {m} first.", "Top {few} by {m}: which {label}?")),
        Form("SELECT {label} FROM {table} ORDER BY {m} LIMIT {few}",
             ("Give the {label} of the {few} {least}, lowest {m} first.",))),
    "sort": (
        Form("SELECT {label} FROM {table} ORDER BY {m}", ("List every {label} by {m}, lowest first.",)),
        Form("SELECT {label} FROM {table} ORDER BY {m} DESC", ("List every {label} by {m}, highest first.",)),
        Form("SELECT {label} FROM {table} WHERE {group} = '{g}' ORDER BY {m}",
             ("List the {label} of {table} with {group} {g} by {m}, lowest first.",))),
    "null": (
        Form("SELECT {label} FROM {table} WHERE {link} IS NULL",
             ("List the {label} of {table} without {a_parent}.",
              "Give the {label} of each {noun} that has no {parent}.")),
        Form("SELECT {label} FROM {table} WHERE {link} IS NOT NULL",
             ("List the {label} of {table} that have {a_parent}.",)),
        Form("SELECT COUNT(*) FROM {table} WHERE {link} IS NULL", ("How many {table} have no {parent}?",))),
    "not": (
        Form("SELECT {label} FROM {table} WHERE {group} <> '{g}'",
             ("List the {label} of {table} whose {group} is not {g}.", "Give the {label} of all but the {g} {table}.")),
        Form("SELECT {label} FROM {table} WHERE {group} NOT IN ('{g}', '{h}')",
             ("List the {label} of {table} with {group} neither {g} nor {h}.",))),
    "and": (
        Form("SELECT {label} FROM {table} WHERE {group} = '{g}' AND {m} > {v}",
             ("Give the {label} of {table} {over} whose {group} is {g}.",)),
        Form("SELECT {label} FROM {table} WHERE {m} > {v} AND {n} < {u}",
             ("Give the {label} of {table} {over} and {n_under}.",))),
    "or": (
        Form("SELECT {label} FROM {table} WHERE {group} = '{g}' OR {m} < {v}",
             ("Give the {label} of {table} {under} or with {group} {g}.",)),
        Form("SELECT {label} FROM {table} WHERE {group} IN ('{g}', '{h}')",
             ("List the {label} of {table} whose {group} is {g} or {h}.",))),
    "above_average": (
        Form("SELECT {label} FROM {table} WHERE {m} > (SELECT AVG({m}) FROM {table})",
             ("Give the {label} of {table} with above average {m}.", "List each {label} whose {m} is above average.")),
        Form("SELECT {label} FROM {table} WHERE {m} < (SELECT AVG({m}) FROM {table})",
             ("Give the {label} of {table} with below average {m}.",))),
    "join": (
        Form("SELECT {label}, {attribute} FROM {table} JOIN {parents} ON {link} = {parents}.id",
             ("For {table} that have {a_parent}, list {label} and {attribute}.",)),
        Form("SELECT {label} FROM {table} JOIN {parents} ON {link} = {parents}.id WHERE {attribute} = '{a}'",
             ("List the {label} of {table} whose {parent} has {attribute} {a}.",)),
        Form("SELECT {attribute} FROM {table} JOIN {parents} ON {link} = {parents}.id WHERE {label} = '{name}'",
             ("What is the {attribute} of the {parent} of {name}?",))),
    "join_group": (
        Form("SELECT {attribute}, COUNT(*) FROM {table} JOIN {parents} ON {link} = {parents}.id GROUP BY {attribute}",
             ("List each {attribute} with its number of {table}.",)),
        Form("SELECT {attribute}, AVG({m}) FROM {table} JOIN {parents} ON {link} = {parents}.id GROUP BY {attribute}",
             ("List each {attribute} with the average {m} of its {table}.",))),
    "join_and": (
        Form("SELECT {label} FROM {table} JOIN {parents} ON {link} = {parents}.id "
             "WHERE {attribute} = '{a}' AND {m} > {v}",
             ("Give the {label} of {table} {over} whose {parent} has {attribute} {a}.",)),
        Form("SELECT COUNT(*) FROM {table} JOIN {parents} ON {link} = {parents}.id WHERE {attribute} = '{a}'",
             ("How many {table} have {a_parent} with {attribute} {a}?",))),
    "group_top": (
        Form("SELECT {group} FROM {table} GROUP BY {group} ORDER BY AVG({m}) DESC LIMIT 1",
             ("Which {group} has the highest average {m}?",)),
        Form("SELECT {group} FROM {table} GROUP BY {group} ORDER BY SUM({m}) LIMIT 1",
             ("Which {group} has the lowest sum of {m}?",))),
    "top_where": (
        Form("SELECT {label} FROM {table} WHERE {group} = '{g}' ORDER BY {m} DESC LIMIT 1",
             ("Of the {table} with {group} {g}, give the {label} of the {most_noun}.",)),
        Form("SELECT {label}, {n} FROM {table} WHERE {n} < {u} ORDER BY {m} LIMIT 1",
             ("Of the {table} {n_under}, show {label} and {n} of the {least_noun}.",))),
    "spread": (
        Form("SELECT MAX({m}) - MIN({m}) FROM {table}", ("By how much do the highest and the lowest {m} differ?",)),
        Form("SELECT {group}, MAX({m}) - MIN({m}) FROM {table} GROUP BY {group}",
             ("Per {group}, show it and the gap between its highest and lowest {m}.",))),
    "more_than_named": (
        Form("SELECT {label} FROM {table} WHERE {m} > (SELECT {m} FROM {table} WHERE {label} = '{name}')",
             ("Give the {label} of {table} whose {m} is above that of {name}.",)),),
}

# Typical mistakes: a pattern in the reference, and its wrong replacement. Each must change the result of the statement.
# All versions of SQLite return the same results for them, so the rows do not depend on the version.
MISTAKES = (
    (r" > (?!\(SELECT AVG)", " >= "), (r" < (?!\(SELECT AVG)", " <= "),
    (r" >= ", " > "), (r" <= ", " < "), (r" > ", " < "), (r" < ", " > "),
    (r"(\w+) BETWEEN (\d+) AND (\d+)", r"\1 > \2 AND \1 <= \3"),
    (r"(\w+) BETWEEN (\d+) AND (\d+)", r"\1 >= \2 AND \1 < \3"),
    (r" AND ", " OR "), (r" OR ", " AND "), (r" WHERE .*?(?= GROUP| ORDER|$)", ""), (r" DESC", ""),
    (r"(ORDER BY \S+)(?= LIMIT|$)", r"\1 DESC"), (r" LIMIT \d", ""), (r" ORDER BY \S+( DESC)?", ""), (r"DISTINCT ", ""),
    (r"AVG|MIN|SUM", "MAX"), (r"AVG|MAX|SUM", "MIN"), (r"COUNT\(\*\)", "1"), (r" HAVING .*", ""),
    (r"NOT ", ""), (r" <> ", " = "), (r"LIKE '%?", "LIKE '"), (r"%?'$", "'"), (r"LIKE '%?", "LIKE '%"), (r"%?'$", "%'"),
    (r"\bIS NULL", "IS NOT NULL"), (r"('\w+'), '\w+'", r"\1"), (r"'\w+', ('\w+')", r"\1"),
)
# fmt: on


def split_list(text: str) -> list[str]:
    """Return the entries of a comma-separated list."""
    return text.split(", ")


def make_table(domain: Domain, rng: random.Random) -> list[dict[str, Value]]:
    """Return the nine rows of a domain: groups of 4, 3 and 2 rows, distinct values of measures, some empty links."""
    first, second, third = split_list(domain.groups)
    columns: dict[str, list[Value]] = {
        domain.label: [*split_list(domain.labels)],
        domain.group: [*[first] * 4, *[second] * 3, *[third] * 2],
        domain.link: [1, 1, 1, 1, 2, 2, 3, None, None],
    }
    for values in columns.values():
        rng.shuffle(values)
    for measure in domain.measures:
        columns[measure.column] = [*rng.sample(range(measure.low, measure.high), 9)]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def draw_fields(domain: Domain, table: list[dict[str, Value]], rng: random.Random) -> dict[str, str]:
    """Return random values for all fields of the templates in `KINDS`."""
    m, n = rng.sample(domain.measures, 2)
    v, w = sorted(rng.sample([int(row[m.column] or 0) for row in table], 2))
    u = rng.choice(table)[n.column]
    g, h = rng.sample(split_list(domain.groups), 2)
    name = rng.choice(split_list(domain.labels))
    fields = {"table": domain.table, "noun": domain.noun, "label": domain.label, "group": domain.group}
    fields |= {"link": domain.link, "parents": domain.parents, "parent": domain.parent, "attribute": domain.attribute}
    fields |= {"a_parent": f"{'an' if domain.parent[0] in 'aeiou' else 'a'} {domain.parent}"}
    fields |= {"g": g, "h": h, "a": rng.choice(split_list(domain.attributes)), "few": str(rng.choice((2, 3)))}
    fields |= {"name": name, "first": name[0], "last": name[-1], "m": m.column, "n": n.column, "v": str(v)}
    fields |= {"over": m.over.format(v), "under": m.under.format(v), "n_over": n.over.format(u)}
    fields |= {"n_under": n.under.format(u), "most": m.most.format(domain.table)}
    fields |= {"most_noun": m.most.format(domain.noun), "least": m.least.format(domain.table)}
    return fields | {"least_noun": m.least.format(domain.noun), "w": str(w), "u": str(u)}


def create_statements(domain: Domain, statement: str, rng: random.Random) -> list[str]:
    """Return the CREATE statements for the prompt, with the needed columns and some random other columns."""
    joined = domain.parents in statement
    needed = [column for column in domain.columns if re.search(rf"\b{column}\b", statement)]
    others = [column for column in domain.columns if column not in needed]
    width = 3 if joined else rng.choice((3, 4))
    extra = rng.sample(others, max(0, width - len(needed)))
    visible = ", ".join(f"{column} {kind}" for column, kind in domain.columns.items() if column in (*needed, *extra))
    tables = [f"CREATE TABLE {domain.table} ({visible})"]
    return [*tables, f"CREATE TABLE {domain.parents} (id INT, {domain.attribute} TEXT)"] if joined else tables


def insert_statement(create: str, rows: list[dict[str, Value]]) -> str:
    """Return the INSERT statement for the rows, with only the columns of the CREATE statement."""
    table, columns = re.findall(r"(\w+) \(", create)[0], re.findall(r"(\w+) (?:INT|TEXT)", create)
    tuples = (",".join(quote(row[column]) for column in columns) for row in rows)
    return f"INSERT INTO {table} VALUES " + ",".join(f"({values})" for values in tuples)  # noqa: S608  (the values are constants)


def quote(value: Value) -> str:
    """Return a value as an SQL literal."""
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


def execute(connection: sqlite3.Connection, statement: str) -> list[tuple[Value, ...]]:
    """Return the rows of a statement. They are sorted if the statement has no ORDER BY."""
    rows = connection.execute(statement).fetchall()
    return rows if "ORDER BY" in statement else sorted(rows, key=repr)


def make_mistakes(domain: Domain, statement: str) -> Iterator[str]:
    """Yield wrong statements that a model could write instead of this statement."""
    first, second = (measure.column for measure in domain.measures)
    swap = {first: second, second: first}
    yield re.sub(rf"\b({first}|{second})\b", lambda match: swap[match[0]], statement)
    for pattern, replacement in MISTAKES:
        yield re.sub(pattern, replacement, statement)


def differs(connection: sqlite3.Connection, mistake: str, expected: list[tuple[Value, ...]]) -> bool:
    """Return whether a wrong statement has another result or fails. Some are invalid SQL or use unknown columns."""
    try:
        return execute(connection, mistake) != expected
    except sqlite3.OperationalError:
        return True


def is_useful(domain: Domain, schema: str, statement: str) -> bool:
    """Return whether the result of a statement is not trivial and differs from the results of all mistakes."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema)
        expected = execute(connection, statement)
        trivial = not expected or expected in ([(0,)], [(1,)], [(None,)])
        wrong = (mistake for mistake in make_mistakes(domain, statement) if mistake != statement)
        return not trivial and all(differs(connection, mistake, expected) for mistake in wrong)


def draw_example(
    domain: Domain, table: list[dict[str, Value]], kind: str, form: Form, rng: random.Random
) -> Example | None:
    """Return a random example of a form, or None if it is too long or its statement is not useful."""
    fields = draw_fields(domain, table, rng)
    statement, question = form.statement.format(**fields), rng.choice(form.wordings).format(**fields)
    creates = create_statements(domain, statement, rng)
    parents: list[dict[str, Value]] = [
        {"id": number, domain.attribute: value} for number, value in enumerate(split_list(domain.attributes), 1)
    ]
    inserts = [insert_statement(create, rows) for create, rows in zip(creates, (table, parents), strict=False)]
    example = Example(kind, "\n".join([*creates, question]), statement, "; ".join([*creates, *inserts]))
    too_long = len(example.prompt) + len(statement) > MAX_ROW_LENGTH
    return None if too_long or not is_useful(domain, example.schema, statement) else example


def make_domain(domain: Domain, count: int, kinds: Iterator[str], rng: random.Random) -> Iterator[dict[str, object]]:
    """Yield `count` rows of one domain. Kinds of questions take turns, and all statements are different."""
    table = make_table(domain, rng)
    examples: dict[str, Example] = {}
    while len(examples) < count:
        kind = next(kinds)
        forms = rng.sample(KINDS[kind], len(KINDS[kind]))
        draws = (draw_example(domain, table, kind, form, rng) for form in forms for _ in range(ATTEMPTS))
        example = next((example for example in draws if example and example.statement not in examples), None)
        if example:  # some kinds have only one statement in a domain
            examples[example.statement] = example
            yield example.as_row(f"{domain.table}-{len(examples):02}-{kind}")


def make_split(domains: tuple[Domain, ...], count: int, rng: random.Random) -> list[dict[str, object]]:
    """Return `count` rows of each domain, shuffled."""
    kinds = itertools.cycle(rng.sample(sorted(KINDS), len(KINDS)))  # continued by each next domain
    rows = [row for domain in domains for row in make_domain(domain, count, kinds, rng)]
    rng.shuffle(rows)
    return rows


def write_files(folder: Path) -> None:
    """Write `train.jsonl` and `held_out.jsonl`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, domains in {"train": TRAIN_DOMAINS, "held_out": HELD_OUT_DOMAINS}.items():
        rng = random.Random(f"{SEED} {name}")  # noqa: S311  (the output must be reproducible)
        rows = make_split(domains, ROWS_PER_DOMAIN[name], rng)
        lines = [json.dumps(row, separators=(",", ":")) + "\n" for row in rows]
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8", newline="\n")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Generate the text-to-SQL rows of the quickstart.")
    parser.add_argument("folder", type=Path, help="Output folder of train.jsonl and held_out.jsonl.")
    write_files(parser.parse_args().folder)


if __name__ == "__main__":
    main()
