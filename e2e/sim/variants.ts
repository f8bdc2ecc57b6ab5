/**
 * Makes a core from the source of shared/protocol with a few edits, and runs schedules on it until one
 * fails, or its protocol script. The edited copy lives in a temporary folder of its own and is removed when
 * the process has loaded it; nothing in the working tree is touched.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rerender } from '../../shared/protocol/testing/script.ts';
import type { CoreUnderTest } from '../../shared/sim/core-under-test.ts';
import { directedSchedule } from '../../shared/sim/directed.ts';
import { type SimOptions, drawOptions } from '../../shared/sim/options.ts';
import { type Verdict, runSchedule } from '../../shared/sim/simulator.ts';
import type { Edit, Variant } from '../../shared/sim/variants/index.ts';

const shared = fileURLToPath(new URL('../../shared', import.meta.url));

/** The source of a file under shared/protocol with the edits for it made. */
export function applyEdits(file: string, source: string, edits: readonly Edit[]): string {
  let text = source;
  for (const { find, replace } of edits.filter((edit) => edit.file === file)) {
    const parts = text.split(find);
    if (parts.length !== 2) {
      throw new Error(`${file}: ${parts.length - 1} places to edit instead of one: ${find}`);
    }
    text = parts.join(replace);
  }
  return text;
}

/** Gives `use` the folder shared/protocol of a copy in which the edits are made. */
async function withEdited<T>(
  edits: readonly Edit[],
  use: (protocol: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-variant-'));
  try {
    cpSync(shared, join(folder, 'shared'), {
      recursive: true,
      filter: (path) => !/\.test\.ts$|\.json$|[/\\](testdata|ipc)$/.test(path),
    });
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const protocol = join(folder, 'shared', 'protocol');
    for (const file of new Set(edits.map((edit) => edit.file))) {
      const path = join(protocol, file);
      writeFileSync(path, applyEdits(file, readFileSync(path, 'utf8'), edits));
    }
    return await use(protocol);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The module at this path, whose types are those of the one that it was copied from. */
async function load<T>(...path: readonly string[]): Promise<T> {
  return (await import(pathToFileURL(join(...path)).href)) as T;
}

/** Loads the core that the edits make. */
async function loadEdited(edits: readonly Edit[]): Promise<CoreUnderTest> {
  return await withEdited(edits, async (protocol) => {
    type ReplicaModule = typeof import('../../shared/protocol/replica.ts');
    type MembershipModule = typeof import('../../shared/protocol/membership.ts');
    const { Replica } = await load<ReplicaModule>(protocol, 'replica.ts');
    const { foundGroup } = await load<MembershipModule>(protocol, 'membership.ts');
    return { create: (start) => new Replica(start), found: foundGroup };
  });
}

/** What a variant's protocol script says of it: what was thrown, or what it shows now; null if all is as written. */
export async function scriptFailure({ edits, script }: Variant): Promise<string | null> {
  const text = readFileSync(join(shared, 'protocol', 'testdata', script), 'utf8');
  return await withEdited(edits, async (protocol) => {
    type InteractionModule = typeof import('../../shared/protocol/testing/interaction.ts');
    const { Interaction } = await load<InteractionModule>(protocol, 'testing', 'interaction.ts');
    const interaction = new Interaction();
    try {
      const rendered = rerender(text, (commands) => interaction.execute(commands));
      return rendered === text ? null : rendered;
    } catch (error) {
      return String(error);
    }
  });
}

/** How a broken core was caught. */
export interface Caught {
  /** Schedules run, the failing one included. */
  readonly schedules: number;
  readonly seed: number;
  readonly failure: NonNullable<Verdict['failure']>;
}

function optionsOf({ weights, amnesia = false }: Variant, seed: number): SimOptions {
  const drawn = drawOptions(seed, 1_000);
  return { ...drawn, amnesia, weights: { ...drawn.weights, ...weights } };
}

/** Runs schedules of a variant until one fails; null if none of `max` does. */
export async function hunt(variant: Variant, max: number, firstSeed = 1): Promise<Caught | null> {
  const core = await loadEdited(variant.edits);
  for (let i = 0; i < max; i++) {
    const seed = firstSeed + i;
    const verdict =
      variant.directed === undefined
        ? runSchedule(core, optionsOf(variant, seed))
        : directedSchedule(variant.directed, core, seed);
    if (verdict.failure !== null) return { schedules: i + 1, seed, failure: verdict.failure };
  }
  return null;
}
