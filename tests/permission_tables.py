"""The printed page of permissions, read back as a person reads it."""

SIGNS = "¹²³"
NOBODY = "-"

Cells = dict[str, dict[tuple[str, str], set[str]]]
Moves = dict[str, dict[tuple[str, str], str]]


def printed(page: str) -> tuple[Cells, Moves]:
    """Heading -> (action, state) -> who may; heading -> (state, action) -> what it becomes."""
    cells: Cells = {}
    moves: Moves = {}
    heading, columns = "", []
    for line in page.splitlines():
        if line.startswith("## "):
            heading, columns = line.removeprefix("## "), []
            cells[heading], moves[heading] = {}, {}
        row = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("| ") else []
        if not row or row[0] == "---":
            columns = columns if row else []
        elif not columns:
            columns = row
        elif columns == ["from", "by", "to"]:
            moves[heading][row[0], row[1]] = row[2]
        else:
            for state, cell in zip(columns[1:], row[1:], strict=True):
                who = set() if cell == NOBODY else set(cell.split(", "))
                cells[heading][row[0].rstrip(SIGNS), state] = who
    return cells, moves
