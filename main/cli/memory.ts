/**
 * Keeps the process small. By default the young generation of the heap grows to 128 MB under load,
 * because that saves processor time; a peer that runs for months on somebody's small server should
 * rather stay small. The flag is read anew at every decision to grow, so it works at run time.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * Size from which the young generation grows no more, bytes; it grows by doubling, so it ends at 4 MiB.
 * Measured: below, collecting takes more processor time; above, a busy peer is larger and no faster,
 * because what is final stays referenced by the log's tail and is copied either way.
 */
const YOUNG_BYTES_MAX = 3 * 1024 * 1024;

/** From now on the young generation of this thread's heap stays at about {@link YOUNG_BYTES_MAX}. */
export function boundYoungGeneration(): void {
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    if (young === undefined || young.space_size < YOUNG_BYTES_MAX) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    observer.disconnect();
  });
  observer.observe({ entryTypes: ['gc'] });
}
