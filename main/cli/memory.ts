/**
 * Keeps the process small. By default the young generation of the heap grows to 128 MB under load,
 * because that saves processor time; a peer that runs for months on somebody's small server should
 * rather stay small. The flag is read anew at every decision to grow, so it works at run time.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * Size from which the young generation grows no more, bytes. What is alive at once under full load, a
 * thousand messages in flight, fits several times, so that few objects are promoted for nothing.
 */
const YOUNG_BYTES_MAX = 16 * 1024 * 1024;

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
