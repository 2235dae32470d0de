"""A run over real SSH is killed and gone on with: hosts keep what they did, and only the rest is done."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from typing import Any

import pytest

from tests.end_to_end.site import PATIENCE, Finished, Site, nap

pytestmark = pytest.mark.sshd


async def typed(site: Site, *words: str) -> Finished:
    """Another command of the runner, typed in the site."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "runner", *words),
        cwd=site.folder,
        env=site.variables(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(), err.decode())


def ledger(site: Site) -> Counter[str]:
    """What the hosts wrote."""
    return Counter((site.folder / "ledger").read_text().splitlines())


async def killed(site: Site, number: signal.Signals) -> None:
    """Run two steps on three hosts; end the runner while the second one runs on two of them."""
    site.hosts("h1", "h2", "h3")
    place, rest = site.folder, nap()
    site.book(f"""\
      - id: one
        target: all
        register: said
        script: |
          echo "$Using:inventory_hostname one" >> {place}/ledger
          echo "said on $Using:inventory_hostname"
      - id: two
        target: all
        script: |
          echo "$Using:inventory_hostname two" >> {place}/ledger
          if [ $Using:inventory_hostname = h1 ] || [ -e {place}/free ]; then exit 0; fi
          touch {place}/at.$Using:inventory_hostname
          sleep {rest}
      - id: three
        target: all
        script: |
          echo "$Using:inventory_hostname three ${{Using:said.output[0]}}" >> {place}/ledger
      """)
    run = await site.start("--record", "rec")
    async with asyncio.timeout(PATIENCE):
        while len(list(place.glob("at.*"))) < 2 or ledger(site)["h1 three said on h1"] < 1:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)  # the end on h1 reaches the journal within a twentieth of a second
    run.signal(number)
    await run.finish()
    (place / "free").touch()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
async def test_resume_over_ssh(number: signal.Signals, site: Site) -> None:
    """What was done ran once, what was unknown is run again where that is said, and results came back."""
    await killed(site, number)
    left = await typed(site, "resume", "last", "--record", "rec", "-o", "json")
    assert left.code == 1, left.stderr
    assert left.statuses("two") == {"h1": "ok", "h2": "unknown", "h3": "unknown"}
    done = await typed(site, "resume", "last", "--record", "rec", "--unknown", "rerun", "-o", "json")
    assert done.code == 0, done.stderr
    assert {status for step in ("one", "two", "three") for status in done.statuses(step).values()} == {"ok"}
    assert ledger(site) == Counter(
        {f"{host} one": 1 for host in ("h1", "h2", "h3")}
        | {"h1 two": 1, "h2 two": 2, "h3 two": 2}
        | {f"{host} three said on {host}": 1 for host in ("h1", "h2", "h3")}
    )


async def test_limit_by_what_was_unreachable(site: Site) -> None:
    """`-l @last:unreachable` names the hosts that were not reached."""
    site.hosts("h1", "h2")
    inventory: dict[str, Any] = json.loads((site.folder / "inventory.yml").read_text())
    inventory["hosts"]["h2"] |= {"connection": {"port": 1}}
    site.write("inventory.yml", json.dumps(inventory))
    first = await site.run_steps("- {id: one, target: all, script: echo}", "--record", "rec")
    assert first.code == 3, first.stderr
    site.hosts("h1", "h2")
    again = await site.run("--record", "rec", "-l", "@last:unreachable")
    assert again.code == 0, again.stderr
    assert again.statuses("one") == {"h2": "ok"}
