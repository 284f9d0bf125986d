import socket
import threading
import time

from benchmarks.slow_proxy import SlowProxy

DELAY = 0.3  # s


def test_answers_are_passed_on_late_and_requests_at_once():
    with socket.create_server(("127.0.0.1", 0)) as target:
        proxy = SlowProxy(target.getsockname()[1])

        def echo():
            connection, _ = target.accept()
            with connection:
                while data := connection.recv(100):
                    connection.sendall(data)

        echoing = threading.Thread(target=echo)
        echoing.start()
        with socket.create_connection(("127.0.0.1", proxy.port)) as client:
            client.sendall(b"at once")
            assert client.recv(100) == b"at once"
            proxy.delay = DELAY
            begin = time.monotonic()
            client.sendall(b"late")
            assert client.recv(100) == b"late"
            assert time.monotonic() - begin >= DELAY
        echoing.join()
        proxy.stop()


def test_a_target_that_is_down_ends_the_connection():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    proxy = SlowProxy(port)
    with socket.create_connection(("127.0.0.1", proxy.port)) as client:
        assert client.recv(100) == b""
    proxy.stop()
