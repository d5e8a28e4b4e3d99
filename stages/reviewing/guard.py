"""Who may ask the review server: browsers that mean this address, from this page, with the token where one is needed.

A page of another site can make a browser send requests to this machine, under another name for it (DNS rebinding) or across
origins (CSRF). So the Host header must be one of ours, and what writes must come from our own origin as JSON.
"""

import secrets
from collections.abc import Collection, MutableMapping
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE = "retrace_review"
MAX_BODY_BYTES = 64 * 1024
SAFE_METHODS = ("GET", "HEAD")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """ASGI middleware that answers what is refused and passes on the rest."""

    def __init__(self, app: ASGIApp, hosts: Collection[str], token: str | None) -> None:
        """`hosts` are the values of Host that mean this server, with port; without a token nobody is asked for one."""
        self.app, self.hosts, self.token = app, set(hosts), token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((k.lower().encode(), v.encode()) for k, v in HEADERS.items())]
            await send(message)

        await self.app(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        """The answer to a request that is not let in, None for one that is."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host not in self.hosts:
            return PlainTextResponse(f"expected one of {', '.join(sorted(self.hosts))} as host\n", 421)
        if scope["method"] not in SAFE_METHODS:
            if headers.get("origin", f"http://{host}") != f"http://{host}":
                return PlainTextResponse("expected a request of this page\n", 403)
            if headers.get("sec-fetch-site", "same-origin") != "same-origin":
                return PlainTextResponse("expected a request of this page\n", 403)
            if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
                return PlainTextResponse("expected JSON\n", 415)
            length = headers.get("content-length", "")
            if not (length.isdecimal() and int(length) <= MAX_BODY_BYTES):
                return PlainTextResponse(f"expected a length of up to {MAX_BODY_BYTES} bytes\n", 413)
        return self._without_token(scope, headers) if self.token is not None else None

    def _without_token(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        """Lets in whoever has the cookie; gives it to whoever has the token in the address, and takes it out of there."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if scope["method"] in SAFE_METHODS and self._is_token(query.pop("token", [""])[0]):
            path = scope["path"] + (f"?{urlencode(query, doseq=True)}" if query else "")
            answer = RedirectResponse("/" + path.lstrip("/"), 303)
            answer.set_cookie(COOKIE, str(self.token), httponly=True, samesite="strict")
            return answer
        if self._is_token(cookie_parser(headers.get("cookie", "")).get(COOKIE, "")):
            return None
        return PlainTextResponse("expected the token that the server printed at its start (?token=...)\n", 401)

    def _is_token(self, text: str) -> bool:
        return secrets.compare_digest(text.encode(), str(self.token).encode())
