"""The figures of `dogmood.lab.explain.proof` as tables, in Markdown and for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dogmood.lab.explain.attention import EVERY
from dogmood.lab.explain.figures import BETTER, written
from dogmood.lab.explain.measures import BASELINES, HIDDEN, MAPS
from dogmood.regions import REGIONS

AIMS = {
    "energy on the dog": "at least 0.85",
    "energy on the dog, mean over breeds": "at least 0.85",
    "strongest in the head box": "at least 0.90",
    "deletion": "lower than the others, intervals apart",
    "insertion": "higher than the others, intervals apart",
    "occlusion": "higher than the others",
    "RISE": "higher than the others",
    "randomised": "at most 0.2",
}


@dataclass(frozen=True)
class Table:
    """A table; the first column names the rows."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def to_markdown(self) -> str:
        """Return the table as Markdown, its title in bold above it."""
        lines = [f"**{self.title}**", "", _line(self.columns), "|" + "---|" * len(self.columns)]
        return "\n".join([*lines, *map(_line, self.rows)]) + "\n"


def tables(figures: Mapping[str, Any]) -> list[Table]:
    """Return what `explain_test` found, as four tables."""
    attention = figures["attention"]
    return [
        _proof(figures),
        Table(
            "Share of an emotion's map on each part, photos with that label",
            ("label", "n", *map(_plain, REGIONS)),
            [_shares(label, of["shares"]) for label, of in attention.items() if label != EVERY]
            + [_shares("if every cell spoke evenly", attention[EVERY]["even"])],
        ),
        Table(
            "By how much the probability of the emotion read falls when a part is hidden",
            ("label", "n", *map(_plain, HIDDEN)),
            [(label, str(of["n"]), *(written(of["falls"][r]) for r in HIDDEN)) for label, of in attention.items()],
        ),
        Table(
            "Accuracy when a part is hidden",
            ("label", "nothing hidden", *map(_plain, HIDDEN)),
            [
                (label, written(of["accuracy"]), *(written(of["accuracy without"][r]) for r in HIDDEN))
                for label, of in attention.items()
            ],
        ),
    ]


def answers(figures: Mapping[str, Any]) -> list[str]:
    """Return what the figures say about two claims of the original experiment, in a sentence each."""
    everyone = figures["attention"][EVERY]
    said = []
    if "happiness" in figures["attention"]:
        happy = figures["attention"]["happiness"]
        shares, even = happy["shares"]["muzzle"], happy["even"]["muzzle"]
        said.append(
            f"The original's claim \"the mouth for happy\": the muzzle holds {written(shares)} of happiness's map, "
            f"where it would hold {written(even)} if every cell spoke evenly; "
            f"{written(happy['accuracy'])} of the photos so labelled are read as happiness, and "
            f"{written(happy['accuracy without']['muzzle'])} with the muzzle blurred."
        )
    shares, even, without = everyone["shares"]["backdrop"], everyone["even"]["backdrop"], everyone["accuracy without"]
    said.append(
        f'The original\'s claim "the backdrop does not matter": it holds {written(shares)} of the maps '
        f"({written(even)} if every cell spoke evenly); accuracy is {written(everyone['accuracy'])} as photos are, "
        f"{written(without['backdrop'])} with the backdrop blurred, "
        f"{written(without['backdrop, filled'])} with it filled with one colour, and "
        f"{written(without['whole dog'])} with the dog blurred instead."
    )
    return said


def to_markdown(figures: Mapping[str, Any]) -> str:
    """Return all tables and answers, with a line that says what they are of."""
    model, data = figures["model"], figures["data"]
    about = (
        f"Model `{model['name']}` {model['version']}, SHA-256 `{model['sha256']}`. Data, by SHA-256: "
        f"`emotions/manifest.csv` `{data['emotions/manifest.csv']}`, `finder/index.csv` `{data['finder/index.csv']}`; "
        f"split `{data['split']}`, {data['photos changed']} photos changed (seed {data['seed']}).\n"
    )
    listed = "".join(f"- {answer}\n" for answer in answers(figures))
    return "\n".join([about, *(table.to_markdown() for table in tables(figures)), listed])


def _proof(figures: Mapping[str, Any]) -> Table:
    rows: list[tuple[str, ...]] = []
    for name, of in {**figures["where"], **figures["faith"]}.items():
        if name == "area of the dog":
            rows.append((name, str(of["n"]), written(of), "", "", "", "", ""))
        elif name == "randomised":
            for how, one in of.items():
                title = f"rank correlation with the map of a network whose weights are mixed up, {how}"
                rows.append((title, str(one["n"]), written(one), "", "", "", "", AIMS[name]))
        else:
            cells = (written(of[one]) for one in MAPS)
            rows.append((_TITLES.get(name, name), str(of["map"]["n"]), *cells, AIMS[name]))
            if BETTER in of[BASELINES[0]]:
                gains = (written(of[one][BETTER]) if one in BASELINES else "" for one in MAPS)
                rows.append(("by how much the map does better, photo by photo", str(of["map"]["n"]), *gains, "above 0"))
    return Table("Do the maps tell the truth?", ("", "n", *MAPS, "aim"), rows)


_TITLES = {
    "deletion": "area under the deletion curve",
    "insertion": "area under the insertion curve",
    "occlusion": "rank correlation with occlusion",
    "RISE": "rank correlation with RISE",
}


def _shares(label: str, of: Mapping[str, Any]) -> tuple[str, ...]:
    return (label, str(of[REGIONS[0]]["n"]), *(written(of[region]) for region in REGIONS))


def _plain(region: str) -> str:
    return region.replace("_", " ")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
