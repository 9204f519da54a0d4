"""What is one path or port in a container, and another one on this machine."""

import socket


class Here:
    def __init__(self, binary, folders):
        """`folders` names those of the container, each with the one that stands for it."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._binary = binary
        self._places = {**folders, "8080": self.port}

    def __call__(self, text):
        for there, here in self._places.items():
            text = text.replace(there, str(here))
        return self._binary if text == "suanpan" else text

    def command(self, words):
        return [self(word) for word in words]

    def environment(self, variables):
        return {name: self(text) for name, text in variables.items()}
