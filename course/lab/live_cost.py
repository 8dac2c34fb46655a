"""What a live picture costs the run that it shows."""

import statistics
import time

from course.lab.demos import week2


def plot_cost(steps: int = 300, repeats: int = 5) -> dict[str, float]:
    """{"steps_per_s_without", "steps_per_s_with", "cost_percent"}: medians over `repeats` interleaved pairs of the
    week 2 demo's run.

    With the plot, every frame is drawn, encoded and handed to the image widget as in a notebook; the browser's own
    work is left out. A run is timed from its start to its last step: the wait before its last frame costs no step.
    """
    panel, took = week2.learning_rate_and_batch_size(steps), []
    job = panel.job

    def timed(**settings):
        began = time.perf_counter()
        yield from job(**settings)
        took.append(time.perf_counter() - began)

    panel.job = timed
    panel.run_to_end()  # imports and caches are not the plot's cost
    rates = {panel._run: [], None: []}
    for _ in range(repeats):
        for run, found in rates.items():
            panel.run_to_end() if run is None else panel.worker.run_here(run)
            found.append(steps / took[-1])
    with_plot, without = (statistics.median(found) for found in rates.values())
    return {
        "steps_per_s_without": without,
        "steps_per_s_with": with_plot,
        "cost_percent": 100 * (1 - with_plot / without),
    }


if __name__ == "__main__":
    print(", ".join(f"{name} {value:.1f}" for name, value in plot_cost().items()))
