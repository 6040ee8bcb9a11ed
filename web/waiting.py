"""The queue of the page: a few places a client, left at once by clients that disconnect.

Reads, writes: nothing.
"""

import asyncio
from urllib.parse import parse_qs

QUEUE = "video"  # the page and the API wait in one line: one video is made at a time
MOST_WAITING = 20  # in the queue; the next one is told to come back
MOST_OF_CLIENT = 3  # videos
MOST_QUICK = 12  # what a page asks beside them: a look at a photo, a voice to hear
PATIENCE_S = 5  # until who joined must listen
API_CALLS = "/gradio_api/call/v2/"
_STREAM = "/gradio_api/queue/data"


def _session(scope) -> str | None:
    """Whose jobs a request listens to; None when it listens to none. The API's have one session each, called as the job."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    if scope["path"] == _STREAM:
        return parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session_hash", [""])[0]
    return scope["path"].rpartition("/")[2] if scope["path"].startswith(API_CALLS) else None


def _address(request) -> str:
    return request.client.host if request and request.client else "?"


class Waiting:
    """ASGI middleware that knows who listens for the end of a job, and a limit on Gradio's queue.

    `page` is a `gradio.Blocks` with a queue: its `push` is wrapped, which is where every job comes in.
    """

    def __init__(self, app, page):
        self.app, self.queue, self.listening = app, page._queue, {}
        self._page = page
        self._push, self._tasks = self.queue.push, set()
        self.queue.push = self.push

    async def push(self, body, request, username):
        """Take a job, unless its client has enough in the queue; it goes when nobody listens for its end."""
        jobs = [event for events in self.queue.event_queue_per_concurrency_id.values() for event in events.queue]
        jobs += [event for events in self.queue.active_jobs for event in events or ()]
        is_video = getattr(self._page.fns.get(body.fn_index), "concurrency_id", None) == QUEUE
        n_of_client = sum(_address(event.request) == _address(request) and (event.concurrency_id == QUEUE) == is_video
                          for event in jobs)
        if n_of_client >= (MOST_OF_CLIENT if is_video else MOST_QUICK):
            what = f"{MOST_OF_CLIENT} videos of yours are waiting" if is_video else "this page asks much of us"
            return False, f"{what} already; come back when one is done", "queue_full"
        answer = await self._push(body, request, username)
        if answer[0]:
            task = asyncio.create_task(self._leave_unless_listening(body.session_hash or answer[1]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return answer

    async def _leave_unless_listening(self, session):
        await asyncio.sleep(PATIENCE_S)
        if not self.listening.get(session):
            await self.queue.clean_events(session_hash=session)

    async def __call__(self, scope, receive, send):
        session = _session(scope)
        if session is None:
            await self.app(scope, receive, send)
            return
        self.listening[session] = self.listening.get(session, 0) + 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.listening[session] -= 1
            if not self.listening[session]:
                del self.listening[session]
                await self.queue.clean_events(session_hash=session)
