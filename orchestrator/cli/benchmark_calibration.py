"""``organon benchmark calibration``: are beliefs right as often as they say, over the catalogue?"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domains import catalogue
from domains.loading import find
from meta_learner.evaluation import results
from orchestrator import services
from orchestrator.cli import benchmark_options as options
from orchestrator.cli.calibration_document import COLUMNS, as_document
from orchestrator.cli.output import Json, console, errors, print_json, print_table
from orchestrator.cli.progress import progress_bar
from orchestrator.errors import RequestError

if TYPE_CHECKING:
    from meta_learner.evaluation.calibration import JudgedPart
    from meta_learner.evaluation.calibration_report import Calibration
    from meta_learner.evaluation.kept_runs import KeptRuns, Setting


def calibration(
    domains: options.DomainsArgument = None,
    runs: options.WorldsOption = 40,
    runs_of: options.RunsOfOption = None,
    skip: options.SkipOption = None,
    policy: options.PolicyOption = services.BEST_POLICY,
    particles: options.ParticlesOption = 2000,
    seed: options.SeedOption = 0,
    block_runs: options.BlockRunsOption = 10,
    processes: options.ProcessesOption = 1,
    keep: options.KeepOption = None,
    only_kept: options.OnlyKeptOption = False,
    out: options.OutOption = None,
    plot: options.PlotOption = None,
    json: Json = False,
) -> None:
    """Draw worlds from the prior, investigate them, and compare what is true with what is believed.

    Every statistic is judged against its exact distribution for a belief that is right. With --keep, what was
    interrupted goes on where it was, and several invocations on one folder add up to one report.
    """
    _check_file(out, ".json")
    _check_file(plot, ".html")
    counts = wanted(domains or [], runs, runs_of or [], skip or [])
    for name in counts:
        services.check_policy(policy, find(name))
    from meta_learner.belief import BeliefSettings
    from meta_learner.evaluation.kept_runs import Setting

    setting = Setting.of(policy, seed, BeliefSettings(particles=particles), block_runs)
    folder = _folder(keep, only_kept, setting, counts)
    judged = _kept(folder) if only_kept else _investigate(counts, setting, folder, processes)
    _report(judged, setting, processes, out=out, plot=plot, json=json)


def wanted(domains: Sequence[str], runs: int, runs_of: Sequence[str], skip: Sequence[str]) -> dict[str, int]:
    """Domain → how many worlds. RequestError where an option names a domain that is not asked for."""
    counts = dict.fromkeys(domains or catalogue.names(), runs)
    for entry in runs_of:
        name, _, number = entry.partition("=")
        if name not in counts or not number.isdigit() or int(number) < 1:
            raise RequestError(f"--runs-of {entry}: write DOMAIN=N, one of the domains asked for and N of at least 1")
        counts[name] = int(number)
    for name in skip:
        if name not in counts:
            raise RequestError(f"--skip {name}: not among the domains asked for: {', '.join(counts)}")
        del counts[name]
    if not counts:
        raise RequestError("every domain is skipped; leave one to calibrate")
    return counts


def _check_file(path: Path | None, suffix: str) -> None:
    if path is None:
        return
    if path.suffix != suffix:
        raise RequestError(f"{path}: the file's name must end in {suffix}")
    if not path.absolute().parent.is_dir():
        raise RequestError(f"{path}: there is no folder {path.absolute().parent}; make it first")


def _folder(keep: Path | None, only_kept: bool, setting: "Setting", counts: dict[str, int]) -> "KeptRuns | None":
    """The folder of kept runs, if one is named; DomainError where it holds runs of another setting."""
    if keep is None:
        if only_kept:
            raise RequestError("--only-kept reports on a folder of kept runs; name it with --keep FOLDER")
        return None
    from meta_learner.evaluation.kept_runs import KeptRuns

    return KeptRuns(keep, setting, list(counts))


def _kept(folder: "KeptRuns | None") -> list["JudgedPart"]:
    found = [] if folder is None else [folder.load(part) for part in folder.parts()]
    parts = [part for part in found if part is not None]
    if not parts:
        raise RequestError("--only-kept: the folder holds no runs of the domains asked for; leave --only-kept out")
    return parts


def _investigate(
    counts: dict[str, int], setting: "Setting", folder: "KeptRuns | None", processes: int
) -> list["JudgedPart"]:
    """All runs, in the order of the domains, whatever the number of processes."""
    from meta_learner.evaluation.calibration import judged_parts, parts, timed_part

    job = partial(timed_part, policy=setting.policy, seed=setting.seed, settings=setting.belief)
    cut = parts(counts, setting.block_runs)
    domain = _DomainProgress(Counter(part.domain for part in cut), counts)
    with progress_bar() as told:
        return judged_parts(
            job,
            cut,
            processes=processes,
            keeper=folder,
            tell=lambda share: told(domain.title, share),
            done=domain.done,
        )


class _DomainProgress:
    """Tells every domain that is done, a line each on the error stream."""

    def __init__(self, left: "Counter[str]", worlds: dict[str, int]) -> None:
        self._left, self._worlds, self._domains = left, worlds, len(left)
        self._seconds = dict.fromkeys(left, 0.0)

    @property
    def title(self) -> str:
        """What is at work."""
        at_work = next((name for name, count in self._left.items() if count), "")
        return f"{at_work} ({self._domains - self._unfinished} of {self._domains} domains done)"

    @property
    def _unfinished(self) -> int:
        return sum(count > 0 for count in self._left.values())

    def done(self, judged: "JudgedPart") -> None:
        """A part that is done, or was kept."""
        name = judged.part.domain
        self._left[name] -= 1
        self._seconds[name] += judged.seconds
        if not self._left[name]:
            errors.print(
                f"{name}: {self._worlds[name]} worlds, {self._seconds[name]:.3g} s of CPU "
                f"({self._domains - self._unfinished} of {self._domains} domains)",
                markup=False,
            )


def _report(
    judged: Sequence["JudgedPart"],
    setting: "Setting",
    processes: int,
    *,
    out: Path | None,
    plot: Path | None,
    json: bool,
) -> None:
    """Compare with exact beliefs; write and print what was found."""
    from meta_learner.evaluation.calibration_report import assess

    with errors.status("comparing with exact beliefs"):
        found = assess(list(chain.from_iterable(part.runs for part in judged)), setting.seed)
    seconds = round(sum(part.seconds for part in judged), 1)
    document = results.plain(as_document(found, setting, processes=processes, seconds=seconds))
    if out is not None:
        out.write_text(_compact(document) + "\n", encoding="utf-8")
    if plot is not None:
        from orchestrator.cli.calibration_figure import calibration_figure

        plot.write_text(calibration_figure(found).to_html(include_plotlyjs=True), encoding="utf-8")
    if json:
        print_json(document)
    else:
        _print(document, found)


def _compact(document: dict[str, Any]) -> str:
    """JSON with an entry of a long list a line."""
    import json

    def text(value: Any) -> str:
        if isinstance(value, list):
            return "[\n" + ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in value) + "\n]"
        return json.dumps(value, ensure_ascii=False)

    return "{\n" + ",\n".join(f"{json.dumps(key)}: {text(value)}" for key, value in document.items()) + "\n}"


def _print(document: dict[str, Any], found: "Calibration") -> None:
    print_table(COLUMNS, [[_cell(cell) for cell in row] for row in document["rows"]])
    for result in found.outside:
        console.print(
            f"outside: {result.about}, {result.name}: {result.observed:.4g}, an exact belief gives {result.mean:.4g} "
            f"and stays within {result.low:.4g} … {result.high:.4g} (p = {result.p:.1g})",
            markup=False,
        )
    if found.power:
        console.print("\nThe probability with which a fault would be found, by the best single statistic")
        what, *scopes = found.power[0]
        rows = [[row[what], *(f"{row[scope]:.1%}" for scope in scopes)] for row in found.power]
        print_table(["fault", *scopes], rows)
    console.print(f"\n{document['note']}", markup=False)


def _cell(cell: Any) -> str:
    if isinstance(cell, list):
        return " … ".join(f"{end:.4g}" for end in cell)
    return "" if cell is None else f"{cell:.3g}" if isinstance(cell, float) else str(cell)
