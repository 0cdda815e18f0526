"""Serves a resolver over UDP and TCP, in threads beside whatever else runs."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from simulator.resolver.answering import Resolver

_POLL_SECONDS = 0.05


@contextmanager
def serving_dns(resolver: Resolver, host: str = "127.0.0.1", port: int = 0) -> Iterator[tuple[str, int]]:
    """Serves in two threads, yields host and port, and stops at the end. Port 0 takes one that is free in both.

    OSError when the port is taken.
    """
    udp, tcp = _listening(resolver, host, port)
    with udp, tcp:
        threads = [
            threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True) for server in (udp, tcp)
        ]
        for thread in threads:
            thread.start()
        try:
            yield host, udp.server_address[1]
        finally:
            for server in (udp, tcp):
                server.shutdown()
            for thread in threads:
                thread.join()


class _Udp(socketserver.UDPServer):
    def __init__(self, resolver: Resolver, host: str, port: int) -> None:
        self.resolver = resolver
        super().__init__((host, port), _UdpHandler)


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, resolver: Resolver, host: str, port: int) -> None:
        self.resolver = resolver
        super().__init__((host, port), _TcpHandler)


class _UdpHandler(socketserver.BaseRequestHandler):
    """One datagram is one message."""

    server: _Udp

    def handle(self) -> None:
        """Answers one, or keeps silent."""
        wire, replying = self.request
        if response := self.server.resolver.answer(wire, over_tcp=False):
            replying.sendto(response, self.client_address)


class _TcpHandler(socketserver.StreamRequestHandler):
    """Messages follow one another, each with its length in two bytes before it."""

    server: _Tcp
    timeout = 5

    def handle(self) -> None:
        """Answers until the caller hangs up."""
        with suppress(OSError):  # the caller is silent, or gone
            while len(length := self.rfile.read(2)) == 2:
                response = self.server.resolver.answer(self.rfile.read(int.from_bytes(length)), over_tcp=True)
                if response is None:
                    return
                self.wfile.write(len(response).to_bytes(2) + response)


def _listening(resolver: Resolver, host: str, port: int, attempts: int = 10) -> tuple[_Udp, _Tcp]:
    """Both servers on the same port, the given one or one that is free in both."""
    udp = _Udp(resolver, host, port)
    try:
        return udp, _Tcp(resolver, host, udp.server_address[1])
    except OSError:
        udp.server_close()
        if port or attempts == 1:
            raise
    return _listening(resolver, host, port, attempts - 1)
