"""From a validated query to a noisy table: plan, exact bounded integers, noise, intervals.

    plan_query   plan.py       what will be measured, how much it costs, how wide the intervals will be; no data
    aggregate    scan.py       exact whole-number totals with each person's contribution bounded (kernel: bounding.py)
    measure      engine.py     noise on the totals (noise.py), estimates with 95 % intervals

    people.py, analysed.py, analyses/   the same for statistical analyses: one bounded vector of each person
    levels.py                           ROLLUP and its kin: totals that add up

The only users of OpenDP. The theory is in the docstrings: zero-concentrated differential privacy of the discrete
Gaussian (Canonne, Kamath and Steinke 2020), approximate zCDP for thresholds (Bun and Steinke 2016).
"""
