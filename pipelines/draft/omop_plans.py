"""The plans under deploy/plans: `python -m pipelines.draft.omop_plans deploy/plans` writes them anew."""

import sys
from pathlib import Path

from pipelines.draft.form import NO_DOMAIN, About
from pipelines.draft.omop import VERSIONS, omop_draft
from pipelines.draft.write import written
from pipelines.plan import SourcePlan


def omop_plan(version: str) -> str:
    """The plan of a whole OMOP database of a version, for a holder to name, place and edit."""
    about = About(
        id=f"omop-{version.replace('.', '-')}",
        title=f"OMOP database, version {version}",
        holder={"name": "Data holder (check)"},
        domain=NO_DOMAIN,
    )
    return written(omop_draft(version, about, SourcePlan("csv", f"omop-{version}")))


def plan_files(folder: Path) -> dict[Path, str]:
    """Texts of the plans by their files."""
    return {folder / f"omop-{version}.toml": omop_plan(version) for version in VERSIONS}


if __name__ == "__main__":
    for file, text in plan_files(Path(sys.argv[1])).items():
        file.write_text(text, encoding="utf-8")
