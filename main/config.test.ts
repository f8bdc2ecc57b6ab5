/** The command line: what it means, and that an error names its option. */
import { describe, expect, test } from 'vitest';
import { parseCommandLine, USAGE, wantsJson } from './config.ts';

describe('parseCommandLine', () => {
  test('everything at once', () => {
    const argv =
      '--id 7 --host [::1] --port 0 --seed 1:127.0.0.1:6001 --seed [::1]:6002 --data d --name Ada ' +
      '--json --heartbeat-ms 100 --evict-after-ms 9000 --log-level info --dial 3=127.0.0.1:7003';
    expect(parseCommandLine(argv.split(' '))).toEqual({
      ok: true,
      value: {
        json: true,
        id: 7,
        host: '[::1]',
        port: 0,
        seeds: ['1:127.0.0.1:6001', '[::1]:6002'],
        invite: null,
        data: 'd',
        name: 'Ada',
        heartbeatMs: 100,
        evictAfterMs: 9_000,
        logLevel: 'info',
        dial: new Map([[3, '127.0.0.1:7003']]),
      },
    });
  });

  test('what is not given is left to the folder', () => {
    const parsed = parseCommandLine(['--id', '7']);
    expect(parsed).toMatchObject({
      ok: true,
      value: { host: null, port: null, name: null, heartbeatMs: 250, evictAfterMs: 30_000 },
    });
    expect(parsed.ok && parsed.value !== 'help' && parsed.value.data).toMatch(/peers.7$/);
  });

  test.each([
    ['--id', ['--id', '']],
    ['--id', ['--id', '1.5']],
    ['--id', []],
    ['--port', ['--id', '1', '--port', '65536']],
    ['--port', ['--id', '1', '--port']],
    ['--seed', ['--id', '1', '--seed', '::1:6001']],
    ['--host', ['--id', '1', '--host', '999.1.1.1']],
    ['--invite', ['--id', '1', '--invite', 'lockstep://join?key=x']],
    ['--name', ['--id', '1', '--name', ' ']],
    ['--data', ['--data', '']],
    ['--dial', ['--id', '1', '--dial', '127.0.0.1:6001']],
    ['--dial', ['--id', '1', '--dial', '3=nowhere']],
    ['--nonsense', ['--nonsense']],
    ['stray', ['--id', '1', 'stray']],
  ])('names %s in %j', (named, argv) => {
    const parsed = parseCommandLine(argv);
    expect(parsed.ok ? '' : parsed.error).toContain(named);
  });

  test.each([
    [['--heartbeat-ms', '5000'], '--evict-after-ms must be above 60000 with --heartbeat-ms 5000'],
    [['--evict-after-ms', '3000'], '--evict-after-ms must be above 3000 with --heartbeat-ms 250'],
  ])('says what goes with %j', (argv, error) => {
    expect(parseCommandLine(['--id', '1', ...argv])).toEqual({ ok: false, error });
  });

  test('takes the shortest time to an eviction that it names', () => {
    const argv = ['--id', '1', '--heartbeat-ms', '5000', '--evict-after-ms', '60001'];
    expect(parseCommandLine(argv)).toMatchObject({ ok: true });
  });

  test('help names every public option', () => {
    expect(parseCommandLine(['--help'])).toEqual({ ok: true, value: 'help' });
    expect(USAGE).toContain('--seed [ID:]HOST:PORT');
  });

  test('the interface is known even when the rest is wrong', () => {
    expect(wantsJson(['--json', '--id', 'x'])).toBe(true);
    expect(wantsJson(['--id', 'x'])).toBe(false);
  });
});
