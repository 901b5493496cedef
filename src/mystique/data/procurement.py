"""The procurement data set: an invented trial of 587 public offices that buy everyday goods.

By lot, offices got a bonus for good buying (incentives), a larger cash budget and lighter pre-audit (autonomy), both, or
neither. Real, after Bandiera, Best, Khan and Prat (2021): the four arms and their sizes, the 26 districts, prices about 9 %
lower under autonomy with quality unchanged, about no average effect of the bonus, and that the two work under opposite
monitors. Invented: everything else, among it the effect of both together, every size that goes with the monitor's delay,
the goods, their prices, distances and hours.

The calibration simulated again with the traps in: mean (standard deviation) over the seeds 0 to 199. "The course's regression"
explains the log price, has terms for good, quantity, quality and district, and clusters its errors by office.

    purchases                                              11,739 (106)
    the course's regression: incentives, autonomy, both    -0.020 (0.034), -0.090 (0.029), -0.062 (0.034); its errors 0.030
    the same, errors not clustered                         0.0135: less than half
    the same, offices with slow monitors                   0.030 (0.046), -0.154 (0.043), -0.068 (0.049)
    the same, offices with prompt monitors                 -0.064 (0.046), -0.027 (0.041), -0.053 (0.040)
    arm times delay, with delay and distance in            0.28 (0.15), -0.37 (0.13), -0.05 (0.14); its errors 0.13
    mean log price, goods ignored                          -0.023 (0.049), +0.204 (0.047), +0.234 (0.049)
    mean price in rupees, autonomy over control            1.29 (0.10)
    control offices: log price by a unit of delay          0.70 (0.15); with distance in 0.36 (0.18), the truth 0.35
    purchases of both over those of control                1.13 (0.03)
"""

import numpy as np
import pandas as pd

from .package import LICENCE, DataSet, field, resource, tabulate

NAME = "procurement"
TITLE = "A trial of autonomy and bonuses in public buying (synthetic)"

# ---------------------------------------------------------------- parameters: each a choice of the course, but for the first two

ARMS = {"control": 136, "incentives": 150, "autonomy": 148, "both": 153}   # real: the published final sample
DISTRICTS = 26                 # real

# Purchases of an office: 2 + Poisson(18), so about 11,700 in all; at least 2, so that every office can be compared with itself.
PURCHASES_LEAST, PURCHASES_MORE = 2, 18

# What the arms do to the log of the price: at the mean delay, and for each unit of delay above it.
# Of the four main numbers only autonomy's -0.09 and the bonus's "about nil" echo findings.
MEAN_DELAY = 0.40
EFFECT = {"control": 0.0, "incentives": -0.02, "autonomy": -0.09, "both": -0.06}
EFFECT_BY_DELAY = {"control": 0.0, "incentives": 0.30, "autonomy": -0.35, "both": -0.05}
EFFECT_ON_HOURS = {"control": 0.0, "incentives": 0.5, "autonomy": 3.0, "both": 2.0}   # hours a month; direction of the first and third echo

# The monitor: share of an office's bills, the year before, that the auditor passed only in the last month of the year.
DELAY_SHAPE = 2, 3             # Beta: mean .40, from nearly none to nearly all
DELAY_PRICE = 0.35             # a unit of delay raises a control office's log price; autonomy just undoes it, which is its purpose
# Slow auditors sit far from markets, and distance makes goods dear by itself: the delay was not drawn by lot.
DELAY_KM = 0.6                 # correlation of the hidden scores behind the two
KM_MEAN, KM_SD, KM_RANGE = 28, 12, (1, 70)
KM_PRICE = 0.010               # a kilometre: makes the delay look twice as harmful as it is
DISTRICT_SHARE = 0.4           # share of both scores' variance that lies between districts

DISTRICT_SD = 0.08             # log price, what is left between districts
OFFICE_SD = 0.20               # lasting differences between offices: what makes unclustered errors half of what they should be
PURCHASE_SD = 0.45             # one purchase to the next
QUANTITY_PRICE = -0.04         # for each log unit: a small discount for bulk
QUALITY_PRICE = 0.05           # for each point of quality: better is dearer. No arm changes quality
QUALITY_MEAN, QUALITY_SD = 3.3, 0.6
HOURS_MEAN, HOURS_SD, HOURS_RANGE = 13, 4, (5, 30)

