"""``python -m upgradegw`` and the console script: twistd in the foreground, without a pid file."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run ``twistd -n --pidfile= upgradegw`` with this process's arguments."""
    from twisted.scripts import twistd  # noqa: PLC0415 - importing upgradegw must stay cheap for twistd's plugin list

    sys.argv[:] = ["twistd", "-n", "--pidfile=", "upgradegw", *sys.argv[1:]]
    try:
        twistd.run()
    except KeyboardInterrupt:  # it came before the reactor ran, which turns Ctrl-C into an orderly stop
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
