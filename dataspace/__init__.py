"""Who may ask what, at which privacy cost: permits, the privacy ledger, private answers, the API and its client."""