# A larger cash budget goes to dearer goods: the odds of a good rise by exp(TILT) for each SD of its log price.
TILT = {"control": 0.0, "incentives": 0.0, "autonomy": 0.25, "both": 0.25}

# 25 goods: how often they are bought, usual price in rupees, usual quantity.
GOODS = {
    "ballpoint pens, box": (8, 240, 6), "pencils, box": (5, 130, 5), "copier paper, ream": (10, 620, 12), "notebook": (6, 95, 20),
    "register, ruled": (7, 340, 6), "box file": (6, 280, 10), "stapler": (3, 450, 2), "envelopes, pack": (5, 160, 8),
    "glue, bottle": (3, 75, 6), "ink cartridge": (6, 2900, 2), "printer toner": (5, 7800, 1), "USB stick": (3, 1100, 3),
    "soap, carton": (4, 900, 3), "floor cleaner, can": (5, 520, 4), "broom": (4, 190, 6), "waste bin": (2, 650, 3),
    "light bulb": (5, 310, 10), "extension lead": (3, 850, 2), "padlock": (2, 560, 3), "ceiling fan": (2, 5600, 2),
    "wall clock": (1, 1250, 1), "desk chair": (2, 9800, 2), "office table": (1, 18500, 1), "steel cupboard": (1, 32000, 1),
    "banner, printed": (4, 1600, 2),
}
GOOD_QUALITY_SD = 0.3          # some goods are better on the whole

# ---------------------------------------------------------------- making


def make(seed):
    """The procurement data set from a seed. Each step draws from a stream of its own, so that changing one leaves the others."""
    streams = [np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(4)]
    offices = draw_lots(streams[0], place(streams[1]))
    offices = offices.assign(**run(streams[2], offices))
    raw = {"offices": offices, "purchases": buy(streams[3], offices)}
    tables = {name: tabulate(raw[name], COLUMNS[name]) for name in COLUMNS}
    return DataSet(NAME, TITLE, seed, tables, codebook(tables), truth(seed, offices, raw["purchases"]))


def place(rng):
    """One row an office: its district, its monitor's delay, its distance to market."""
    size = sum(ARMS.values())
    district = np.sort(np.concatenate([np.arange(DISTRICTS), rng.integers(0, DISTRICTS, size - DISTRICTS)]))
    slow = between_and_within(rng, district)
    far = DELAY_KM * slow + np.sqrt(1 - DELAY_KM**2) * between_and_within(rng, district)
    delay = np.sort(rng.beta(*DELAY_SHAPE, size))[slow.argsort().argsort()]   # the slowest monitor gets the largest share
    return pd.DataFrame({
        "office_id": [f"O{number:03d}" for number in range(1, size + 1)],
        "district_id": [f"D{number:02d}" for number in district + 1],
        "monitor_delay": delay.round(2),
        "km_to_market": (KM_MEAN + KM_SD * far).clip(*KM_RANGE).round(),
        "officer_years": rng.gamma(2.2, 4.0, size).clip(0.5, 35),
        "luck": rng.normal(0, DISTRICT_SD, DISTRICTS)[district] + rng.normal(0, OFFICE_SD, size),
    })


def between_and_within(rng, group):
    """A score of mean 0 and SD 1, DISTRICT_SHARE of whose variance lies between the groups."""
    shared = rng.normal(0, 1, group.max() + 1)[group]
    return np.sqrt(DISTRICT_SHARE) * shared + np.sqrt(1 - DISTRICT_SHARE) * rng.normal(0, 1, len(group))


def draw_lots(rng, offices):
    """Add the arm: each arm's lots are spread evenly over the districts, and fall at random within them."""
    turns = [((np.arange(size) + rng.random(size)) / size, np.full(size, arm)) for arm, size in ARMS.items()]
    when, arms = (np.concatenate(each) for each in zip(*turns))
    order = np.lexsort([rng.random(len(offices)), offices["district_id"]])   # districts in turn, offices within them by lot
    offices.loc[order, "arm"] = arms[when.argsort()]
    return offices


