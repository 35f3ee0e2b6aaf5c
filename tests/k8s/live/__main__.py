"""``make check-cluster``: does what happens to a cluster to the one of KUBECONFIG, under load, and counts lost calls.

For kind, minikube or any other cluster that has the images of k8s/README.md and no namespace `lookbook`. Deploys the
overlay `local` with two pods of each Deployment, waits for its first release, and deletes the namespace at the end.
Exit status 1 if more calls were lost than a scenario allows.
"""

import asyncio
import sys

from tests.k8s.live.kubectl import Caller, KubectlError, deployed
from tests.k8s.live.scenarios import SCENARIOS, Pods, Scenario

CALM_S = 5.0


async def _run(scenario: Scenario, pods: Pods, caller: Caller) -> bool:
    before = await caller.seen()
    await scenario.act(pods)
    await asyncio.sleep(CALM_S)
    after = await caller.seen()
    cells, is_good = [], True
    for transport, most in scenario.most_lost.items():
        calls, lost = (after[transport][key] - before[transport][key] for key in ("calls", "lost"))
        is_good &= calls > 0 and lost <= most
        cells.append(f"{transport} {lost} of {calls} lost (at most {most})")
    print(f"{'ok' if is_good else 'LOST':4} {scenario.name:26} {'   '.join(cells)}", flush=True)
    if not is_good:
        print("     " + "; ".join(str(seen["last_failure"]) for seen in after.values()), flush=True)
    return is_good


async def check() -> bool:
    """Whether every scenario lost no more than it may."""
    async with deployed() as pods:
        caller = Caller()
        await caller.start()
        return all([await _run(scenario, pods, caller) for scenario in SCENARIOS])


def main() -> int:
    """The command line; returns the exit status."""
    try:
        return 0 if asyncio.run(check()) else 1
    except KubectlError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
