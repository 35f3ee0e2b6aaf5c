"""Gives freed memory back to the operating system."""

import gc

from schema.allocator import give_memory_back


def release_memory() -> None:
    """Collects garbage, then has the C library hand back what is free.

    glibc keeps the memory of many small freed rows in the arenas of the threads that read them: without this each
    epoch adds as much as its shuffle buffer held, and 2 GB become 4. Other C libraries are left alone.
    """
    gc.collect()
    give_memory_back()


def release_and_settle() -> None:
    """The same, after which what is left is not looked through again.

    TFX's hundreds of thousands of objects would cost half a second an epoch, more than the heads of a small catalogue
    take to learn.
    """
    gc.unfreeze()
    release_memory()
    gc.freeze()
