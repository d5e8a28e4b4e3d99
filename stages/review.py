"""Review and correct in the browser: serves a page over the annotated videos that writes rows of data/corrections.

    python -m stages.review        # or: make review

Only this machine can reach it. With --host, others can, who need the token that is printed; the traffic is not encrypted.
"""

import argparse
import ipaddress
import secrets
import socket

import uvicorn

from stages.command import execute, log, parser
from stages.errors import DataError
from stages.params import sequence_names
from stages.reviewing.app import make_app
from stages.reviewing.rerun import Rerun

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
PORT = 8765


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what is bound to this address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def in_url(host: str) -> str:
    """The address as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def listening(host: str, port: int) -> socket.socket:
    """What the server listens at. Raises DataError where another program does, or the address is not this machine's."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise DataError(f"{in_url(host)}:{port}: expected a free port at an address of this machine, got: {error}") from error


def host_headers(host: str, port: int, names: list[str]) -> list[str]:
    """What a browser that means this server sends as Host. Raises DataError where nothing says by which name others call it."""
    everywhere = host in ("0.0.0.0", "::")
    if everywhere and not names:
        raise DataError(f"--host {host}: expected --name with the name or address that browsers will use, got none")
    reached = [*LOOPBACK, *names, *([] if everywhere else [in_url(host)])]
    return list(
        dict.fromkeys(text for name in reached for text in ((name, f"{name}:{port}") if port == 80 else (f"{name}:{port}",)))
    )


def options() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--host", default="127.0.0.1", help="address to bind to; default: 127.0.0.1, this machine alone")
    made.add_argument("--port", type=int, default=PORT, help=f"default: {PORT}")
    made.add_argument("--name", action="append", default=[], help="further name by which browsers call this machine")
    return made.parse_args()


def main() -> None:
    args = options()
    if not 1 <= args.port <= 65535:
        raise DataError(f"--port: expected a port in [1, 65535], got {args.port}")
    sequence_names()  # refuses a folder that is no project
    hosts = host_headers(args.host, args.port, args.name)
    token = None if is_loopback(args.host) else secrets.token_urlsafe(24)
    rerun = Rerun()
    server = uvicorn.Server(uvicorn.Config(make_app(hosts, token, rerun), log_level="warning", server_header=False))
    with listening(args.host, args.port) as listener:
        shown = args.name[0] if args.name else in_url(args.host)
        log.info("review: http://%s:%d/%s (Ctrl+C ends it)", shown, args.port, f"?token={token}" if token else "")
        try:
            server.run([listener])
        finally:
            rerun.stop()


if __name__ == "__main__":
    execute(main)
