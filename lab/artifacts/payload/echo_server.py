"""A WebSocket server that says back what it hears: what runs in the image `websocket`, on port 8765.

A client's first message comes back as it was sent, so a check can tell its own answer from another's. The log
(stdout, for `kubectl logs`) names each client as the proxies in front of this server called it.
"""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from websockets.exceptions import ConnectionClosed  # type: ignore[import-not-found]
from websockets.server import serve  # type: ignore[import-not-found]

PORT = 8765


async def echo(connection: Any) -> None:
    """Answer every message of one client with itself until it goes."""
    client = connection.request_headers.get("X-Forwarded-For", connection.remote_address[0])
    print(f"{client} {connection.path} opened", flush=True)
    try:
        async for message in connection:
            await connection.send(message)
            print(f"{client} {connection.path} echoed {len(message)}", flush=True)
    except ConnectionClosed:
        pass
    print(f"{client} {connection.path} closed", flush=True)


async def main() -> None:
    """Serve until SIGTERM; then close open connections, as a pod that is deleted should."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with serve(echo, "0.0.0.0", PORT):
        await stopped.wait()


asyncio.run(main())
