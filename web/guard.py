"""Around the page: nothing is loaded from another server, and this server fetches nothing for anybody.

Reads, writes: nothing.
"""

_POLICY = ("default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
           "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
           "connect-src 'self' data: blob:")
_FETCHING = ("/file=http", "/proxy=", "/gradio_api/file=http", "/gradio_api/proxy=")  # here Gradio asks other servers


class Guard:
    """ASGI middleware: a Content-Security-Policy on every answer; 404 for what would have this server fetch."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def send_with_policy(message):
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"content-security-policy", _POLICY.encode())]}
            await send(message)

        if scope["type"] == "http" and scope["path"].lower().startswith(_FETCHING):
            await send_with_policy({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self.app(scope, receive, send_with_policy)
