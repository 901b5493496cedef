"""Two directives about data: the box that says they are synthetic, and the codebook made from their data package.

    ```{synthetic} county
    ```
    ```{codebook} county
    ```
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from . import diagrams

SYNTHETIC = """\
:::{{admonition}} Synthetic data
:class: synthetic warning

Everything shown from the data set *{name}* is **synthetic**: made for teaching, from a model whose truth is known.
No real person, agency or county is in it. {{ref}}`What each column means, and how it was made <codebook-{name}>`.
:::
"""


def setup(app) -> None:
    app.add_directive("synthetic", Synthetic)
    app.connect("source-read", insert_codebooks)


def read_package(env, docname: str, name: str) -> dict:
    """A data set's package; the page is made anew when it changes."""
    file = Path(env.srcdir) / "datasets" / name / "datapackage.json"
    if not file.is_file():
        raise ExtensionError(f"{docname}: there is no data set '{name}': {file.relative_to(env.srcdir)} is missing.")
    env.dependencies[docname].add(str(file))
    return json.loads(file.read_text(encoding="utf-8"))


class Synthetic(SphinxDirective):
    """The visible box that every page with our data carries."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        package = read_package(self.env, self.env.docname, self.arguments[0])
        return self.parse_text_to_nodes(SYNTHETIC.format(name=package["name"]))


def insert_codebooks(app, docname: str, source: list[str]) -> None:
    """Write the codebook into the page's text before it is parsed: a directive could not hold its sections."""
    source[0] = re.sub(
        r"^```\{codebook\} (\S+)\n```$",
        lambda found: codebook(read_package(app.env, docname, found[1])),
        source[0],
        flags=re.MULTILINE,
    )


def codebook(package: dict) -> str:
    """A data package as Markdown: how the data were made, then a section a table, a row a column."""
    return "\n\n".join([package["description"], _made(package), *(_table(package["name"], one) for one in package["resources"])])


def _made(package: dict) -> str:
    """The making in sentences and as a causal diagram; empty for a package that tells neither."""
    if "how_made" not in package:
        return ""
    drawn = diagrams.html(package["causal_diagram"])
    return (
        f"(codebook-{package['name']}-made)=\n## How these data were made\n\n" + "\n".join(package["how_made"])
        + f"\n\n```{{raw}} html\n{drawn}\n```"
    )


def _table(name: str, resource: dict) -> str:
    label = f"codebook-{name}-{resource['name']}"
    rows = "\n".join(_row(field) for field in resource["schema"]["fields"])
    return (
        f"({label})=\n## {resource.get('title', resource['name'])}\n\n{resource.get('description', '')}\n\n"
        f"{{download}}`{resource['path']} </datasets/{name}/{resource['path']}>`\n\n"
        f"| Column | What it says | How it was made |\n|---|---|---|\n{rows}"
    )


def _row(field: dict) -> str:
    says = " ".join(part for part in (field["description"], _values(field), _missing(field)) if part)
    return f"| `{field['name']}` | {_cell(says)} | {_cell(field['construction'])} |"


KINDS = {"string": "Text.", "integer": "A whole number.", "number": "A number.", "date": "A date."}


def _values(field: dict) -> str:
    """Type, unit and allowed values in words."""
    limits = field.get("constraints", {})
    unit = field.get("unit", "") if field["type"] in ("integer", "number") else ""
    if "enum" in limits:
        return "One of: " + ", ".join(str(value) for value in limits["enum"]) + "."
    if "minimum" in limits and "maximum" in limits:
        return f"From {limits['minimum']} to {limits['maximum']}{f' ({unit})' if unit else ''}."
    return f"In {unit}." if unit else KINDS[field["type"]]


def _missing(field: dict) -> str:
    return field.get("missing", "") if not field.get("constraints", {}).get("required") else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