def run(rng, offices):
    """How the office works under its arm: hours spent on buying, and its level of log prices."""
    arm, late = offices["arm"], offices["monitor_delay"] - MEAN_DELAY
    hours = HOURS_MEAN + arm.map(EFFECT_ON_HOURS) + rng.normal(0, HOURS_SD, len(offices))
    effect = arm.map(EFFECT) + arm.map(EFFECT_BY_DELAY) * late
    level = DELAY_PRICE * late + KM_PRICE * (offices["km_to_market"] - KM_MEAN) + offices["luck"]
    return {"hours_procurement": hours.clip(*HOURS_RANGE), "effect": effect, "level": level + effect}


def buy(rng, offices):
    """One row a purchase: the good, how many, at what price, how good."""
    often, price, usual = np.array(list(GOODS.values())).T
    rows = offices.loc[offices.index.repeat(PURCHASES_LEAST + rng.poisson(PURCHASES_MORE, len(offices)))].reset_index(drop=True)
    size, dear = len(rows), (np.log(price) - np.log(price).mean()) / np.log(price).std()
    odds = often * np.exp(np.outer(rows["arm"].map(TILT), dear))
    steps = np.cumsum(odds, axis=1) / odds.sum(axis=1, keepdims=True)
    good = (rng.random((size, 1)) > steps[:, :-1]).sum(axis=1)

    quantity = np.ceil(usual[good] * np.exp(rng.normal(0, 0.7, size))).clip(1, 400)
    quality = QUALITY_MEAN + rng.normal(0, GOOD_QUALITY_SD, len(GOODS))[good] + rng.normal(0, QUALITY_SD, size)
    quality = quality.clip(1, 5).round(1)
    log_price = (
        np.log(price)[good] + rows["level"] + QUALITY_PRICE * (quality - QUALITY_MEAN)
        + QUANTITY_PRICE * np.log(quantity / usual[good]) + rng.normal(0, PURCHASE_SD, size)
    )
    return rows.assign(
        purchase_id=[f"P{number:05d}" for number in range(1, size + 1)],
        good=np.array(list(GOODS))[good], quantity=quantity, unit_price=np.exp(log_price), quality=quality)


# ---------------------------------------------------------------- columns: exactly these, in this order, are in the files


def _office_id(**constraints):
    return field("office_id", "string", "The office. The same office has the same identifier in both tables.", unit="identifier",
                 construction="Numbered by district; says nothing else.", pattern="O[0-9]{3}", **constraints)


COLUMNS = {
    "offices": [
        _office_id(unique=True),
        field("district_id", "string", "The district: one of 26 of an invented province.", unit="identifier",
              pattern="D(0[1-9]|1[0-9]|2[0-6])",
              construction="Each office falls into a district by chance; every district has at least one."),
        field("arm", "string", "What the office was given by lot: nothing new (control), a bonus for good buying (incentives), "
                               "a larger cash budget and lighter pre-audit (autonomy), or both.", unit="category", enum=list(ARMS),
              construction="Lots of fixed number (136, 150, 148, 153), spread over the districts. Whatever the office then did, "
                           "this is its arm."),
        field("monitor_delay", "number", "The share of the office's bills that its auditor, in the year before the trial, passed only "
                                         "in the last month of the year.", unit="share from 0 to 1", minimum=0, maximum=1, decimals=2,
              construction="Drawn from a Beta distribution, partly common to the district. Slower monitors are farther from markets. "
                           "Not drawn by lot."),
        field("km_to_market", "integer", "Distance to the nearest large market.", unit="kilometres",
              minimum=KM_RANGE[0], maximum=KM_RANGE[1],
              construction="Drawn around 28, partly common to the district; goods cost more far from markets."),
        field("officer_years", "number", "Years that the office's buyer had been in public service before the trial.", unit="years",
              minimum=0, maximum=35, decimals=1,
              construction="Drawn from a gamma distribution with mean 8.8; unrelated to anything else."),
        field("hours_procurement", "number", "Hours a month that the office spent on buying, during the trial.", unit="hours a month",
              minimum=HOURS_RANGE[0], maximum=HOURS_RANGE[1], decimals=1,
              construction="Drawn around a mean for each arm, limited to 5 to 30. Measured after the lots were drawn."),
    ],
    "purchases": [
        field("purchase_id", "string", "One purchase.", unit="identifier", pattern="P[0-9]{5}", unique=True, construction="Numbered by office."),
        _office_id(),
        field("good", "string", "What was bought.", unit="category", enum=list(GOODS),
              construction="Drawn from 25 goods, some bought more often; offices with a larger cash budget buy the dearer ones more often."),
        field("quantity", "integer", "How many.", unit="pieces or packs", minimum=1, maximum=400,
              construction="Drawn (log-normal) around the good's usual quantity."),
        field("unit_price", "number", "What one of them cost.", unit="rupees of an invented province", minimum=1, maximum=1_000_000, decimals=2,
              construction="A product, so a sum in logarithms: the good's usual price, the office's and district's level (with "
                           "monitor's delay, distance and arm in it), a little for bulk and for quality, and chance."),
        field("quality", "number", "How good the item was, as rated by people who saw it without knowing the office.", unit="score from 1 to 5",
              minimum=1, maximum=5, decimals=1, construction="Drawn around a mean for each good; the arm makes no difference."),
    ],
}

