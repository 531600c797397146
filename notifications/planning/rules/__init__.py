"""One file a rule. A rule looks at one candidate and speaks (drop, hold) or is silent."""
