"""Statistical analyses: from one row of each person to vectors of whole numbers, and from noisy vectors to statistics.

    method.py       what every analysis states: its vectors, their sensitivities, its answer
    survival.py     Kaplan-Meier          contingency.py  chi-square       incidence.py  events per person-year
    linear.py       linear regression     logistic.py     logistic regression, the only one that needs rounds
    catalogue.py    the method of an analysis

`dataspace.dp.people` reads the rows, `dataspace.dp.analysed` adds the noise. Of a method only `whole` and `sums` (with
rounds: `derivatives`) meet data; everything after the noise is post-processing. The intervals of statistics (survival,
rates, coefficients) cover sampling and noise, those of counts the noise alone.
"""
