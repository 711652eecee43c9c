"""What a route, or its ``otherwise``, can serve to requests that switch nothing; exactly one of these keys."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from upgradegw.service.config.words import File, Reference, Table, Text, Texts

#: The keys that say what is served to plain requests.
PLAIN = ("static", "wsgi", "resource", "proxy", "redirect", "respond")


class Redirect(Table, frozen=True, kw_only=True):
    """A redirect."""

    to: Annotated[
        Text,
        Meta(
            description="Where to: a URL, or a path of the same host. `{path}` stands for the rest of the path, and"
            " `{query}` for the query with its question mark."
        ),
    ]
    status: Annotated[
        Literal[301, 302, 303, 307, 308],
        Meta(description="The status code (RFC 9110 section 15.4); the others of 3xx lead nowhere."),
    ] = 307


class Respond(Table, frozen=True, kw_only=True):
    """A response that is always the same."""

    status: Annotated[int, Meta(description="The status code.", ge=200, le=599)] = 200
    content: Annotated[str, Meta(description='The content; `"file:…"` reads it from a file at the start.')] = ""
    content_type: Annotated[Text, Meta(description="Its media type.")] = "text/plain; charset=utf-8"


class Plain(Table, frozen=True, kw_only=True):
    """What plain requests get."""

    static: Annotated[
        File | None, Meta(description="Folder whose files are served, without listings and dotfiles.")
    ] = None
    wsgi: Annotated[Reference | None, Meta(description="A WSGI application, as `MODULE:ATTRIBUTE`.")] = None
    resource: Annotated[Reference | None, Meta(description="A twisted.web resource, as `MODULE:ATTRIBUTE`.")] = None
    proxy: Annotated[
        Text | Texts | None,
        Meta(
            description="The upstream to pass requests on to, or several: `http://host:port/prefix`, `https://…`,"
            " `unix:/run/x.sock`, `h2c://…`. Upgrades go through as `upgrades` says."
        ),
    ] = None
    redirect: Annotated[
        Text | Redirect | None,
        Meta(description="Redirect every request: the URL, or a table with `to` and `status`. Status 307 by default."),
    ] = None
    respond: Annotated[
        Respond | None, Meta(description="Answer every request alike: `{ status, content, content_type }`.")
    ] = None

    @property
    def plain(self) -> str | None:
        """The key that says what plain requests get; None if there is none."""
        return next((name for name in PLAIN if getattr(self, name) is not None), None)

    @property
    def upstreams(self) -> tuple[str, ...]:
        """The URLs of ``proxy``; empty without it."""
        return () if self.proxy is None else (self.proxy,) if isinstance(self.proxy, str) else self.proxy


class Otherwise(Plain, frozen=True, kw_only=True):
    """What requests get that do not switch, on a route with `websocket` or `upgrade`."""
