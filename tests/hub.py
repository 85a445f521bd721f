"""A stand-in for the Hugging Face Hub on this machine: as much of its HTTP API as `huggingface_hub` asks for models."""

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

TOKEN = "hf_of_the_test"


class Hub:
    """What the server holds.

    Attributes:
        repositories: {"USER/REPO": {file: its bytes}}, of the main branch.
        messages: of the commits.
        asked: (method, path) of every request.
        objects: {SHA-256: bytes} that were uploaded by the LFS protocol.
        tampers: function of (file, its bytes) to what is sent instead.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.messages: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.objects: dict[str, bytes] = {}
        self.tampers = lambda name, content: content
        self.endpoint = ""

    def revision(self, repository: str) -> str:
        """The commit of a repository's main branch, which changes with its files."""
        files = self.repositories[repository]
        return hashlib.sha1(repr(sorted((name, files[name]) for name in files)).encode()).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *arguments):
        pass

    def _answer(self, value=None, status=200, headers=None, body=None):
        body = json.dumps(value).encode() if body is None else body
        self.send_response(status)
        for name, content in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, content)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse(self, status, code):
        self._answer({"error": code}, status, {"X-Error-Code": code, "X-Error-Message": code})

    def _body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _may(self):
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        self._refuse(401, "Unauthorized")
        return False

    def _parts(self):
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((self.command, path))
        return path.strip("/").split("/")

    def do_POST(self):
        parts, body = self._parts(), self._body()
        if parts[-3:] == ["lfs", "objects", "batch"]:
            wanted = json.loads(body)["objects"]
            where = f"{self.hub.endpoint}/uploads/"
            objects = [{**each, "actions": {"upload": {"href": where + each["oid"]}}} for each in wanted]
            self._answer({"transfer": "basic", "objects": objects})
        elif parts == ["api", "validate-yaml"]:
            self._answer({"errors": [], "warnings": []})
        elif not self._may():
            pass
        elif parts == ["api", "repos", "create"]:
            asked = json.loads(body)
            repository = "/".join(filter(None, (asked.get("organization", "ada"), asked["name"].rpartition("/")[2])))
            self.hub.repositories.setdefault(repository, {})
            self._answer({"url": f"{self.hub.endpoint}/{repository}", "name": repository, "id": repository})
        elif parts[4:5] == ["preupload"]:
            files = json.loads(body)["files"]
            modes = {True: "lfs", False: "regular"}
            large = [
                {"path": each["path"], "uploadMode": modes[each["path"].endswith(".safetensors")]} for each in files
            ]
            self._answer({"files": [{**each, "shouldIgnore": False} for each in large]})
        elif parts[4:5] == ["commit"]:
            self._commit("/".join(parts[2:4]), [json.loads(line) for line in body.splitlines()])
        else:
            self._refuse(404, "EntryNotFound")

    def _commit(self, repository, lines):
        files = self.hub.repositories[repository]
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                self.hub.messages.append(value["summary"])
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
        revision = self.hub.revision(repository)
        self._answer({"commitUrl": f"{self.hub.endpoint}/{repository}/commit/{revision}", "commitOid": revision})

    def do_PUT(self):
        parts, body = self._parts(), self._body()
        if hashlib.sha256(body).hexdigest() != parts[-1]:
            self._refuse(400, "BadRequest")
            return
        self.hub.objects[parts[-1]] = body
        self._answer({})

    def do_GET(self):
        parts = self._parts()
        is_api = parts[:2] == ["api", "models"]
        repository = "/".join(parts[2:4] if is_api else parts[:2])
        files = self.hub.repositories.get(repository)
        if files is None:
            self._refuse(404, "RepoNotFound")
            return
        revision = self.hub.revision(repository)
        asked = parts[5] if is_api and parts[4:5] == ["revision"] else parts[3] if not is_api else "main"
        if asked not in ("main", revision):
            self._refuse(404, "RevisionNotFound")
        elif is_api:
            siblings = [{"rfilename": name, "size": len(content)} for name, content in files.items()]
            self._answer({"id": repository, "sha": revision, "siblings": siblings, "private": False})
        elif (name := "/".join(parts[4:])) not in files:
            self._refuse(404, "EntryNotFound")
        else:
            content = self.hub.tampers(name, files[name])
            headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": revision}
            self._answer(body=content, headers=headers)

    do_HEAD = do_GET


@contextlib.contextmanager
def standing_in() -> Iterator[Hub]:
    """Serves an empty `Hub` on a free port of this machine for a while."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
