"""The words a text may use: Liquid, with limits, in the locale of the text; nothing reaches an object. Pure."""
