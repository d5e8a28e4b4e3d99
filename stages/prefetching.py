"""Items made in the background while those before them are used."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def prefetched(items: Iterable[T], depth: int) -> Iterator[T]:
    """The items again, made by a background thread that runs at most `depth` ahead.

    An error of the thread is raised here; when the consumer stops early, the thread closes `items` and ends.
    """
    end = object()
    ready: queue.SimpleQueue[object] = queue.SimpleQueue()
    room = threading.Semaphore(depth)
    stopped = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        iterator = iter(items)
        try:
            while room.acquire() and not stopped.is_set():
                item = next(iterator, end)
                ready.put(item)
                if item is end:
                    return
        except BaseException as error:  # handed to the consumer
            failures.append(error)
            ready.put(end)
        finally:
            if close := getattr(iterator, "close", None):
                close()

    thread = threading.Thread(target=work, name="prefetched", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not end:
            yield item  # type: ignore[misc]
            room.release()
        if failures:
            raise failures[0]
    finally:
        stopped.set()
        room.release()
        thread.join()
