"""Field lines as a test writes them: a mapping or pairs, text or bytes, and None for a field that is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from upgradegw.negotiation.model import Fields

Text = str | bytes

#: What a test may give as fields. A field of its own takes the place of one that the client would have sent under that
#: name; with None for a value nothing is sent in its place.
FieldsArgument = Mapping[str, Text | None] | Mapping[bytes, Text | None] | Iterable[tuple[Text, Text | None]]


def as_bytes(text: Text) -> bytes:
    """Return text as it goes over the wire."""
    return text if isinstance(text, bytes) else text.encode("latin-1")


def with_defaults(defaults: Fields, given: FieldsArgument) -> list[tuple[bytes, bytes]]:
    """Return the client's own fields and then the test's, which have the last word.

    Args:
        defaults: What the client sends of itself.
        given: What the test wants sent.
    """
    pairs = [(as_bytes(name), value) for name, value in (given.items() if isinstance(given, Mapping) else given)]
    named = {name.lower() for name, _ in pairs}
    found = [(name, value) for name, value in defaults if name.lower() not in named]
    return found + [(name, as_bytes(value)) for name, value in pairs if value is not None]


def cookie_field(cookies: Mapping[str, str]) -> Fields:
    """Return the field that brings cookies (RFC 6265 section 4.2.1), or none."""
    if not cookies:
        return ()
    return ((b"Cookie", "; ".join(f"{name}={value}" for name, value in cookies.items()).encode("latin-1")),)
