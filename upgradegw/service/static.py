"""Files of a folder: no listings, no dotfiles, nothing outside the folder, and the browser guesses no types."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from twisted.web.pages import notFound
from twisted.web.resource import IResource
from twisted.web.static import File


class StaticFiles(File):
    """``twisted.web.static.File`` with the habits of a public server.

    A name that begins with a dot, a link that leads out of the folder and anything that is neither a file nor a folder
    are not found. A folder without an index file is not found either. Every answer has
    ``X-Content-Type-Options: nosniff``, and an unknown extension is ``application/octet-stream``.
    """

    def __init__(self, path: str, defaultType: str = "application/octet-stream", *args: Any) -> None:
        """Serve a folder.

        Args:
            path: The folder.
            defaultType: The type of files whose extension is unknown.
            args: As ``twisted.web.static.File`` has them.
        """
        super().__init__(path, defaultType, *args)
        self.folder = Path(path).resolve()
        self._not_found = notFound()
        self.childNotFound = self._not_found  # type: ignore[assignment]  # its type in Twisted is deprecated

    def getChild(self, path: bytes, request: Any) -> IResource:
        """Return the file or folder of that name, if it may be seen."""
        if not _plain_name(path):
            return self._not_found
        child: IResource = super().getChild(path, request)
        if isinstance(child, StaticFiles) and not child.may_be_seen():
            return self._not_found
        return child

    def may_be_seen(self) -> bool:
        """Tell whether this is a file or a folder inside the folder that is served."""
        try:
            real = Path(self.path).resolve(strict=True)
            mode = real.stat().st_mode
        except (OSError, RuntimeError):
            return False
        return real.is_relative_to(self.folder) and (stat.S_ISREG(mode) or stat.S_ISDIR(mode))

    def createSimilarFile(self, path: str) -> StaticFiles:
        """Make the resource of something inside the folder."""
        similar: StaticFiles = super().createSimilarFile(path)
        similar.folder = self.folder
        return similar

    def directoryListing(self) -> IResource:
        """A folder without an index file shows nothing."""
        return self._not_found

    def render_GET(self, request: Any) -> Any:
        """Send the file."""
        request.setHeader(b"x-content-type-options", b"nosniff")
        return super().render_GET(request)

    render_HEAD = render_GET

    def redirect(self, request: Any) -> bytes:
        """Send the client to the folder's address with a slash, relative, so that prefixes of proxies stay."""
        path, mark, query = request.uri.partition(b"?")
        request.redirect(b"./" + path.rpartition(b"/")[2] + b"/" + mark + query)
        return b""


def _plain_name(segment: bytes) -> bool:
    try:
        name = segment.decode()
    except UnicodeDecodeError:
        return False
    return not name.startswith(".") and "/" not in name and "\0" not in name and "\\" not in name