HOW_MADE = [
    "Offices, districts, monitors and distances came first; slow monitors were put far from markets.",
    "Then the arms were drawn by lot, so arms differ beforehand only by chance.",
    "An office's level of prices is made of its monitor's delay, its distance, lasting luck of its own and its district's, "
    "and what its arm does; what the arm does depends on the monitor's delay.",
    "Every purchase adds the usual price of its good, a little for bulk and quality, and chance; offices with more cash choose "
    "dearer goods more often.",
    "The shape follows a published trial; the goods, the prices and nearly all sizes are invented.",
]
ARROWS = [  # from, to, sign, note
    ("lots", "autonomy or bonus", "", "nothing else decides the arm"),
    ("autonomy or bonus", "price", "", "how much, and which way, depends on the monitor's delay"),
    ("autonomy or bonus", "hours on buying", "+", ""),
    ("autonomy or bonus", "which good is bought", "", "a larger cash budget goes to dearer goods"),
    ("which good is bought", "price", "", "a cupboard costs more than a pen"),
    ("remoteness", "monitor's delay", "+", "neither was drawn by lot"),
    ("remoteness", "km to market", "+", ""),
    ("km to market", "price", "+", ""),
    ("monitor's delay", "price", "+", "and it changes what autonomy and the bonus do"),
    ("office and district", "price", "", "lasting differences: purchases of one office resemble each other"),
    ("quality", "price", "+", "no arm changes quality"),
]


def codebook(tables):
    """The Frictionless Data Package. The seed is not in it: that of a cohort is a secret."""
    return {
        "name": NAME,
        "title": TITLE,
        "description": "SYNTHETIC data, made for teaching: no office, purchase or price in it is real, and no number is a finding. "
                       "The number of offices, arms and districts is that of a published trial (Bandiera, Best, Khan and Prat 2021); "
                       "the data are not that trial's, and most sizes are invented. 'construction' tells how each column was made.",
        "keywords": ["synthetic", "teaching", "public administration", "procurement", "trial"],
        "how_made": HOW_MADE,
        "causal_diagram": [dict(zip(("from", "to", "sign", "note"), arrow)) for arrow in ARROWS],
        "licenses": [LICENCE],
        "resources": [
            resource("offices", "One row an office.", tables["offices"], COLUMNS["offices"], key=["office_id"]),
            resource("purchases", "One row a purchase during the trial.", tables["purchases"], COLUMNS["purchases"], key=["purchase_id"],
                     refers_to={"office_id": ("offices", "office_id")}),
        ],
    }


# ---------------------------------------------------------------- the truth, for the teacher


