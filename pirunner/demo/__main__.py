"""`python -m pirunner.demo`, which `scripts/run --demo` and `manage.py demo` call."""

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Queue
from typing import NoReturn

from jobs.handlers.daily_crypto_brief import DEFAULT_SOURCES
from pirunner import env
from pirunner.demo import show
from pirunner.demo.client import Client
from pirunner.demo.faults import DemoFault
from pirunner.demo.feeds import SampleFeeds, any_reachable
from pirunner.demo.server import Server
from pirunner.demo.story import Story
from pirunner.up import first_start, ports, preflight
from pirunner.up.banner import local_address
from pirunner.up.faults import Exit, StartFault
from webhooks.receiver import Receiver, VerifiedCallback


def main() -> int:
    """Show one job from start to end and return the exit code."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        first_start.prepare()
        # Whoever answers there already would be taken for the pirunner that is started here.
        ports.require_free(env.text("HOST"), env.integer("PORT"), "PORT")
        _show(Story())
    except env.EnvironmentFault as fault:
        return _refuse(str(fault), Exit.ENVIRONMENT)
    except (StartFault, DemoFault) as fault:
        return _refuse(str(fault), fault.exit_code)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def _leave(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


def _refuse(sentence: str, code: int) -> int:
    sys.stderr.write(f"pirunner: {sentence}\n")
    return code


def _show(story: Story) -> None:
    print("pirunner, from a request to its callback\n")
    callbacks: Queue[VerifiedCallback] = Queue()
    with ExitStack() as stack:
        feeds = _choose_feeds(story, stack)
        receiver = _start_receiver(stack, callbacks)
        address = local_address(env.text("HOST"), env.integer("PORT"))
        with _served(story, address, feeds, receiver.port):
            client = Client(address, env.secret("RUNNER_API_TOKEN"))
            _tell(story, client, callbacks, feeds, receiver.port)
    print("\nThat was all. `scripts/run` serves until Ctrl-C.")


def _choose_feeds(story: Story, stack: ExitStack) -> SampleFeeds | None:
    """Return the sample feeds, being served, or None when the real ones can be reached."""
    with story.step("Looking for the real feeds"):
        reachable = any_reachable(DEFAULT_SOURCES)
    if reachable:
        story.tell("they answer")
        return None
    feeds = SampleFeeds()
    stack.callback(feeds.stop)
    feeds.start()
    story.tell(f"they cannot be reached from here; three samples are served at http://{feeds.host}/")
    return feeds


def _start_receiver(stack: ExitStack, callbacks: "Queue[VerifiedCallback]") -> Receiver:
    port = env.integer("CALLBACK_PORT")
    ports.require_free("127.0.0.1", port, "CALLBACK_PORT")
    receiver = Receiver("127.0.0.1", port, [env.secret("WEBHOOK_SECRET")], callbacks.put)
    stack.callback(receiver.stop)
    receiver.start()
    return receiver


@contextmanager
def _served(story: Story, address: str, feeds: SampleFeeds | None, callback_port: int) -> Iterator[None]:
    """Run pirunner for the length of the block; shows its log when the block fails."""
    log = _log_path()
    server = Server(address, log, _environment(feeds, callback_port))
    try:
        with story.step("Starting pirunner"):
            server.start()
        story.tell(f"API at {address}, log in {log}")
        yield
        with story.step("Stopping"):
            server.stop()
    except DemoFault:
        server.stop()
        sys.stderr.write(f"\nThe end of {log}:\n\n{server.last_words()}\n\n")
        raise
    finally:
        server.stop()


def _log_path() -> Path:
    folder = preflight.data_folder()
    preflight.check_writable(folder)
    return folder / "demo.log"


def _environment(feeds: SampleFeeds | None, callback_port: int) -> dict[str, str]:
    """Return what differs from the owner's environment: private hosts that this demo itself serves."""
    callback_hosts = [*env.names("CALLBACK_ALLOWED_HOSTS"), f"127.0.0.1:{callback_port}"]
    fetch_hosts = [*env.names("FETCH_ALLOWED_HOSTS"), *([feeds.host] if feeds else [])]
    return {
        "CALLBACK_ALLOWED_HOSTS": ",".join(callback_hosts),
        "FETCH_ALLOWED_HOSTS": ",".join(fetch_hosts),
        "FLOWER": "off",
        "RELAY": "off",  # the demo takes the callback itself, on the same port
    }


def _tell(
    story: Story,
    client: Client,
    callbacks: "Queue[VerifiedCallback]",
    feeds: SampleFeeds | None,
    callback_port: int,
) -> None:
    job_id = show.show_submission(
        story,
        client,
        sources=feeds.sources if feeds else [],
        callback_url=f"http://127.0.0.1:{callback_port}/callback",
    )
    result = show.show_job(story, client, job_id)
    show.show_artifact(story, result)
    show.show_callback(story, callbacks, job_id)


if __name__ == "__main__":
    sys.exit(main())
