"""What a reader may use, and what a delivery may cost: beyond a limit it is refused, whatever it turns out to be."""

from dataclasses import dataclass

MIB, GIB = 1 << 20, 1 << 30


@dataclass(frozen=True)
class Limits:
    """`memory` and `threads` are the engine's; the rest bounds what hostile or broken input can ask for.

    Columns of a table; bytes of its longest row; members of an archive; bytes that come out of a delivered file in all,
    and as a multiple of its size on disk (told only once `ratio_from` bytes came out, since small files pack better);
    bytes of a packed Parquet file, which must be in memory as a whole.
    """

    memory: str = "512MB"
    threads: int = 2
    columns: int = 5_000
    row_bytes: int = 2 * MIB
    members: int = 10_000
    unpacked_bytes: int = 1024 * GIB
    ratio: int = 300
    ratio_from: int = 64 * MIB
    parquet_bytes: int = 256 * MIB

    def most_unpacked(self, size: int) -> int:
        """Bytes that may come out of a delivered file of `size` bytes."""
        return min(self.unpacked_bytes, max(self.ratio_from, self.ratio * size))
