"""Quarterly changes from the levels of us-macro.csv: run beside data/, writes data/us-macro-changes.csv.

Growth rates are 100 times the difference of logarithms between one quarter and the one before, in percent a quarter,
not annualised. gdp_growth is of real GDP; consumption_growth and income_growth are of real consumption and real
disposable income per head (of ``pop``); unemployment_change is in percentage points. gdp_growth_before is of the
quarter before; income_growth_before is the mean of income_growth over the eight quarters before. Quarters without all
of that (the first nine) are left out. Values are rounded to four decimals.
"""

import csv
import math
from itertools import pairwise
from pathlib import Path

DATA = Path(__file__).resolve().parent / "data"
PAST = 8  # quarters that count as the past


def growth(levels: list[float]) -> list[float]:
    """100 Δ log, one entry shorter than the levels."""
    return [100 * math.log(after / before) for before, after in pairwise(levels)]


def main() -> None:
    with (DATA / "us-macro.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    column = {name: [float(row[name]) for row in rows] for name in ("realgdp", "realcons", "realdpi", "pop", "unemp")}
    heads = column["pop"]
    gdp = growth(column["realgdp"])
    consumption = growth([c / n for c, n in zip(column["realcons"], heads, strict=True)])
    income = growth([y / n for y, n in zip(column["realdpi"], heads, strict=True)])
    unemployment = [after - before for before, after in pairwise(column["unemp"])]
    with (DATA / "us-macro-changes.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        names = "gdp_growth gdp_growth_before unemployment_change income_growth income_growth_before consumption_growth"
        writer.writerow(["year", "quarter", *names.split()])
        for i in range(PAST, len(gdp)):  # change i is from row i to row i + 1
            before = sum(income[i - PAST : i]) / PAST
            values = (gdp[i], gdp[i - 1], unemployment[i], income[i], before, consumption[i])
            writer.writerow([rows[i + 1]["year"], rows[i + 1]["quarter"], *(f"{value:.4f}" for value in values)])


if __name__ == "__main__":
    main()
