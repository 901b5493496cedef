"""Two directives about data: the box that says they are synthetic, and the codebook made from their data package.

    ```{synthetic} county
    ```
    ```{codebook} county
    ```
"""

from __future__ import annotations

import json
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

SYNTHETIC = """\
:::{{admonition}} Synthetic data
:class: synthetic warning

Everything shown from the data set *{name}* is **synthetic**: made for teaching, from a model whose truth is known.
No real person, agency or county is in it. {{ref}}`What each column means, and how it was made <codebook-{name}>`.
:::
"""


def setup(app) -> None:
    app.add_directive("synthetic", Synthetic)
    app.add_directive("codebook", Codebook)


class DataDirective(SphinxDirective):
    """A directive whose one argument names a data set in `datasets/`."""

    required_arguments = 1

    def package(self) -> dict:
        file = Path(self.env.srcdir) / "datasets" / self.arguments[0] / "datapackage.json"
        if not file.is_file():
            raise self.error(f"there is no data set '{self.arguments[0]}': {file.relative_to(self.env.srcdir)} is missing.")
        self.env.note_dependency(str(file))
        return json.loads(file.read_text(encoding="utf-8"))

    def parsed(self, text: str) -> list[nodes.Node]:
        return self.parse_text_to_nodes(text, allow_section_headings=True)


class Synthetic(DataDirective):
    """The visible box that every page with our data carries."""

    def run(self) -> list[nodes.Node]:
        return self.parsed(SYNTHETIC.format(name=self.package()["name"]))


class Codebook(DataDirective):
    """Every table of a data set: what a row is, and each column with its meaning, values and making."""

    def run(self) -> list[nodes.Node]:
        return self.parsed(codebook(self.package()))


def codebook(package: dict) -> str:
    """A data package as Markdown: a section a table, a row a column."""
    return "\n\n".join([package["description"], *(_table(package["name"], one) for one in package["resources"])])


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


def _values(field: dict) -> str:
    """Type, unit and allowed values in words."""
    limits = field.get("constraints", {})
    unit = field.get("unit", "") if field["type"] in ("integer", "number") else ""
    if "enum" in limits:
        return "One of: " + ", ".join(f"`{value}`" for value in limits["enum"]) + "."
    if "minimum" in limits and "maximum" in limits:
        return f"From {limits['minimum']} to {limits['maximum']}{' ' + unit if unit else ''}."
    return f"In {unit}." if unit else f"A {field['type']}."


def _missing(field: dict) -> str:
    return field.get("missing", "") if not field.get("constraints", {}).get("required") else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
