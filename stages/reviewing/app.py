"""The review server's addresses: the page, what it shows, and what it may change.

Everything read lies under reports/ and artifacts/, everything written is a row in data/corrections; a sequence is one of
params.yaml's, so no name of a file comes from a request.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException
from fastapi import Path as InPath
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from stages.corrections.rows import COLUMNS, Action, corrections_file
from stages.errors import ContractError, DataError, ParamsError
from stages.outputs import ARTIFACTS
from stages.params import check_sequence, sequence_names
from stages.reviewing.guard import Guard
from stages.reviewing.rerun import COMMAND, Rerun
from stages.reviewing.scene import load_scene, rows_of, undo, version

HERE = Path(__file__).parent
REPORTS = Path("reports")  # as dvc.yaml has it
POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
Name = Annotated[str, InPath(max_length=200)]


class Person(BaseModel):
    """A track in a frame of the annotated video."""

    model_config = ConfigDict(extra="forbid", strict=True)
    track: int = Field(ge=1, le=2**31 - 1)
    frame: int = Field(ge=0, le=2**31 - 1)


class Wish(BaseModel):
    """What somebody wants put right, and the tracks that were shown to them."""

    model_config = ConfigDict(extra="forbid", strict=True)
    version: str = Field(max_length=64)
    action: Action
    people: list[Person] = Field(max_length=2)
    name: str | None = Field(default=None, max_length=200)


class Undo(BaseModel):
    """The cells of the row that shall go."""

    model_config = ConfigDict(extra="forbid", strict=True)
    cells: list[Annotated[str, Field(max_length=200)]] = Field(min_length=len(COLUMNS), max_length=len(COLUMNS))


def make_app(hosts: Collection[str], token: str | None, rerun: Rerun) -> FastAPI:
    """The server of the project in the current folder."""
    app = FastAPI(title="Retrace review", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, hosts=hosts, token=token)
    for kind in (ContractError, DataError, ParamsError):
        app.add_exception_handler(kind, _refused)

    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(HERE / "page.html", headers={"Content-Security-Policy": POLICY})

    @app.get("/api/sequences")
    def sequences() -> dict[str, Any]:
        names = sequence_names()
        reviewable = [name for name in names if (ARTIFACTS / name / "tracks.npz").is_file()]
        return {"sequences": reviewable, "report": (REPORTS / "index.html").is_file(), "command": COMMAND}

    @app.get("/api/sequences/{name}")
    def scene(name: Name) -> JSONResponse:
        return JSONResponse(load_scene(_known(name)).to_json())

    @app.get("/api/sequences/{name}/video")
    def video(name: Name) -> FileResponse:
        path = ARTIFACTS / _known(name) / "annotated.mp4"
        if not path.is_file():
            raise HTTPException(404, f"{path}: expected a file, found none (run `dvc repro`)")
        return FileResponse(path, media_type="video/mp4", headers={"Cache-Control": "no-cache"})

    @app.get("/api/sequences/{name}/corrections")
    def corrections(name: Name) -> dict[str, Any]:
        return {"file": str(corrections_file(_known(name))), "rows": rows_of(name), "version": version(name)}

    @app.post("/api/sequences/{name}/corrections", status_code=201)
    def correct(name: Name, wish: Wish) -> dict[str, Any]:
        shown = load_scene(_known(name))
        if wish.version != shown.version:
            raise DataError(f"{name}: expected a correction of the tracks that are there now, got one of older ones: reload")
        row = shown.correct(wish.action, [(person.track, person.frame) for person in wish.people], wish.name)
        return {"cells": row.cells(), "rows": rows_of(name), "command": COMMAND}

    @app.post("/api/sequences/{name}/corrections/undo")
    def take_back(name: Name, wanted: Undo) -> dict[str, Any]:
        undo(_known(name), wanted.cells)
        return {"rows": rows_of(name), "command": COMMAND}

    @app.get("/api/rerun")
    def running() -> dict[str, Any]:
        return rerun.status()

    @app.post("/api/rerun", status_code=202)
    def run() -> dict[str, Any]:
        if not rerun.start():
            raise DataError(f"{COMMAND}: expected no other run, got one that is going on")
        return rerun.status()

    app.mount("/page", StaticFiles(directory=HERE / "static"))
    for folder in (REPORTS, ARTIFACTS):  # as beside each other on disk, so that the report's links hold
        app.mount(f"/{folder}", StaticFiles(directory=folder, html=folder == REPORTS, check_dir=False))
    return app


def _known(name: str) -> str:
    """The name, if params.yaml lists it."""
    try:
        check_sequence(name)
    except DataError as error:
        raise HTTPException(404, str(error)) from error
    return name


def _refused(_request: Request, error: Exception) -> JSONResponse:
    """What does not fit what lies in the project, in one line."""
    return JSONResponse({"detail": str(error)}, 409)
