"""The code of each stage: one file a stage, of the modules that it imports and their SHA-256, in the form of `sha256sum`.

DVC knows no imports. A stage depends on its file here, so that it runs again when a module of its own has changed, and not
when another has. With the modules themselves as its `deps`, they would be two thirds of dvc.lock, which DVC reads and writes
anew after every stage that ran.
"""

import os
from collections.abc import Collection
from modulefinder import ModuleFinder
from pathlib import Path

from stages.artifacts import write_text, writing_folder
from stages.command import execute, parser, stage_run
from stages.errors import DataError
from stages.trusted import sha256

# Modules that cannot change a result: mending them, or what they alone import, reruns nothing.
NO_RESULT = {
    "stages/__init__.py": "a docstring",
    "stages/artifacts.py": "how files are written and locked, not what is in them",
    "stages/command.py": "options, logging, exit status and timings",
    "stages/errors.py": "three names",
    "stages/log_lines.py": "how log lines look",
    "stages/params.py": "refuses, or gives the values that DVC compares itself",
    "stages/per_sequence.py": "refuses or lists",
    "stages/pins.py": "refuses or does nothing",
    "stages/prefetching.py": "hands items on in their order",
    "stages/progress.py": "draws a bar",
    "stages/yaml_file.py": "refuses, or gives the values that DVC compares itself",
}


def modules(script: Path, without: Collection[str] = tuple(NO_RESULT)) -> list[str]:
    """Paths, sorted, of all modules in the current folder that running a script there can import, at once or later.

    `without` are paths that are neither named nor followed. Raises DataError where a module is no Python.
    """
    here = Path.cwd()
    names = [".".join(Path(path).with_suffix("").parts) for path in without]
    finder = ModuleFinder(path=[str(here)], excludes=names)
    try:
        finder.run_script(str(here / script))
    except SyntaxError as error:
        place = os.path.relpath(error.filename or script)
        raise DataError(f"{place}: expected Python, got: {error.msg} (line {error.lineno})") from error
    files = [getattr(module, "__file__", None) for module in finder.modules.values()]
    return sorted({Path(file).relative_to(here).as_posix() for file in files if file} - set(without))


def sums(paths: Collection[str]) -> str:
    """A line a file, of its SHA-256 and its path."""
    return "".join(f"{sha256(Path(path))}  {path}\n" for path in paths)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("stages", nargs="+", help="names of stages")
    options.add_argument("--code", required=True, type=Path, help="the folder of their files")
    args = options.parse_args()
    with stage_run("code", "all") as run, writing_folder(args.code) as folder:
        for stage in args.stages:
            write_text(folder / f"{stage}.txt", sums(modules(Path("stages", f"{stage}.py"))))
        run.counts = {"stages": len(args.stages)}


if __name__ == "__main__":
    execute(main)
