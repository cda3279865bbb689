# SPDX-License-Identifier: Apache-2.0
"""As much of W&B's server as `wandb sweep`, `wandb agent` and an online run need, on this machine.

It keeps what it is told in memory: sweeps, the runs with their config, and the lines of history.
"""

import gzip
import itertools
import json
import re
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import yaml

USER = {"id": "u", "entity": "tester", "username": "tester", "name": "tester", "admin": False}
USER |= {"flags": "{}", "email": "tester@localhost", "teams": {"edges": []}}


class Server:
    """The server, and what it was told.

    Attributes:
        sweeps: ID -> its config, and the arguments that are still to be given out.
        runs: ID -> what the runs said of themselves.
        history: Run ID -> logged rows, in the order of their arrival.
        requests: How many came, of any kind.
    """

    def __init__(self) -> None:
        self.sweeps: dict[str, dict[str, Any]] = {}
        self.agents: dict[str, str] = {}
        self.runs: dict[str, dict[str, Any]] = defaultdict(dict)
        self.history: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.requests = 0
        self.numbers = itertools.count(1)
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def answer(self, query: str, given: dict[str, Any]) -> dict[str, Any] | None:
        """The data that a GraphQL request gets; None: not known here."""
        found = re.search(r"(?:query|mutation)\s+(\w+)", query)
        known = {
            "UpsertSweep": self._upsert_sweep,
            "CreateAgent": self._create_agent,
            "Heartbeat": self._heartbeat,
            "UpsertBucket": self._upsert_bucket,
            "RunResumeStatus": self._resume_status,
        }
        if found and found[1] in known:
            return known[found[1]](given)
        if "sweep(sweepName" in query:
            return {"project": {"sweep": self._described(given["sweep"])}}
        if "viewer" in query:
            return {"viewer": USER, "serverInfo": self._info()}
        return {"serverInfo": self._info()} if "serverInfo" in query else None

    def _info(self) -> dict[str, Any]:
        return {"cliVersionInfo": {}, "latestLocalVersionInfo": None, "features": []}

    def _upsert_sweep(self, given: dict[str, Any]) -> dict[str, Any]:
        name = given.get("id") or f"sweep{next(self.numbers)}"
        if given.get("config"):
            config = yaml.safe_load(given["config"])
            axes = [
                [(key, value) for value in entry.get("values", [entry.get("value")])]
                for key, entry in config["parameters"].items()
            ]
            waiting = [dict(point) for point in itertools.product(*axes)]
            self.sweeps[name] = {"config": config, "waiting": waiting}
        answer = {"name": name, "project": self._project("disent")}
        return {"upsertSweep": {"sweep": answer, "configValidationWarnings": []}}

    def _create_agent(self, given: dict[str, Any]) -> dict[str, Any]:
        name = f"agent{next(self.numbers)}"
        self.agents[name] = given["sweep"]
        return {"createAgent": {"agent": {"id": name}}}

    def _heartbeat(self, given: dict[str, Any]) -> dict[str, Any]:
        sweep = self.sweeps[self.agents[given["id"]]]
        commands = []
        if not json.loads(given["runState"] or "{}") and sweep["waiting"]:
            point, run = sweep["waiting"].pop(0), f"run{next(self.numbers)}"
            arguments = {key: {"value": value} for key, value in point.items()}
            command = {"id": run, "type": "run", "run_id": run, "args": arguments}
            commands = [command | {"program": sweep["config"].get("program")}]
        elif not json.loads(given["runState"] or "{}"):
            commands = [{"id": "end", "type": "exit"}]
        agent = {"agent": {"id": given["id"]}, "commands": json.dumps(commands)}
        return {"agentHeartbeat": agent}

    def _upsert_bucket(self, given: dict[str, Any]) -> dict[str, Any]:
        name = given.get("name") or given.get("id") or ""
        new = name not in self.runs
        self.runs[name] |= {key: value for key, value in given.items() if value is not None}
        bucket = {"id": name, "name": name, "displayName": name, "description": ""}
        bucket |= {"config": self.runs[name].get("config") or "{}", "sweepName": None}
        bucket |= {"project": self._project("disent"), "historyLineCount": 0}
        return {"upsertBucket": {"bucket": bucket, "inserted": new}}

    def _resume_status(self, given: dict[str, Any]) -> dict[str, Any]:
        name = given["name"]
        if name not in self.runs:
            return {"model": {"id": "p", "name": "disent", "bucket": None}}
        rows = self.history[name]
        bucket = {"id": name, "name": name, "displayName": name, "config": "{}", "tags": []}
        bucket |= {"summaryMetrics": "{}", "wandbConfig": "{}", "eventsTail": "[]"}
        bucket |= {"logLineCount": 0, "historyLineCount": len(rows), "eventsLineCount": 0}
        bucket |= {"historyTail": json.dumps([json.dumps(row) for row in rows[-1:]])}
        entity = self._project("disent")["entity"]
        return {"model": {"id": "p", "name": "disent", "entity": entity, "bucket": bucket}}

    def _described(self, name: str) -> dict[str, Any]:
        config = self.sweeps[name]["config"]
        empty = ("description", "heartbeatAt", "updatedAt", "bestLoss", "controller", "scheduler")
        said = {"id": name, "name": name, "method": config["method"], "state": "RUNNING"}
        said |= {"config": yaml.safe_dump(config), "createdAt": "2026-01-01T00:00:00"}
        return said | dict.fromkeys(empty) | {"earlyStopJobRunning": False, "runs": {"edges": []}}

    def _project(self, name: str) -> dict[str, Any]:
        return {"id": "p", "name": name, "entity": {"id": "e", "name": "tester"}}

    def _streamed(self, run: str, files: dict[str, Any]) -> None:
        for line in files.get("wandb-history.jsonl", {}).get("content") or []:
            self.history[run].append(json.loads(line))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

            def _body(self) -> bytes:
                server.requests += 1
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                packed = self.headers.get("Content-Encoding") == "gzip"
                return gzip.decompress(body) if packed else body

            def _reply(self, content: Any) -> None:
                body = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = self._body()
                if "graphql" in self.path:
                    asked = json.loads(body)
                    data = server.answer(asked["query"], asked.get("variables") or {})
                    unknown = {"errors": [{"message": "not known here"}]}
                    self._reply(unknown if data is None else {"data": data})
                    return
                if "file_stream" in self.path:
                    server._streamed(self.path.split("/")[-2], json.loads(body).get("files") or {})
                self._reply({"exitcode": None, "limits": {}})

            def do_GET(self) -> None:
                server.requests += 1
                self._reply({})

            def do_PUT(self) -> None:
                self._body()
                self._reply({})

        return Handler
