"""A loopback mail server that keeps what it is sent: enough SMTP for an Alertmanager without TLS."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self, cast


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say(220)
        while line := self.rfile.readline():
            match line[:4].upper():
                case b"DATA":
                    self._say(354)
                    self._take()
                case b"QUIT":
                    self._say(221)
                    return
            if line[:4].upper() != b"QUIT":
                self._say(250)

    def _take(self) -> None:
        body = bytearray()
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            body += line.removeprefix(b".") if line.startswith(b"..") else line
        parsed = message_from_bytes(bytes(body), policy=policy.default)
        cast(MailServer, self.server).mails.append(parsed)

    def _say(self, code: int) -> None:
        self.wfile.write(f"{code} done\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    """`mails` are the messages as they came."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[EmailMessage] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
