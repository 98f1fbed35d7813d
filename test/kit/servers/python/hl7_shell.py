"""python-hl7 and hl7apy as a servant: a command a line, its words between tabs, texts as base64 of UTF-8; one line of answer each."""
import asyncio
import base64
import socket
import sys
import threading
import time

import hl7
from hl7.client import MLLPClient
from hl7.mllp import open_hl7_connection, start_hl7_server


class Synchronous:
    """hl7.client.MLLPClient: what most scripts use. It writes UTF-8."""

    def __init__(self, host, port):
        self.client = MLLPClient(host, port)
        self.client.socket.settimeout(30)

    def prepare(self, text):
        return hl7.parse(text)

    def send(self, message):
        return self.client.send_message(message).strip(b"\x0b\x1c\r").decode("utf-8")

    def close(self):
        self.client.close()


class Asynchronous:
    """The package's asyncio streams; without an encoding they write ASCII."""

    def __init__(self, host, port):
        self.loop = asyncio.new_event_loop()
        self.reader, self.writer = self.loop.run_until_complete(open_hl7_connection(host, port, encoding="utf-8"))

    def prepare(self, text):
        return hl7.parse(text)

    def send(self, message):
        async def exchange():
            self.writer.writemessage(message)
            await self.writer.drain()
            return str(await asyncio.wait_for(self.reader.readmessage(), 30))

        return self.loop.run_until_complete(exchange())

    def close(self):
        self.writer.close()


class Built:
    """hl7apy has no client: its own model and encoding, over a socket."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), 30)

    def prepare(self, text):
        from hl7apy.parser import parse_message

        return parse_message(text, find_groups=False).to_mllp().encode("utf-8")

    def send(self, message):
        self.socket.sendall(message)
        answer = b""
        while b"\x1c\r" not in answer:
            part = self.socket.recv(65536)
            if not part:
                raise ConnectionError("closed without an answer")
            answer += part
        return answer.strip(b"\x0b\x1c\r").decode("utf-8")

    def close(self):
        self.socket.close()


CLIENTS = {"hl7": Synchronous, "aio": Asynchronous, "hl7apy": Built}
connections = []
received = []
served = 0


def took(text, error_every, keep):
    global served
    served += 1
    if keep:
        received.append(b64(text))
    return "AE" if error_every and served % error_every == 0 else "AA"


def listen_hl7(port, error_every, keep, ready):
    async def serve(reader, writer):
        try:
            while not writer.is_closing():
                message = await reader.readmessage()
                writer.writemessage(message.create_ack(took(str(message), error_every, keep)))
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def main():
        server = await start_hl7_server(serve, port=port, host="127.0.0.1", encoding="utf-8")
        ready.set()
        async with server:
            await server.serve_forever()

    asyncio.run(main())


def listen_hl7apy(port, error_every, keep, ready):
    """hl7apy's server: one message a connection, and only types that are registered."""
    from hl7apy.core import Message
    from hl7apy.mllp import AbstractErrorHandler, AbstractHandler, MLLPServer
    from hl7apy.parser import parse_message

    def answer(text, code):
        said = parse_message(text, find_groups=False)
        ack = Message("ACK", version=said.version)
        ack.msh.msh_9 = "ACK"
        ack.msh.msh_10 = "A" + said.msh.msh_10.value
        ack.add_segment("MSA")
        ack.msa.msa_1 = code
        ack.msa.msa_2 = said.msh.msh_10.value
        return ack.to_mllp()

    class Taken(AbstractHandler):
        def reply(self):
            return answer(self.incoming_message, took(self.incoming_message, error_every, keep))

    class Refused(AbstractErrorHandler):
        def reply(self):
            return answer(self.incoming_message, "AR")

    handlers = {kind: (Taken,) for kind in ("ORU^R01^ORU_R01", "ORU^R40^ORU_R40")}
    handlers["ERR"] = (Refused,)
    server = MLLPServer("127.0.0.1", port, handlers, timeout=60)
    ready.set()
    server.serve_forever()


def code_of(answer):
    msa = hl7.parse(answer).segment("MSA")
    return str(msa(1)), str(msa(2))


def load(connection, template, prefix, count):
    messages = [connection.prepare(template.replace("@@", prefix + str(i))) for i in range(count)]
    answers, waits = [], []
    started = time.perf_counter()
    for message in messages:
        sent = time.perf_counter()
        answers.append(connection.send(message))
        waits.append((time.perf_counter() - sent) * 1e3)
    seconds = time.perf_counter() - started
    waits.sort()
    accepted = sum(code_of(answer)[0] == "AA" for answer in answers)
    return [accepted, seconds, waits[count // 2], waits[min(count - 1, count * 99 // 100)]]


def run(words):
    command = words[0]
    if command == "connect":
        connections.append(CLIENTS[words[3]](words[1], int(words[2])))
        return [len(connections) - 1]
    if command == "send":
        connection = connections[int(words[1])]
        answer = connection.send(connection.prepare(text(words[2])))
        code, control_id = code_of(answer)
        return [code, b64(control_id), b64(answer)]
    if command == "load":
        return load(connections[int(words[1])], text(words[2]), words[3], int(words[4]))
    if command == "listen":
        ready = threading.Event()
        target = listen_hl7apy if words[2] == "hl7apy" else listen_hl7
        threading.Thread(target=target, args=(int(words[1]), int(words[3]), words[4] == "keep", ready), daemon=True).start()
        if not ready.wait(20):
            raise TimeoutError("the server did not start")
        return []
    if command == "received":
        return list(received)
    if command == "close":
        connections[int(words[1])].close()
        return []
    raise ValueError("no command " + command)


def b64(value):
    return base64.b64encode(value.encode("utf-8")).decode("ascii")


def text(value):
    return base64.b64decode(value).decode("utf-8")


out = sys.stdout
sys.stdout = sys.stderr  # whatever a library prints is no answer
for line in sys.stdin:
    try:
        said = "\t".join(["ok", *map(str, run(line.rstrip("\n").split("\t")))])
    except Exception as e:  # the caller is told
        said = "error\t" + b64(f"{type(e).__name__}: {e}")
    out.write(said + "\n")
    out.flush()
