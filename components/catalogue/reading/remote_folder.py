"""A catalogue in a folder of an object store, read object by object."""

from collections.abc import Iterator

from components.catalogue.reading.errors import CatalogueError, no_pictures
from components.catalogue.reading.source import MAX_IMAGE_BYTES, Catalogue, FileTooLarge, prefix_of
from components.storage.errors import Archived, Missing
from components.storage.location import Remote
from schema import names
from schema.file_names import is_of_a_system


class RemoteFolder(Catalogue):
    """The folder whose ``styles.csv`` lies nearest below a URI."""

    def __init__(self, path: Remote) -> None:
        self._store = path.store
        self._listing = listing(path)
        self._prefix = prefix_of(path, self._listing)
        images = f"{self._prefix}{names.IMAGES_DIR}/"
        found = (name[len(images) :] for name in self._listing if name.startswith(images))
        shown = (name for name in found if name and "/" not in name and not is_of_a_system([name]))
        super().__init__(path, (f"{names.IMAGES_DIR}/{name}" for name in shown))
        if not self.images:
            raise CatalogueError(no_pictures(path, self._prefix, self._listing))

    def read(self, name: str, limit: int = MAX_IMAGE_BYTES) -> bytes:
        """See :meth:`Catalogue.read`; that the store cannot be read is a ``StorageError``, and no fault of a row."""
        size, _ = self._listing.get(self._prefix + name, (0, ""))
        if size > limit:
            raise FileTooLarge(f"{name} has {size:,} bytes, at most {limit:,} are read")
        try:
            return self._store.read(self._prefix + name)
        except (Missing, Archived) as error:
            raise FileNotFoundError(str(error)) from error


def listing(path: Remote) -> dict[str, tuple[int, str]]:
    """Name → bytes, and what changes with the content, of all below a folder.

    Raises:
        CatalogueError: the place does not tell when a file changes, as web servers do not; or it is empty.
    """
    if path.uri.startswith("http"):
        raise CatalogueError(
            f"{path} is a page of a web server, which does not tell what lies there and when it changes; give a zip, "
            "or a sheet with the pictures' URLs to `lookbook import --fetch`"
        )
    found = path.store.listing()
    if not found:
        raise CatalogueError(f"there is nothing at {path}, or nothing that these credentials may see")
    return found


def facts(path: Remote) -> Iterator[str]:
    """A line for each object of the catalogue, which changes when the object does."""
    found = listing(path)
    prefix = prefix_of(path, found)
    for name, (size, version) in found.items():
        if name == f"{prefix}{names.STYLES_CSV}" or name.startswith(f"{prefix}{names.IMAGES_DIR}/"):
            yield f"{name}\0{size}\0{version}\n"
