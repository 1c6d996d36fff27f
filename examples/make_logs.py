#!/usr/bin/env python3
"""Writes logs.csv beside this file: made-up answers of three made-up LLMs to 600 made-up requests.

usage: examples/make_logs.py

The table has the form that gen-custom reads. Who is good at what depends on the kind of request and on how hard it is, so that there is
something to route by; all else is chance, and the same on every run.
"""

import csv
import random
from pathlib import Path

N_ROWS = 600
PLACES = ["Lisbon", "Oslo", "Nairobi", "Kyoto", "Quito", "Perth", "Dakar", "Vilnius", "Halifax", "Hanoi"]
THINGS = ["invoice", "parcel", "password", "subscription", "refund", "calendar", "backup", "printer", "contract", "ticket"]
TOPICS = ["tides", "vaccines", "inflation", "glaciers", "sourdough", "black holes", "beehives", "suspension bridges", "opera", "compilers"]
NOUNS = ["list of orders", "log of requests", "tree of folders", "queue of jobs", "table of prices", "matrix of distances"]
VERBS = ["sorts", "filters", "merges", "deduplicates", "reverses", "validates"]
LANGUAGES = ["Python", "Rust", "SQL", "TypeScript"]
TONGUES = ["French", "German", "Portuguese", "Japanese"]


def support(r, hard):
    thing, place = r.choice(THINGS), r.choice(PLACES)
    more = f" It worked until I moved to {place}, and support there says that nothing is wrong." if hard else ""
    return f"A customer writes: my {thing} does not arrive. Answer in two friendly sentences.{more}"


def code(r, hard):
    more = " It must run in constant memory, and fail with a message that names the row." if hard else ""
    return f"Write a {r.choice(LANGUAGES)} function that {r.choice(VERBS)} a {r.choice(NOUNS)}.{more}"


def sums(r, hard):
    a, b, c = r.randint(12, 99), r.randint(3, 19), r.randint(100, 999)
    thing = r.choice(THINGS)
    if hard:
        return f"A {thing} costs {c} dollars; {a}% is taken off, then {b}% tax is added, and {r.randint(2, 9)} are bought. What is paid? Show each step."
    return f"What is {a} times {b}, plus {c}?"


def translate(r, hard):
    more = ", in the tone of a lawyer, keeping every idiom" if hard else ""
    return f"Translate into {r.choice(TONGUES)}{more}: the {r.choice(THINGS)} is in {r.choice(PLACES)} until Friday."


def explain(r, hard):
    more = " Compare two rival theories and say what would decide between them." if hard else ""
    return f"Explain {r.choice(TOPICS)} to a child of ten.{more}"


# Kind of request: how to make one; then, for each LLM, the chance of a good answer to an easy one and to a hard one.
KINDS = {
    "support": (support, {"finch-mini": (0.95, 0.85), "heron-code": (0.70, 0.45), "condor-max": (0.96, 0.93)}),
    "code": (code, {"finch-mini": (0.60, 0.15), "heron-code": (0.96, 0.90), "condor-max": (0.92, 0.72)}),
    "sums": (sums, {"finch-mini": (0.90, 0.20), "heron-code": (0.85, 0.45), "condor-max": (0.97, 0.92)}),
    "translate": (translate, {"finch-mini": (0.93, 0.55), "heron-code": (0.60, 0.20), "condor-max": (0.96, 0.90)}),
    "explain": (explain, {"finch-mini": (0.88, 0.40), "heron-code": (0.65, 0.30), "condor-max": (0.95, 0.92)}),
}
# Mean length of an answer to an easy and to a hard request, in tokens.
LENGTHS = {"finch-mini": (120, 260), "heron-code": (180, 420), "condor-max": (200, 520)}


def main():
    r = random.Random(2502)
    columns = ["id", "task", "prompt"] + [f"{llm}/{field}" for llm in LENGTHS for field in ("score", "input_tokens", "output_tokens")]
    rows, seen = [], set()
    while len(rows) < N_ROWS:
        task = r.choice(list(KINDS))
        make, chances = KINDS[task]
        hard = r.random() < 0.4
        prompt = make(r, hard)
        if prompt in seen:
            continue
        seen.add(prompt)
        row = [f"request-{len(rows) + 1:03}", task, prompt]
        # About four characters a token, and a system prompt of forty.
        n_input = 40 + len(prompt) // 4
        for llm, lengths in LENGTHS.items():
            row += [int(r.random() < chances[llm][hard]), n_input, round(lengths[hard] * r.uniform(0.7, 1.3))]
        rows.append(row)
    with open(Path(__file__).with_name("logs.csv"), "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


main()
