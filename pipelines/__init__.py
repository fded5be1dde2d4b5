"""From a data holder's files to a pseudonymised, quality-checked, immutable snapshot in the store."""
