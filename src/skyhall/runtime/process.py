"""The process of a satellite on this machine: `python -m skyhall.runtime.process SPEC`.

Commands come as JSON lines on standard input, answers go as JSON lines to standard output. A ping is answered at once,
whatever is being computed. A satellite that hears nothing for longer than its lease ends itself: its seat may have been
given away.
"""

from __future__ import annotations

import json
import os
import queue
import select
import sys
import threading
from typing import Any

from skyhall.runtime.engines.engine import WorkerSpec

__all__ = ["main"]

_FENCED = 75  # exit code of a process that ended itself, EX_TEMPFAIL of sysexits.h


def main() -> None:
    """Serve until told to exit."""
    raw: dict[str, Any] = json.loads(sys.argv[1])
    lease = float(raw.pop("lease"))
    out, lock = os.fdopen(os.dup(1), "w", encoding="utf-8"), threading.Lock()
    os.dup2(2, 1)  # what libraries print is no answer

    def answer(said: dict[str, Any]) -> None:
        with lock:
            out.write(json.dumps(said) + "\n")
            out.flush()

    inbox: queue.Queue[Any] = queue.Queue()

    def listen() -> None:
        rest = b""
        while True:
            ready, _, _ = select.select([0], [], [], lease)
            data = os.read(0, 1 << 16) if ready else b""
            if not data:  # the coordinator is gone, or has long been silent
                os._exit(_FENCED)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                command = json.loads(line)
                if command["kind"] == "ping":
                    answer({"kind": "pong"})
                else:
                    inbox.put(command)

    threading.Thread(target=listen, daemon=True).start()
    from skyhall.runtime.worker import Worker  # imports torch, while pings are answered

    Worker(WorkerSpec(**raw), answer, inbox).run()
    os._exit(0)


if __name__ == "__main__":
    main()
