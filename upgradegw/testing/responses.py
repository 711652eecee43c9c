"""What the site answers, and the three ways in which it does not do what was asked of it."""

from __future__ import annotations

from dataclasses import dataclass

from upgradegw.negotiation.model import Fields
from upgradegw.testing.fields import Text, as_bytes


@dataclass(frozen=True, slots=True)
class Response:
    """A response.

    Attributes:
        status: The status code.
        fields: The field lines, as they came; on HTTP/2 without ``:status``.
        content: The content; empty behind a switch.
    """

    status: int
    fields: Fields
    content: bytes = b""

    def get(self, name: Text) -> bytes | None:
        """Return the values of a field, joined with commas, or None if there is none.

        Args:
            name: The field's name; case does not matter.
        """
        values = self.get_all(name)
        return b", ".join(values) if values else None

    def get_all(self, name: Text) -> list[bytes]:
        """Return the value of each line of a field: of Set-Cookie, for example.

        Args:
            name: The field's name; case does not matter.
        """
        wanted = as_bytes(name).lower()
        return [value for each, value in self.fields if each.lower() == wanted]


class Refused(Exception):  # noqa: N818 - it is an answer, not an error
    """The site answered without switching protocols.

    Attributes:
        response: The answer.
    """

    def __init__(self, response: Response) -> None:
        """Bring the answer.

        Args:
            response: The answer.
        """
        super().__init__(f"{response.status}: {response.content.decode('utf-8', 'replace').strip()[:200]}")
        self.response = response

    @property
    def status(self) -> int:
        """The answer's status code."""
        return self.response.status

    @property
    def fields(self) -> Fields:
        """The answer's fields."""
        return self.response.fields

    @property
    def content(self) -> bytes:
        """The answer's content."""
        return self.response.content


class Unanswered(Exception):  # noqa: N818 - the name says what is so
    """There is no answer: not yet, or never, because the connection is gone."""


class Violation(Exception):  # noqa: N818 - the name says what it is
    """What the site sent is against the protocol's specification."""
