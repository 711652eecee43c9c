"""What a server answers instead of a switch: a refusal that is an ordinary response, or something that is none."""

from __future__ import annotations

from upgradegw.client.response import UpgradeResponse
from upgradegw.negotiation.fields import get_all, members, printable
from upgradegw.negotiation.model import UpgradeProtocol


class UpgradeRefused(Exception):  # noqa: N818 - it is an answer, not an error
    """The server answered with an ordinary response and goes on speaking HTTP.

    Attributes:
        status: The status code, 200 to 599.
        phrase: The reason phrase.
        fields: The field lines as they came.
        body: The response's content, at most the endpoint's ``max_body`` bytes of it; what had come, if the connection
            or the time ended before.
        response: Status, phrase and fields together.
    """

    def __init__(self, response: UpgradeResponse, body: bytes, token: UpgradeProtocol) -> None:
        """Bring the answer.

        Args:
            response: The answer.
            body: Its content.
            token: What was offered.
        """
        super().__init__(_sentence(response, token))
        self.response = response
        self.status = response.status
        self.phrase = response.phrase
        self.fields = response.fields
        self.body = body


def _sentence(response: UpgradeResponse, token: UpgradeProtocol) -> str:
    """Say what happened, and the one thing that most often helps."""
    said = f"the server did not switch to {token}: it answered {response.status}"
    if response.phrase:
        said += f" {printable(response.phrase)}"
    served = members(get_all(response.fields, b"upgrade"))
    if served:
        return f"{said}; it serves {printable(b', '.join(served))} here"
    location = get_all(response.fields, b"location")
    if location:
        return f"{said} and points to {printable(location[0])}"
    return said
