"""How fast the theory's model is: one agency, and many settings at once against one after the other.

    python benchmarks/theory.py [--years 40] [--repeat 9]

The baseline of the sweep is the same function called once for each setting, in the same run.
Prints a table; the last line is JSON with `ms_40_years` (median for one agency) and `sweep_ratio` (1,000 settings:
median time of the loop / median time of the sweep).
"""

import argparse
import json
import statistics
import time

import numpy as np

from mystique.theory import Agency, equilibria, look_ahead, sweep


def seconds(work, repeat: int) -> float:
    """The median of several runs, after one that is not counted."""
    work()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--years", type=int, default=40)
    parser.add_argument("--repeat", type=int, default=9)
    asked = parser.parse_args()

    def both(count: int) -> tuple[float, float]:
        values = {"control": np.linspace(0, 1, count), "motivated_share": np.linspace(1, 0, count)}

        def one_by_one():
            for control, share in zip(*values.values()):
                look_ahead(Agency(control=control, motivated_share=share), asked.years)

        return seconds(one_by_one, 3 if count >= 100 else asked.repeat), seconds(lambda: sweep(Agency(), asked.years, **values), asked.repeat)

    one = seconds(lambda: look_ahead(Agency(), asked.years), 20 * asked.repeat)
    print("%d years of one agency: %.2f ms" % (asked.years, 1000 * one))
    print("its equilibria and tipping point: %.0f ms" % (1000 * seconds(lambda: equilibria(Agency()), 3)))
    print("%10s %14s %12s %8s" % ("settings", "one by one ms", "sweep ms", "ratio"))
    for count in (1, 10, 100, 1000):
        loop, at_once = both(count)
        print("%10d %14.1f %12.1f %8.1f" % (count, 1000 * loop, 1000 * at_once, loop / at_once))
    print(json.dumps({"benchmark": "theory", "years": asked.years, "ms_40_years": round(1000 * one, 2), "settings": count, "sweep_ratio": round(loop / at_once, 1)}))


if __name__ == "__main__":
    main()
