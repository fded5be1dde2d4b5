"""The quality report of a snapshot: one page of HTML that needs nothing else, in English or French."""
