/**
 * The measurements: each takes a running group of headless peers and returns numbers. They drive the
 * peers through their JSON interface, as any program would; time is the driver's monotonic clock.
 * Nothing is asserted here: a bench that is slow is a figure, not a failure.
 */
import { readFileSync } from 'node:fs';
import type { PeerProcess } from '../e2e/processes/peer-process.ts';

/** Median and 99th percentile of a sample, and its size. */
export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly n: number;
}

/** Sorts and picks; the sample is not empty. */
export function spreadOf(sample: readonly number[]): Spread {
  const sorted = [...sample].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), n: sorted.length };
}

/** 100 bytes of text, different for each number. */
export function textOf(n: number): string {
  return `message ${n} `.padEnd(100, 'lorem ipsum dolor sit amet ');
}

const finalMark = Buffer.from('"event":"final"');

function countOf(bytes: Buffer, mark: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + mark.length)) count++;
  return count;
}

/** Stops parsing a peer's output and counts its final events instead, so that the driver stays cheap. */
export function countFinals(peer: PeerProcess, onCount: (finals: number) => void): void {
  const { stdout } = peer.child;
  if (stdout === null) throw new Error('the peer has no output');
  stdout.removeAllListeners('data');
  let rest: Buffer = Buffer.alloc(0);
  stdout.on('data', (bytes: Buffer) => {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    const end = all.lastIndexOf(10) + 1;
    rest = all.subarray(end);
    onCount(countOf(all.subarray(0, end), finalMark));
  });
}

/** Throws a peer's output away; it still has to write it. */
export function drain(peer: PeerProcess): void {
  peer.child.stdout?.removeAllListeners('data').resume();
}

/** Sends `total` messages with at most `inFlight` not final, and returns final messages a second. */
export async function throughput(
  sender: PeerProcess,
  options: { readonly total: number; readonly inFlight: number },
): Promise<number> {
  const { total, inFlight } = options;
  const begun = performance.now();
  let sent = 0;
  let final = 0;
  const topUp = (): void => {
    let lines = '';
    while (sent < total && sent - final < inFlight) {
      sent++;
      lines += `{"cmd":"send","text":${JSON.stringify(textOf(sent))},"ref":${sent}}\n`;
    }
    if (lines !== '') sender.sendRaw(lines);
  };
  await new Promise<void>((settle) => {
    countFinals(sender, (count) => {
      final += count;
      if (final >= total) settle();
      else topUp();
    });
    topUp();
  });
  return total / ((performance.now() - begun) / 1000);
}

async function sendAndWait(sender: PeerProcess, ref: string): Promise<number> {
  const begun = performance.now();
  sender.send({ cmd: 'send', text: textOf(0), ref });
  let at = sender.final.length;
  await sender.until(ref, () => {
    const id = sender.accepted.get(ref);
    if (id === undefined) return false;
    for (; at < sender.final.length; at++) if (sender.final[at]?.message === id) return true;
    return false;
  });
  return performance.now() - begun;
}

/** Milliseconds from sending to final at the author, one message at a time. */
export async function latencyAlone(sender: PeerProcess, count: number): Promise<Spread> {
  const sample: number[] = [];
  for (let i = 0; i < count; i++) sample.push(await sendAndWait(sender, `alone-${i}`));
  sender.final.length = 0;
  sender.accepted.clear();
  return spreadOf(sample);
}

/** The same at `rate` messages a second, sent by the clock and not by the answers. */
export async function latencyAt(
  sender: PeerProcess,
  options: { readonly rate: number; readonly seconds: number },
): Promise<Spread> {
  const gapMs = 1000 / options.rate;
  const count = options.rate * options.seconds;
  const begun = performance.now();
  const waits: Promise<number>[] = [];
  for (let i = 0; i < count; i++) {
    const due = begun + i * gapMs;
    await new Promise<void>((settle) => setTimeout(settle, Math.max(0, due - performance.now())));
    waits.push(sendAndWait(sender, `rate-${i}`));
  }
  return spreadOf((await Promise.all(waits)).slice(options.rate / 2));
}

/** Resident memory of a process, megabytes; NaN where /proc is missing. */
export function memoryOf(peer: PeerProcess): number {
  try {
    const status = readFileSync(`/proc/${peer.pid}/status`, 'utf8');
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(status)?.[1];
    return Number(kilobytes) / 1024;
  } catch {
    return Number.NaN;
  }
}

/** Processor time a process has used so far, milliseconds; NaN where /proc is missing. */
export function processorTimeOf(peer: PeerProcess): number {
  try {
    const fields = readFileSync(`/proc/${peer.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}
