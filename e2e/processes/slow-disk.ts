/**
 * A headless peer whose disk is as slow as a test wants, changeable while it runs. It is built for the
 * test into a folder of its own and removed with it; the product has no such switch.
 */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { StartOptions } from './cluster.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A build with a slow disk, and the knob for how slow. */
export class SlowDisk {
  readonly #folder: string;
  readonly #control: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#control = join(folder, 'delay-ms');
    this.delay(0);
  }

  /** Builds it; takes seconds. */
  static async build(): Promise<SlowDisk> {
    // Under node_modules, because that is where the bundle looks for SQLite.
    const cache = join(root, 'node_modules', '.cache');
    mkdirSync(cache, { recursive: true });
    const slow = new SlowDisk(mkdtempSync(join(cache, 'slow-disk-')));
    try {
      // A run of hours must not be hit by the next `npm run build`.
      cpSync(join(root, 'dist', 'main'), join(slow.#folder, 'dist'), { recursive: true });
      const node = join(root, 'node_modules', '.bin', 'node');
      const program = join(root, 'e2e', 'processes', 'variant', 'build.mjs');
      await promisify(execFile)(node, [program, join(slow.#folder, 'main')], { cwd: root });
      return slow;
    } catch (error) {
      slow.close();
      throw error;
    }
  }

  /** How to start a peer of the real build, as it was when this one was built. */
  get unchanged(): StartOptions {
    return { program: join(this.#folder, 'dist', 'cli.js') };
  }

  /** How to start a peer of this build. */
  get start(): StartOptions {
    return {
      program: join(this.#folder, 'main', 'cli.js'),
      env: { LOCKSTEP_SLOW_DISK: this.#control },
    };
  }

  /** From now on every transaction takes this much longer, milliseconds. */
  delay(ms: number): void {
    writeFileSync(this.#control, String(ms));
  }

  /** From now on a transaction never ends, and nothing but the end of the process ends its thread. */
  hang(): void {
    execFileSync('mkfifo', [`${this.#control}.never`]);
    writeFileSync(this.#control, 'never');
  }

  /** A transaction has begun to hang. */
  get hangs(): boolean {
    return existsSync(`${this.#control}.hangs`);
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
