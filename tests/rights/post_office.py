"""A mail server for tests: SMTP as RFC 5321 has it, on a port of this machine, of the standard library alone."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class PostOffice:
    """What came in, and how the server behaves: refuse recipients, let nobody in, or hang up too early."""

    port: int = 0
    received: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuses: bool | frozenset[str] = False
    """Everybody, or these."""
    is_shut: bool = False
    hangs_up: int = 0
    """How many times it takes a mail and dies before it says so."""

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(each, policy=policy.default) for each in self.received]  # type: ignore[misc]

    @property
    def said(self) -> list[str]:
        """Each mail as a person reads it: headers and body decoded, whatever they were encoded as on the way."""
        return ["\n".join((*(f"{name}: {value}" for name, value in mail.items()), mail.get_content()))
                for mail in self.mails]  # fmt: skip

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One conversation."""

        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        await say("421 post.example is busy" if self.is_shut else "220 post.example ready")
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            word = line[:4].upper()
            if word == "QUIT":
                await say("221 bye")
                break
            to = line.partition("<")[2].partition(">")[0]
            if word == "RCPT" and (self.refuses is True or (self.refuses and to in self.refuses)):
                await say("550 no such mailbox as that one")
            elif word == "DATA":
                await say("354 go on")
                self.received.append(await self._content(reader))
                if self.hangs_up:
                    self.hangs_up -= 1
                    break
                await say("250 taken")
            else:
                if word == "RCPT":
                    self.recipients.append(to)
                await say("250 ok")
        writer.close()

    async def _content(self, reader: asyncio.StreamReader) -> bytes:
        lines = []
        while (line := await reader.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)


@contextmanager
def post_office() -> Iterator[PostOffice]:
    """An open post office; closed afterwards."""
    office, loop, ready, closing = PostOffice(), asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def main() -> None:
        async with await asyncio.start_server(office.serve, "127.0.0.1", 0) as server:
            office.port = server.sockets[0].getsockname()[1]
            ready.set()
            await closing.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield office
    finally:
        loop.call_soon_threadsafe(closing.set)
        thread.join(10)
        loop.close()
