"""Runs the simulator's application under uvicorn: in a thread for tests, or until it is stopped."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

import uvicorn
from starlette.applications import Starlette

STARTS_WITHIN_SECONDS = 10.0


@contextmanager
def serving(app: Starlette, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serves in a thread, yields the base URL once it answers, and stops at the end. Port 0 takes a free one.

    OSError when the port is taken; RuntimeError when the server does not start.
    """
    with socket.create_server((host, port)) as listening:
        server = _server(app, host, port, "warning")
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            _await_start(server, thread)
            yield f"http://{host}:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def serve(app: Starlette, host: str, port: int) -> None:
    """Serves until the process is told to stop (SIGINT, SIGTERM)."""
    _server(app, host, port, "info").run()


def _server(app: Starlette, host: str, port: int, log_level: str) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        lifespan="off",
        access_log=False,
        log_level=log_level,
        timeout_graceful_shutdown=1,
    )
    # After the Config, which sets logging up anew.
    logging.getLogger("uvicorn.error").addFilter(_is_no_broken_off_answer)
    return uvicorn.Server(config)


def _is_no_broken_off_answer(record: logging.LogRecord) -> bool:
    """Keeps quiet about `answers.BrokenOff`, which ends that way on purpose."""
    return "returned without completing response" not in record.getMessage()


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    latest = monotonic() + STARTS_WITHIN_SECONDS
    while not server.started:
        if not thread.is_alive() or monotonic() > latest:
            raise RuntimeError("the simulator did not start")
        sleep(0.005)
