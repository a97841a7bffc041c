"""The store: an agent is there whole or not at all, whatever happens meanwhile; what is wrong is said."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from meta_learner.agents.card import AgentError
from meta_learner.agents.store import CARD, MOST_BYTES, SHIPPED, WEIGHTS, Store, read_folder, weights_of
from tests.tiny_agents import proven, result, tiny

ROOT = Path(__file__).parents[3]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "own", tmp_path / "shipped")


def test_what_is_saved_is_found(store: Store) -> None:
    assert store.names() == []
    card, weights = tiny()
    saved = store.save(card, weights)
    assert store.names() == ["tiny-one"]
    assert store.find("tiny-one") == saved
    assert (saved.card, saved.weights(), saved.shipped) == (card, weights, False)
    assert read_folder(saved.folder) == (card, weights)
    assert sorted(path.name for path in store.own.iterdir()) == ["tiny-one"]
    assert store.own.stat().st_mode & 0o777 == 0o700


def test_a_name_is_taken_unless_replaced(store: Store) -> None:
    store.save(*tiny())
    other = tiny(weight=2.0)
    with pytest.raises(AgentError, match=r"there is an agent 'tiny-one' already, in .*choose another name"):
        store.save(*other)
    assert store.save(*other, replace=True).weights() == other[1]
    assert sorted(path.name for path in store.own.iterdir()) == ["tiny-one"]


def test_one_of_ones_own_comes_before_a_shipped_one_but_weights_decide(store: Store) -> None:
    shipped, own = tiny(weight=2.0), tiny()
    Store(store.shipped).save(*shipped)
    assert store.find("tiny-one").shipped
    store.save(*own, replace=True)
    assert store.find("tiny-one").weights() == own[1]
    assert store.find("tiny-one", shipped[0].weights.sha256).shipped
    with pytest.raises(
        AgentError, match=rf"here has the weights {own[0].weights.sha256[:12]}, and .* 000000000000; put"
    ):
        store.find("tiny-one", "0" * 64)


def test_a_name_that_is_not_there(store: Store) -> None:
    store.save(*tiny())
    with pytest.raises(AgentError, match="there is no agent 'tiny-on'; did you mean 'tiny-one'"):
        store.find("tiny-on")
    with pytest.raises(AgentError, match="there is no agent"):
        store.find("../own/tiny-one")


@pytest.mark.parametrize("damage", ["flipped", "shortened", "missing", "endless"])
def test_tampered_weights_are_refused(store: Store, damage: str) -> None:
    saved = store.save(*tiny())
    path, content = saved.folder / WEIGHTS, saved.weights()
    if damage == "endless":
        with path.open("wb") as file:
            file.truncate(MOST_BYTES + 1)
    elif damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:-1] + (bytes([content[-1] ^ 1]) if damage == "flipped" else b""))
    words = {"missing": "cannot be read", "endless": "are the most that an agent's may have"}
    with pytest.raises(AgentError, match=words.get(damage, r"holds other weights .* than its card says .*bring")):
        store.find("tiny-one").weights()


def test_cards_that_are_not_the_agents(store: Store) -> None:
    saved = store.save(*tiny())
    saved.folder.rename(store.own / "other")
    with pytest.raises(AgentError, match="is the card of 'tiny-one'; give the folder that name"):
        store.find("other")
    (store.own / "other" / CARD).write_bytes(b"\xff")
    with pytest.raises(AgentError, match="is no text"):
        store.find("other")


def test_a_card_belongs_to_its_weights(store: Store) -> None:
    with pytest.raises(AgentError, match="the card of tiny-one is not one of these weights"):
        store.save(tiny()[0], tiny(weight=2.0)[1])
    assert store.names() == []


def test_results_are_added_where_the_agent_lies(store: Store) -> None:
    old = store.save(*tiny())
    store.record(old, result(old.card))
    grown = store.record(old, result(old.card, "d1"))  # told of the card as it was before the first
    assert [each.domain.name for each in grown.card.held_out] == ["d0", "d1"]
    assert sorted(path.name for path in grown.folder.iterdir()) == [WEIGHTS, CARD]
    shipped = Store(store.shipped).save(*tiny("other"))
    store.record(replace(shipped, shipped=True), result(shipped.card))
    assert len(store.find("other").card.held_out) == 1


def test_a_folder_that_cannot_be_written_to(store: Store) -> None:
    store.own.write_text("a file where the folder would be")
    with pytest.raises(AgentError, match=r"own cannot be written to .*ORGANON_HOME"):
        store.save(*tiny())


# Ends the process, as a kill does, at the n-th time that a file is opened, made, renamed or removed.
KILLED = """
import os, sys
from pathlib import Path
from meta_learner.agents.store import Store, read_folder

place, what, left = Path(sys.argv[1]), sys.argv[2], [int(sys.argv[3])]
store = Store(place / "own", place / "none")
card, weights = read_folder(place / "new" / "tiny-one")
old = store.find("tiny-one")
EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree")

def count(event, arguments):
    if event in EVENTS:
        left[0] -= 1
        if left[0] == 0:
            os._exit(9)

sys.addaudithook(count)
if what == "save":
    store.save(card, weights, replace=True)
else:
    store.record(old, card.held_out[0])
"""


@pytest.mark.parametrize("what", ["save", "record"])
def test_killed_at_any_time_an_agent_is_the_old_or_the_new(tmp_path: Path, what: str) -> None:
    seen = []
    for count in range(1, 60):
        place = tmp_path / str(count)
        store = Store(place / "own", place / "none")
        old = store.save(*tiny()).card
        new, weights = tiny(weight=2.0) if what == "save" else tiny()
        new = proven(new)
        Store(place / "new", place / "none").save(new, weights)
        ended = subprocess.run([sys.executable, "-c", KILLED, str(place), what, str(count)], cwd=ROOT, check=False)
        found = store.find("tiny-one")
        assert weights_of(found.weights()) == found.card.weights
        seen.append("old" if found.card == old else "new")
        if ended.returncode == 0:
            break
        assert ended.returncode == 9
        assert store.save(new, weights, replace=True).card == new, "what a kill left behind does no harm"
    assert set(seen) == {"old", "new"}
    assert len(seen) >= 4
    assert seen == sorted(seen, reverse=True), "once it is new, it stays so"


def test_what_is_shipped_is_small_and_in_order() -> None:
    store = Store(SHIPPED, SHIPPED)
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) <= 10e6
    assert {path.name for path in SHIPPED.glob("*") if path.is_dir()} == set(store.names())
    for name in store.names():
        store.find(name).weights()
