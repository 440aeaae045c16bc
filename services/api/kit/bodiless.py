"""HEAD: whatever answers GET answers HEAD, with the same headers and no body. Previews of links and crawlers ask so."""

from anyio import CancelScope
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Bodiless"]


class Bodiless:
    """Asks the app for GET where a client asks for HEAD, and sends on the head of the answer alone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}  # a copy: the server looks into its own when it sends no body
        with CancelScope() as answering:

            async def send_head(message: Message) -> None:
                if message["type"] == "http.response.start":
                    scope["route"] = asked.get("route")  # for the operator's metrics
                    await send(message)
                    await send({"type": "http.response.body"})
                elif message.get("more_body", False):
                    answering.cancel()  # a stream of events would never end

            await self.app(asked, receive, send_head)
