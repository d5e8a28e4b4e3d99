"""The pipeline's result to one MLflow run: params, metrics, timings, where it came from, what changed, report and frames.

A run is found again by the fingerprint of its result, so publishing twice brings one run up to date. DVC is the truth: when the
server is down, the stage fails, nothing is lost, and the next `dvc repro` tries again.
"""

import argparse
import os
import shlex
import sys
from pathlib import Path

import yaml

from stages.artifacts import LOCKS, write_json
from stages.command import Run, execute, log, parser, stage_run
from stages.figures import check_figures, read_figures
from stages.params import PARAMS, read_params, sequence_names
from stages.pins import check_pins
from stages.publishing.description import describe, short_changes
from stages.publishing.provenance import Commit, current_commit, dvc_experiments, history
from stages.publishing.result import Result, timing_metrics, weights_hashes
from stages.publishing.store import COMMIT, DVC_EXPERIMENT, EXPERIMENT, Store, main_folder
from stages.scoring.closing import closing
from stages.timings import read_timings
from stages.versioning import text_at
from stages.yaml_file import read_yaml

PATHS = ("pins", "metrics", "per-sequence", "timings", "reports", "stills", "weights", "published")
NOTE = "mlflow.note.content"  # what MLflow's page shows as the run's description


def publish(args: argparse.Namespace, run: Run) -> Result:
    """Publishes the result in this folder, writes what was published, and returns it."""
    params = read_params()
    result = Result(params, read_figures(args.metrics), read_figures(args.per_sequence), weights_hashes(params, args.weights))
    timings = timing_metrics(read_timings(args.timings, sequence_names()))
    commit, experiment = current_commit(args.reports), os.environ.get("DVC_EXP_NAME")
    store = Store()
    tags = _tags(store, result, commit, experiment)
    new = store.publish(_run_name(result, commit, experiment), result, timings, tags, [args.reports, args.stills])
    metrics = sorted(result.flat_metrics())
    write_json(args.published, {"experiment": EXPERIMENT, "fingerprint": result.fingerprint, "metrics": metrics})
    run.counts = {"runs": 1, "metrics": len(metrics) + len(timings)}
    log.info("publish: %s run of %d metrics in %s", "a new" if new else "updated the", len(metrics) + len(timings), store.place)
    return result


def publish_experiments(args: argparse.Namespace, run: Run) -> None:
    """Publishes every DVC experiment whose result has no run: those restored from the run cache or pulled from elsewhere.

    Its params and metrics are those in its commit; its weights are hashed as they lie here.
    """
    experiments, store, published = dvc_experiments(), Store(), 0
    for name, sha in experiments:
        result = _result_at(sha, args)
        if result is None:
            log.info("publish: %s has no metrics: left out", name)
        elif store.run_id(result.fingerprint) is None:
            store.publish(name, result, {}, _tags(store, result, Commit(sha, dirty=False), name), [])
            published += 1
            log.info("publish: %s: a new run", name)
    run.counts = {"runs": published, "experiments": len(experiments)}
    log.info("publish: %d of %d experiments were new in %s", published, len(experiments), store.place)


def _result_at(sha: str, args: argparse.Namespace) -> Result | None:
    """The result in a commit; None where its files are not there."""
    texts = [text_at(sha, path) for path in (PARAMS, args.metrics, args.per_sequence)]
    if any(text is None for text in texts):
        return None
    params, *figures = (yaml.safe_load(text or "") for text in texts)  # JSON is YAML
    metrics, per_sequence = (check_figures(value, f"{sha[:7]}") for value in figures)
    return Result(check_figures(params, f"{sha[:7]}: {PARAMS}"), metrics, per_sequence, weights_hashes(params, args.weights))


def _run_name(result: Result, commit: Commit | None, experiment: str | None) -> str:
    """The experiment's name, else the short commit with a plus when files differ from it, else the fingerprint's start."""
    if experiment:
        return experiment
    return f"{commit.sha[:7]}{'+' * commit.dirty}" if commit else result.fingerprint[:8]


def _tags(store: Store, result: Result, commit: Commit | None, experiment: str | None) -> dict[str, str]:
    """The description, what changed, and where the result came from; what is unknown is left out."""
    parent = store.run_before(result.fingerprint, history(commit.sha) if commit else [])
    tags = {NOTE: describe(result, parent)}
    if changes := short_changes(result, parent):
        tags["retrace.changes"] = changes
    tags |= {f"retrace.weights.{section}": weights for section, weights in result.weights.items()}
    if commit:
        tags |= {COMMIT: commit.sha, "retrace.git_dirty": str(commit.dirty).lower()}
        tags["mlflow.source.git.commit"] = commit.sha  # MLflow's own column
    return tags | ({DVC_EXPERIMENT: experiment} if experiment else {})


def _options() -> argparse.Namespace:
    """The command line; with --experiments, the paths are those of the stage in dvc.yaml."""
    made = parser(__doc__)
    made.add_argument("--experiments", action="store_true", help="publish every DVC experiment that has no run yet")
    for name in PATHS:
        made.add_argument(f"--{name}", required=True, type=Path)
    arguments = sys.argv[1:]
    if "--experiments" in arguments:
        command = read_yaml(Path("dvc.yaml"))["stages"]["publish"]["cmd"]
        arguments = shlex.split(command.partition(" stages.publish ")[2]) + arguments
    return made.parse_args(arguments)


def main() -> None:
    args = _options()
    check_pins(args.pins)
    # one lock for all workspaces: experiments in temporary folders write to the same store
    with stage_run("publish", "all", locks=main_folder() / LOCKS) as run:
        if args.experiments:
            publish_experiments(args, run)
            return
        result = publish(args, run)
    log.info("%s", closing(result.metrics, result.per_sequence, args.reports))


if __name__ == "__main__":
    execute(main)
