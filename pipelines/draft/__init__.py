"""A first ingestion plan, written by looking at a delivery, for the data holder to edit.

    delivery    which format, where, in what encoding        keys        which columns link tables, and which are unique
    measure     facts of every column, over all rows         columns     a stored column made of facts and names
    names       what a name gives away (names.toml)          tables      whose rows they are: persons, events, lookup
    schemas     Table Schema files beside the delivery       omop        the OMOP common data model as a whole
    draft       the straight line                            write       the plan as text

A plan is public. So a value is written only if at least `rare.FEWEST` persons (rows, where there are no persons) share
it, and bounds are round numbers that no single person decides.
"""
