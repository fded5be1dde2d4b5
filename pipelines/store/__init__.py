"""The store: one immutable Delta Lake table per dataset table, bucketed and sorted by person, and snapshot records."""
