"""Execute the notebooks: all that write the figures and sounds of the page, or each one in place.

``timbrelib figures`` and ``timbrelib notebooks`` call it.
"""

import asyncio
import hashlib
import logging
import os
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

from timbrelib.control.timbre import load
from timbrelib.descriptors import descriptor
from timbrelib.files import remove_partial, write_text
from timbrelib.model.registry import model_folder, shipped_models
from timbrelib.plots import reduce_colours

AT_ONCE = 2  # notebooks, each with one thread for its linear algebra
PAGE_MODEL = "violin"  # the model that the page shows every notebook of
PAGE_DESCRIPTORS = ("centroid", "fundamental")
OUTPUTS = ("figures", "Audio_Exemple")  # folders that the notebooks write into
COPIES = "build/notebooks"  # folder of the executed copies
FORMAT = 4  # version of nbformat
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
TERMINAL_CODE = re.compile(r"\x1b\[[0-9;]*m")  # colours of a traceback

log = logging.getLogger(__name__)


class NotebookRun:
    """The execution of one notebook, in a kernel of its own.

    Parameters
    ----------
    path : Path
        The notebook; it runs in its folder.
    out : Path
        Where to write the executed notebook.
    settings : mapping of str to object, optional
        New values for names that the notebook's cell tagged ``parameters`` sets.
    """

    def __init__(self, path: Path, out: Path, settings: Mapping[str, object] | None = None) -> None:
        self.path, self.out, self.settings = path, out, settings or {}
        self._client: NotebookClient | None = None

    def __str__(self) -> str:
        values = " ".join(Path(str(value)).name for value in self.settings.values())
        return f"{self.path.stem:<23}  {values:<24}"

    def execute(self) -> float:
        """Execute the notebook in one thread and write it with its outputs.

        Returns
        -------
        float
            Time taken, in seconds.

        Raises
        ------
        FileNotFoundError
            There is no such notebook.
        ChildProcessError
            A cell failed, and the message has its whole traceback; or the kernel died.
        """
        start = time.monotonic()
        notebook = nbformat.read(self.path, FORMAT)
        insert_settings(notebook, self.settings)
        self._client = NotebookClient(
            notebook,
            config=Config(KernelManager={"transport_encryption": "auto"}),  # without it, every kernel prints a warning
            resources={"metadata": {"path": str(self.path.parent)}},
            timeout=None,
            record_timing=False,
            coalesce_streams=True,  # or what is printed would be cut differently each time
            store_widget_state=False,
        )
        try:
            execution = self._client.async_execute(env={**os.environ, "OMP_NUM_THREADS": "1"})
            with ThreadPoolExecutor(1) as own:  # the caller may be in an event loop itself, as a notebook is
                own.submit(run_coroutine, execution).result()
        except (CellExecutionError, RuntimeError) as error:
            message = TERMINAL_CODE.sub("", str(error)).strip()
            raise ChildProcessError(f"{' '.join(str(self).split())} failed:\n{message}") from error
        shrink_outputs(notebook)
        write_text(self.out, nbformat.writes(notebook) + "\n")
        return time.monotonic() - start

    def stop(self) -> None:
        """Kill the kernel, once it computes; `execute` then raises ChildProcessError."""
        if self._client and self._client.code_cells_executed:
            process = getattr(self._client.km and self._client.km.provisioner, "process", None)  # once it runs
            if process:
                process.kill()


def run_coroutine(coroutine: Coroutine) -> None:
    """Run a coroutine in an event loop that waits for the sockets of a kernel, as the default one of Windows cannot."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(coroutine)


def insert_settings(notebook: nbformat.NotebookNode, settings: Mapping[str, object]) -> None:
    """Insert a cell that sets names, after the cell tagged ``parameters`` or, if there is none, at the start."""
    if settings:
        tagged = ("parameters" in cell.metadata.get("tags", []) for cell in notebook.cells)
        place = next((i for i, found in enumerate(tagged, 1) if found), 0)
        source = "\n".join(f"{name} = {value!r}" for name, value in settings.items())
        cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["injected-parameters"]})
        notebook.cells.insert(place, cell)


def shrink_outputs(notebook: nbformat.NotebookNode) -> None:
    """Reduce the colours of the figures in a notebook, and drop names of widgets that differ in every run."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                data["image/png"] = b64encode(reduce_colours(b64decode(data["image/png"]))).decode()
            if WIDGET_VIEW in data:
                data[WIDGET_VIEW]["model_id"] = ""


def run_notebooks(runs: Sequence[NotebookRun]) -> None:
    """Execute notebooks, two at a time, and log a line for each.

    If one fails, or the user interrupts, the others are stopped.

    Raises
    ------
    FileNotFoundError, ChildProcessError
        See `NotebookRun.execute`.
    """
    logging.getLogger("traitlets").setLevel(logging.CRITICAL)  # nbclient announces kernels, and errors that it raises
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {pool.submit(run.execute): run for run in runs}
        try:
            for future in as_completed(futures):
                seconds = future.result()
                log.info(f"{futures[future]}  {seconds:3.0f} s")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(future.done() for future in futures):  # again, for kernels that were about to start
                for run in runs:
                    run.stop()
                time.sleep(0.2)
            raise


