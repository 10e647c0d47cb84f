"""What a run of bench.py has seen so far, in a file: one that was interrupted can go on."""

import json
from contextlib import suppress


class Kept:
    """What each visit to each server has brought; written to the file after each of them.

    asked    what the run was asked for: figures of another one are of no use to it
    seen     {name: {"of": fingerprint, "visits": {visit: figures, ...}}, ...}
    """

    def __init__(self, path, asked):
        self.path, self.asked, self.seen = path, asked, {}

    def take_over(self, chosen):
        """Read what an interrupted run has left of those that have not changed since; how many
        visits that were."""
        with suppress(OSError, ValueError, KeyError):  # no such file, or none of ours
            left = json.loads(self.path.read_text())
            if left["asked"] == self.asked:
                self.seen = {one.name: left["seen"][one.name] for one in chosen
                             if left["seen"].get(one.name, {}).get("of") == one.fingerprint()}
        return sum(len(of_one["visits"]) for of_one in self.seen.values())

    def visits(self, name):
        return self.seen.get(name, {}).get("visits", {})

    def add(self, one, visit, figures):
        of_one = self.seen.setdefault(one.name, {"of": one.fingerprint(), "visits": {}})
        of_one["visits"][visit] = figures
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({"asked": self.asked, "seen": self.seen}))
        new.replace(self.path)  # at no time is the file half written

    def forget(self):
        self.path.unlink(missing_ok=True)
