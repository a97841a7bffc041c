"""One kept connection to the HTTP interface."""

import http.client
import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit


class ClientError(Exception):
    """The interface refused or did not answer. status: of the answer; 0 where there was none."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Connection:
    """JSON out and in over one connection, opened again where the other side closed it. Of one thread at a time."""

    def __init__(self, url: str, token: str, timeout: float) -> None:
        """url: such as http://127.0.0.1:8502; timeout: seconds to wait for an answer."""
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ClientError(0, f"{url} is no address of Organon; write it as http://127.0.0.1:8502")
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(address.hostname, address.port, timeout=timeout)
        self._where, self._path = f"{address.scheme}://{address.netloc}", address.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def ask(self, method: str, path: str, body: Any = None, *, again: bool = True) -> Any:
        """What is answered; None where there is nothing to say. again: whether to ask once more where the connection
        was lost, which is right for whatever counts once however often it is said."""
        try:
            return self._once(method, path, body)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if not again:
                raise ClientError(0, f"{self._where} does not answer ({error})") from error
        return self.ask(method, path, body, again=False)

    def _once(self, method: str, path: str, body: Any) -> Any:
        headers = dict(self._headers)
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        self._connection.request(method, f"{self._path}/v1{path}", content, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise ClientError(answer.status, _message(answer.status, text))
        return json.loads(text) if text else None

    def close(self) -> None:
        """Let the connection go; the next question opens one."""
        with suppress(OSError):
            self._connection.close()


def _message(status: int, text: bytes) -> str:
    with suppress(ValueError, KeyError, TypeError):
        return str(json.loads(text)["error"])
    return f"status {status}: {text[:200].decode('utf-8', 'replace')}"
