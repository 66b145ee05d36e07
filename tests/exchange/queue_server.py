"""A server with the API of SQS and S3 (moto) on 127.0.0.1, for the tests of the wake-up.

    python queue_server.py PORT        (0: any free one)

Prints its address, and ends when its stdin does: it does not outlive the tests.
"""

import sys

from moto.server import ThreadedMotoServer


def main(port: int) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    host, chosen = server.get_host_and_port()
    print(f"http://{host}:{chosen}", flush=True)
    sys.stdin.buffer.read()
    server.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]))
