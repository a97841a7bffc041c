"""Where agents lie: a folder each, ``NAME/agent.safetensors`` and ``NAME/card.json``. Torch-free.

A folder is written whole under another name and renamed, so that a name is an agent, whole, or nothing. One that is
replaced is first moved aside, and moved back by the next who looks if the new one did not come.
"""

import difflib
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from meta_learner.agents.card import NAME, AgentError, Card, HeldOut, Weights, read_card

WEIGHTS, CARD = "agent.safetensors", "card.json"
SHIPPED = Path(__file__).parent / "shipped"
MOST_BYTES = 256 * 2**20  # of weights
MOST_CARD_BYTES = 4 * 2**20
_ASIDE = ".replaced"


@dataclass(frozen=True)
class Stored:
    """An agent as it lies in a folder."""

    folder: Path
    card: Card
    shipped: bool

    @property
    def name(self) -> str:
        return self.card.name

    def weights(self) -> bytes:
        """Its weights, as the card says they are; AgentError if they are others."""
        path, wanted = self.folder / WEIGHTS, self.card.weights
        content = _read(path, MOST_BYTES)
        found = weights_of(content)
        if found != wanted:
            raise AgentError(
                f"{path} holds other weights (sha256 {found.sha256[:12]}, {found.bytes} bytes) than its card says "
                f"({wanted.sha256[:12]}, {wanted.bytes} bytes); bring the agent anew from where it came from"
            )
        return content


@dataclass(frozen=True)
class Store:
    """The agents of a folder of one's own and those shipped with Organon. A name of one's own comes first."""

    own: Path
    shipped: Path = SHIPPED

    def names(self) -> list[str]:
        """All names, sorted; whether their cards can be read or not."""
        return sorted({name for place in (self.own, self.shipped) for name in _names(place)})

    def find(self, name: str, sha256: str | None = None) -> Stored:
        """The agent of a name, and, if asked, with these weights; AgentError where there is none."""
        places = [place for place in (self.own, self.shipped) if name in _names(place)]
        if not places:
            near = difflib.get_close_matches(name, self.names(), 1, 0.4)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise AgentError(f"there is no agent {name!r}; {hint}organon agent list shows those that there are")
        found = [self._at(place, name) for place in places]
        same = [each for each in found if sha256 in (None, each.card.weights.sha256)]
        if not same:
            raise AgentError(
                f"the agent {name!r} here has the weights {found[0].card.weights.sha256[:12]}, and those asked for are "
                f"{(sha256 or '')[:12]}; put these back, or start anew with those that are here"
            )
        return same[0]

    def save(self, card: Card, weights: bytes, *, replace: bool = False) -> Stored:
        """Keep an agent among one's own, whole or not at all; AgentError where the name is taken, unless replaced."""
        if weights_of(weights) != card.weights:
            raise AgentError(f"the card of {card.name} is not one of these weights; make it with weights_of(…)")
        target = self.own / card.name
        if not replace and card.name in self.names():
            raise AgentError(
                f"there is an agent {card.name!r} already, in {self.find(card.name).folder}; choose another name"
            )
        with _writing(self.own):
            self.own.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = Path(mkdtemp(prefix=f".{card.name}.", dir=self.own))
            try:
                _write(draft / WEIGHTS, weights)
                _write(draft / CARD, _text(card))
                _move_in(draft, target)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return self._at(self.own, card.name)

    def record(self, stored: Stored, result: HeldOut) -> Stored:
        """Write a held-out result into an agent's card, where it lies, beside what others wrote meanwhile."""
        place = self.shipped if stored.shipped else self.own
        card = self._at(place, stored.name).card.with_result(result)
        with _writing(stored.folder):
            draft = stored.folder / f".{CARD}.{os.getpid()}"
            _write(draft, _text(card))
            draft.replace(stored.folder / CARD)
            _settle(stored.folder)
        return self._at(place, stored.name)

    def _at(self, place: Path, name: str) -> Stored:
        folder = place / name
        text = _read(folder / CARD, MOST_CARD_BYTES)
        try:
            card = read_card(text.decode(), str(folder / CARD))
        except UnicodeDecodeError:
            raise AgentError(f"{folder / CARD} is no text; bring the agent anew from where it came from") from None
        if card.name != name:
            raise AgentError(f"{folder / CARD} is the card of {card.name!r}; give the folder that name")
        return Stored(folder, card, shipped=place == self.shipped)


def weights_of(content: bytes) -> Weights:
    """What a card says of a weights file."""
    return Weights(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def read_folder(folder: Path) -> tuple[Card, bytes]:
    """An agent that lies anywhere, checked: its card and weights."""
    card = read_card(_read(folder / CARD, MOST_CARD_BYTES).decode(errors="replace"), str(folder / CARD))
    return card, Stored(folder, card, shipped=False).weights()


def _names(place: Path) -> list[str]:
    """The agents of a folder; one that was moved aside for another that never came is moved back."""
    if not place.is_dir():
        return []
    for aside in place.glob(f".*{_ASIDE}"):
        name = aside.name.removeprefix(".").removesuffix(_ASIDE)
        if not (place / name).exists():
            with _writing(place):
                aside.rename(place / name)
    return sorted(each.name for each in place.iterdir() if NAME.fullmatch(each.name) and (each / CARD).exists())


def _move_in(draft: Path, target: Path) -> None:
    """Rename a folder that is complete to its name; what was there goes first aside, then away."""
    _settle(draft)
    aside = target.with_name(f".{target.name}{_ASIDE}")
    if target.exists():
        shutil.rmtree(aside, ignore_errors=True)
        target.rename(aside)
    draft.rename(target)
    _settle(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


def _text(card: Card) -> bytes:
    return (card.model_dump_json(indent=2) + "\n").encode()


def _read(path: Path, most: int) -> bytes:
    try:
        size = path.stat().st_size
        if size > most:
            raise AgentError(f"{path} has {size:,} bytes, and {most:,} are the most that an agent's may have")
        return path.read_bytes()
    except OSError as error:
        raise AgentError(f"{path} cannot be read ({error.strerror}); bring the agent anew") from None


def _write(path: Path, content: bytes) -> None:
    """On the disk when this returns."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """The folder's entries on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AgentError(
            f"{place} cannot be written to ({error.strerror or error}); agents of your own lie in ORGANON_HOME "
            "(organon agent import)"
        ) from error
