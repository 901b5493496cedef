"""How fast an explorer of the built book answers, and what a page weighs.

    python benchmarks/explorers.py [--site DIR] [--moves 200]

Builds the book (or takes a built one), opens every chapter in a headless browser, and moves each explorer's controls.
A move's time runs from the input event to the resolved view (`runAsync`): look-up or twin, sentence, table, picture.
The baseline, in the same run, is Vega alone: the same rows put into the same view, and `runAsync`.
Prints a table; the last line is JSON with `p95_ms` (of all moves), `ratio` (median move / median baseline) and sizes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]

MOVES = """
async ([name, moves]) => {
  const explorer = mystique.explorers[name];
  const form = document.getElementById("explorer-" + name).querySelector("form");
  const controls = explorer.packed.controls;
  const ours = [], vega = [];
  await explorer.draw();
  let seed = 1;
  const random = (n) => ((seed = (seed * 48271) % 2147483647), seed % n);  // the same moves in every run
  for (let i = 0; i < moves; i++) {
    const control = controls[random(controls.length)];
    const at = random(control.values.length);
    const input = control.kind === "buttons" ? form.elements[control.name][at] : form.elements[control.name];
    if (control.kind === "buttons" || control.kind === "checkbox") input.checked = control.kind === "buttons" || Boolean(at);
    else input.value = String(at);
    let start = performance.now();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await explorer.done();
    ours.push(performance.now() - start);
    start = performance.now();
    await explorer.again();
    vega.push(performance.now() - start);
    await new Promise((next) => setTimeout(next, 0));
  }
  return [ours, vega];
}
"""


def build(out: Path) -> Path:
    """Build the book and return the folder of its pages."""
    subprocess.run(
        [str(Path(sys.executable).with_name("jupyter-book")), "build", str(ROOT), "--path-output", str(out)],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    return out / "_build" / "html"


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def weight(page: Path, html: Path) -> int:
    """Bytes of a page and of the scripts and styles that it names, gzipped."""
    text = page.read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="([^"?#]+\.(?:js|css))[^"]*"', text)
    files = {(page.parent / name).resolve() for name in named}
    return sum(len(gzip.compress(file.read_bytes())) for file in [page, *files] if file.is_file())


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--site", type=Path, help="a built book's folder of pages; built anew if left out")
    words.add_argument("--moves", type=int, default=200, help="moves of each explorer")
    given = words.parse_args()
    browser_path = os.environ.get("MYSTIQUE_BROWSER") or next(filter(None, map(shutil.which, ("chromium", "google-chrome", "msedge"))), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        html = given.site or build(Path(folder))
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        everything, baseline, sizes = [], [], {}
        print(f"{'explorer':<28}{'median ms':>10}{'p95 ms':>9}{'Vega alone':>12}{'ratio':>7}")
        for page_file in sorted((html / "book").glob("*.html")):
            if 'class="explorer-data"' not in page_file.read_text(encoding="utf-8"):
                continue
            sizes[page_file.stem] = round(weight(page_file, html) / 1000)
            page = browser.new_page()
            page.goto(page_file.resolve().as_uri())
            for name in page.evaluate("Object.values(mystique.explorers).filter(e => e.packed.controls.length).map(e => e.packed.name)"):
                ours, vega = page.evaluate(MOVES, [name, given.moves])
                everything += ours
                baseline += vega
                middle, bare = statistics.median(ours), statistics.median(vega)
                print(f"{name:<28}{middle:>10.1f}{percentile(ours, 0.95):>9.1f}{bare:>12.1f}{middle / bare:>7.2f}")
            page.close()
        browser.close()
    print("page weight, gzipped:", ", ".join(f"{name} {size} KB" for name, size in sizes.items()))
    print(json.dumps({
        "p95_ms": round(percentile(everything, 0.95), 2),
        "median_ms": round(statistics.median(everything), 2),
        "ratio": round(statistics.median(everything) / statistics.median(baseline), 2),
        "moves": len(everything),
        "page_kb_gzipped": sizes,
    }))


if __name__ == "__main__":
    main()
