"""The words a text may use: Liquid, with limits, in the locale of the text, and nothing that reaches an object. Pure."""
