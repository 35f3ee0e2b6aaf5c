"""Class folders as a table: the folder of a picture is its label."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from components.catalogue.importing.sources.splits import split_of
from components.catalogue.importing.sources.table import Listed, Record, Table
from components.catalogue.reading.changes import Changes
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.findings import Reason
from schema.file_names import as_written

PICTURE: Final = "file_name"
MOST_LEVELS: Final = 3


def folder_table(pictures: Sequence[str], unread: Sequence[str] = ()) -> Table:
    """A row a picture: its path, and the folders that it lies in, from the outside in.

    What all pictures share on the outside is no label, nor is a folder of a split.

    Args:
        pictures: paths.
        unread: files beside them that are of no kind that is read.

    Raises:
        CatalogueError: there are none, none lies in a folder, or all lie in one.
    """
    where = {path: _placed(path.split("/")[:-1]) for path in pictures}
    shared = _shared([folders for folders, _ in where.values() if folders])
    placed = {path: (folders[shared:], split) for path, (folders, split) in where.items()}
    levels = max((len(folders) for folders, _ in placed.values()), default=0)
    if not levels:
        raise CatalogueError(
            "there is neither a styles.csv, nor another sheet, nor a folder for each class: give a CSV, Excel, JSON "
            "lines or Parquet file, or put the pictures into folders that are named like what they show, as in "
            f"train/Shirts/1.jpg{_not_read(unread)}"
        )
    labels = {tuple(folders) for folders, _ in placed.values() if folders}
    if len(labels) == 1:
        (label,) = labels
        raise CatalogueError(
            f"all pictures lie in one folder, {label[-1]!r}, which tells none of them apart: give a sheet, or a folder "
            f"for each class{_not_read(unread)}"
        )
    columns = [f"folder {level}" for level in range(1, min(levels, MOST_LEVELS) + 1)]
    notes = Changes()
    for name in unread:
        notes.note("file beside the pictures that is of no kind that is read", name)
    records = [_record(path, *one, columns) for path, one in placed.items()]
    return Listed("class folders", [PICTURE, *columns], records, notes)


def _not_read(files: Sequence[str]) -> str:
    """What to do about the files that were passed by: a zip among them is mostly the catalogue."""
    packed = [file for file in files if file.lower().endswith(".zip")]
    if packed:
        return f"; {packed[0]} is packed, and zips in a folder are not looked into: give its own path, or unpack it"
    more = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
    return f"; {files[0]}{more} cannot be read: save as .xlsx, CSV, JSON lines or Parquet" if files else ""


def _placed(folders: list[str]) -> tuple[list[str], str]:
    """Folders of a picture without the outermost one that is a split, and that split."""
    for index, folder in enumerate(folders):
        if split := split_of(folder):
            return [*folders[:index], *folders[index + 1 :]], split
    return folders, ""


def _shared(folders: Sequence[Sequence[str]]) -> int:
    """How many outer folders are no label, for all pictures of the commonest depth share them; never the innermost."""
    usual = Counter(map(len, folders)).most_common(1)[0][0] if folders else 0
    usually = [one for one in folders if len(one) == usual]
    count = 0
    while count < usual - 1 and len({one[count] for one in usually}) == 1:
        count += 1
    return count


def _record(path: str, folders: Sequence[str], split: str, columns: Sequence[str]) -> Record:
    fault = ""
    if len(folders) > MOST_LEVELS:
        fault = f"lies {len(folders)} folders deep; at most {MOST_LEVELS} are labels"
    elif not folders:
        fault = "lies in no folder of a class"
    cells = {PICTURE: path, **dict(zip(columns, map(as_written, folders), strict=False))}
    return Record(path, 0, cells, split, fault, Reason.EMPTY_LABEL)