def truth(seed, offices, purchases):
    """What was put in, so that what students find can be judged. Never handed out."""
    treated = [arm for arm in ARMS if arm != "control"]
    slow = offices["monitor_delay"] > offices["monitor_delay"].median()
    return {
        "canary": f"MYSTIQUE-CANARY-truth-{NAME}",
        "name": NAME,
        "seed": seed,
        "parameters": {
            "offices_by_arm": ARMS, "districts": DISTRICTS, "mean_delay": MEAN_DELAY, "log_price_by_delay_in_control": DELAY_PRICE,
            "delay_distance_correlation": DELAY_KM, "log_price_by_km": KM_PRICE, "district_sd": DISTRICT_SD, "office_sd": OFFICE_SD,
            "purchase_sd": PURCHASE_SD, "log_price_by_log_quantity": QUANTITY_PRICE, "log_price_by_quality": QUALITY_PRICE,
            "dearer_goods_tilt": TILT,
        },
        "true_effects": {
            "log_price_at_mean_delay": {arm: EFFECT[arm] for arm in treated},
            "log_price_for_each_unit_of_delay": {arm: EFFECT_BY_DELAY[arm] for arm in treated},
            "log_price_average_over_these_purchases": _means(purchases),
            "log_price_average_slow_monitors": _means(offices[slow]),
            "log_price_average_prompt_monitors": _means(offices[~slow]),
            "hours_a_month": {arm: EFFECT_ON_HOURS[arm] for arm in treated},
            "quality": 0, "number_of_purchases": 0, "officer_years": 0,
        },
        "real_and_invented": {
            "real": "The arms and their sizes, 26 districts, about -9 % under autonomy with quality unchanged, about nil for the bonus, "
                    "and the opposite signs by the monitor's delay.",
            "invented": "All else, among it the effect of both together and every number that goes with the monitor's delay.",
        },
        "traps": [
            {
                "id": "clustered_sampling",
                "what": "Purchases of one office resemble each other, and the lots were drawn for offices.",
                "where": "purchases.csv: about 20 rows an office",
                "fools": "Whoever counts 11,700 purchases as 11,700 lots: the standard errors come out at half of what they should be.",
                "see_through": "Cluster the errors by office, or work with one mean an office.",
            },
            {
                "id": "composition",
                "what": "A larger cash budget goes to dearer goods, so the mean price is higher under autonomy although the same good is cheaper.",
                "where": "purchases.csv, unit_price and good, arms autonomy and both",
                "fools": "Whoever compares mean prices, in rupees or in logarithms, without regard to the good.",
                "see_through": "Compare like with like: a term for each good.",
            },
            {
                "id": "prices_in_rupees",
                "what": "Prices run from tens to tens of thousands; the effects are proportions.",
                "where": "purchases.csv, unit_price",
                "fools": "Whoever works in rupees: a few cupboards outweigh ten thousand pens. Also whoever reads a coefficient of logs as "
                         "rupees, or -0.35 as exactly -35 %.",
                "see_through": "Take logarithms; turn b back with exp(b) - 1.",
            },
            {
                "id": "unequal_arms",
                "what": "136, 150, 148 and 153 offices: the arms are not of one size.",
                "where": "offices.csv, arm",
                "fools": "Whoever compares totals: control buys least and spends least because it is smallest.",
                "see_through": "Compare means an office.",
            },
            {
                "id": "moderator_read_as_a_cause",
                "what": f"The monitor's delay was not drawn by lot. Slow monitors are far from markets, which raises prices by {KM_PRICE:g} a km.",
                "where": "offices.csv, monitor_delay and km_to_market; control offices above all",
                "fools": "Whoever reads the gap between slow and prompt monitors as what delay does: it looks twice as large. And whoever reads "
                         "'autonomy works where monitors are slow' as proof that the delay itself is the reason.",
                "see_through": "Within control, put km_to_market in. Say that only the arms were drawn by lot.",
            },
            {
                "id": "average_hides_opposites",
                "what": "The bonus does nearly nothing on average: it lowers prices under prompt monitors and raises them under slow ones.",
                "where": "incentives, by monitor_delay",
                "fools": "Whoever stops at the average, and whoever is sure of a split that the data can hardly tell (the error of an "
                         "interaction is four times that of an average).",
                "see_through": "Show both halves with their intervals; put arm times delay in.",
            },
        ],
    }


def _means(rows):
    means = rows.groupby("arm")["effect"].mean()
    return {arm: round(float(means[arm]), 3) for arm in ARMS if arm != "control"}
