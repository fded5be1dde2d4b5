"""`dataspace serve`: the portal and the API of a node."""

import errno
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataspace.domain.errors import InvalidInput, NotFound
from dataspace.settings import Settings

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

DEMO_HOME = Path(".dataspace/demo")


def serve(
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes any free port")] = None,
    host: Annotated[str | None, typer.Option()] = None,
    demo: Annotated[bool, typer.Option("--demo", help="serve what `make demo` left")] = False,
) -> None:
    """Serve the portal and the API. Stop with Ctrl-C."""
    settings = _settings(demo)
    listener = _listen(host or settings.host, settings.port if port is None else port)
    # Imported here: a taken port or a missing demo is said at once, not after two seconds of imports.
    import uvicorn

    from dataspace import logs
    from dataspace.bootstrap import check_books, open_node
    from dataspace.checkpoint_keeper import CheckpointKeeper
    from dataspace.dp.bounding import warm
    from dataspace.web.app import create_app

    logs.configure()
    node = open_node(settings)
    check_books(node)
    keeper = CheckpointKeeper(node)
    keeper.start()
    warm()
    address, chosen = listener.getsockname()[:2]
    typer.echo(f"portal and API on http://{address}:{chosen}")
    mark = settings.home / "serve.pid"
    mark.write_text(str(os.getpid()))
    try:
        uvicorn.Server(server_config(create_app(node), settings)).run(sockets=[listener])
    finally:
        keeper.stop()
        mark.unlink(missing_ok=True)


def server_config(app: "ASGIApp", settings: Settings) -> "uvicorn.Config":
    """The server's own name and accesses are not told; who asks is the peer, unless a trusted proxy says otherwise."""
    import uvicorn

    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=settings.proxies,
    )


def _settings(demo: bool) -> Settings:
    if not demo:
        return Settings()
    if not DEMO_HOME.is_dir():
        raise NotFound("there is no demo node yet: run make demo first")
    return Settings(home=DEMO_HOME, key_root=DEMO_HOME / "keys")


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise InvalidInput(_why_not(host, port, error)) from None
    listener.listen(128)
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{host}:{port} is taken: choose another port, with --port 8001 or make serve PORT=8001"
    if error.errno == errno.EACCES:
        return f"port {port} needs an administrator: choose one from 1024 on with --port"
    return f"this machine has no address {host} ({error.strerror}): choose another with --host"
