"""How the API describes itself: drf-spectacular's reading of the views, with a line on each in the overview."""

from drf_spectacular.openapi import AutoSchema


class Schema(AutoSchema):
    """Takes what a view's method says first as its summary."""

    def get_summary(self) -> str:
        """The first sentence, up to a colon or a semicolon, which begin the details."""
        sentence = self.get_description().partition("\n\n")[0].replace("\n", " ")
        for end in (". ", ": ", "; "):
            sentence = sentence.partition(end)[0]
        return sentence.rstrip(".")