def make_figures(
    model: str | None = None, descriptors: Sequence[str] = PAGE_DESCRIPTORS, project: str | Path = "."
) -> str:
    """Run the notebooks that write the figures and sounds, and compare these with the files before.

    Executed copies are written to ``build/notebooks``.

    Parameters
    ----------
    model : str, optional
        Name of a model, or its folder.  By default every example of the page is made, which
        takes all shipped models.
    descriptors : sequence of str
        Descriptors that the model's codebook and targets are shown for.
    project : str or Path
        Folder of the project, with the folder ``notebooks``.

    Returns
    -------
    str
        Which of the files in ``figures`` and ``Audio_Exemple`` are not what they were.

    Raises
    ------
    FileNotFoundError
        There is no such model, or a notebook is missing.
    ValueError
        A descriptor does not exist.
    ChildProcessError
        A notebook failed; the message has the whole traceback.
    """
    project, notebooks = Path(project), notebooks_folder(project)
    for name in descriptors:
        descriptor(name)
    if model is None:
        runs = page_runs(descriptors)
    else:
        folder = model_folder(model)  # absolute, because the notebooks run in their own folder
        name = model if model in shipped_models() else str(folder.resolve())
        runs = model_runs(name, followed_descriptors(name, descriptors))
    executions = [NotebookRun(notebooks / f"{stem}.ipynb", copy_path(project, stem, new), new) for stem, new in runs]
    before = checksums(project)
    try:
        run_notebooks(executions)
    except BaseException:  # an interruption too
        remove_partial(*(project / name for name in OUTPUTS))  # what the kernels were writing when they were killed
        raise
    return describe_changes(before, checksums(project))


def update_notebooks(project: str | Path = ".") -> None:
    """Execute every notebook in place, with the settings that it has.

    Parameters
    ----------
    project : str or Path
        Folder of the project, with the folder ``notebooks``.

    Raises
    ------
    FileNotFoundError
        There are no notebooks.
    ChildProcessError
        A notebook failed, and is left as it was; the message has the whole traceback.
    """
    run_notebooks([NotebookRun(path, path) for path in sorted(notebooks_folder(project).glob("*.ipynb"))])


def notebooks_folder(project: str | Path) -> Path:
    """Folder of the notebooks.

    Raises
    ------
    FileNotFoundError
        It is missing or has none.
    """
    folder = Path(project) / "notebooks"
    if not any(folder.glob("*.ipynb")):
        raise FileNotFoundError(f"there are no notebooks in {folder}: run this in the folder of the project")
    return folder


def followed_descriptors(model: str, descriptors: Sequence[str]) -> list[str]:
    """Leave out the fundamental if no code of the model is pitched, and say so."""
    if "fundamental" in descriptors and "fundamental" not in load(model).codebook.descriptors:
        log.info("no code of %s is pitched: the notebooks about its fundamental are left out", Path(model).name)
        return [name for name in descriptors if name != "fundamental"]
    return list(descriptors)


def model_runs(model: str, descriptors: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """List the notebooks to run for a model, the longest first, each with its settings."""
    alone = {"MODEL": model}
    each = [{"MODEL": model, "DESCRIPTOR": name} for name in descriptors]
    return [
        ("10_evaluation", alone),
        *(("05_target_decode", settings) for settings in each),
        *([("07_follow_a_line", alone)] if "fundamental" in descriptors else []),
        ("04_sorted_codebook", alone),
        ("01_train", alone),
        *((stem, settings) for settings in each for stem in ("02_codebook_pca", "03_descriptor_histogram")),
    ]


def page_runs(descriptors: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """List the notebooks to run for the page, the longest first, each with its settings."""
    others = [name for name in shipped_models() if name != PAGE_MODEL]
    return [
        ("09_other_timbres", {}),
        ("08_timbre_transfer", {}),
        *model_runs(PAGE_MODEL, descriptors),
        *(("04_sorted_codebook", {"MODEL": name}) for name in others),
    ]


def copy_path(project: Path, stem: str, settings: Mapping[str, str]) -> Path:
    """Path of the executed copy of a notebook, such as ``05_target_decode_violin_centroid.ipynb``."""
    return project / COPIES / ("_".join([stem, *(Path(value).name for value in settings.values())]) + ".ipynb")


def checksums(project: Path) -> dict[str, str]:
    """Compute the SHA-256 of every figure and sound, by its path in the project."""
    found = {}
    for path in sorted(path for folder in OUTPUTS for path in (project / folder).glob("[!.]*")):
        with path.open("rb") as file:
            found[path.relative_to(project).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def describe_changes(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Name the files that changed, of files with their checksums."""
    changed = [path for path in before if before[path] != after.get(path)]
    new = len(after.keys() - before.keys())
    if changed:
        text = (
            f"{len(changed)} of {len(before)} files in {' and '.join(OUTPUTS)} differ from before. Unless the code or "
            f"a model changed, this processor rounds differently: {', '.join(changed)}"
        )
    else:
        text = f"All {len(before)} files that were in {' and '.join(OUTPUTS)} before are identical."
    return f"{text}\n{new} files are new." if new else text
