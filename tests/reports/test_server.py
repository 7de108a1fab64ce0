import socket

from reports.server import _send_at_once


def test_connections_of_the_listening_socket_do_not_wait_to_send() -> None:
    # As Streamlit makes it: without a protocol, so that asyncio does not know that it is TCP.
    with socket.socket(socket.AF_INET) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        _send_at_once(listening.getsockname()[1])
        with socket.create_connection(listening.getsockname()):
            accepted, _ = listening.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
