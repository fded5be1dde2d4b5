"""`make demo`. What a person can mend is said in one line; nothing half-written stays behind."""

import sys


def main() -> None:
    # Imported here, so that an interruption while libraries load is handled like any other.
    import path

    path.main()


def explain(error: Exception) -> str:
    """One line for what a person can mend; anything else is a defect and is raised as it is."""
    from node import DemoError

    from dataspace.client import DataspaceError as RemoteError
    from dataspace.domain.errors import DataspaceError
    from pipelines.errors import PipelineError

    if isinstance(error, DemoError | DataspaceError | RemoteError | PipelineError):
        return str(error)
    if isinstance(error, ImportError):
        return f"{error}: remove .venv and run make demo, which installs everything anew"
    if isinstance(error, OSError):
        return f"{error.strerror}: {error.filename}: free the disk or make it writable, then run make demo again"
    raise error


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("demo: interrupted; run make demo again to start afresh")
    except Exception as error:  # noqa: BLE001 - the outermost edge: translated here, or raised as it is
        sys.exit(f"demo: {explain(error)}")
