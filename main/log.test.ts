/** What a log line looks like, and which are written. */
import { expect, test } from 'vitest';
import { createLogger, isLogLevel, type LogLevel } from './log.ts';

function lines(level: LogLevel): { log: ReturnType<typeof createLogger>; written: string[] } {
  const written: string[] = [];
  const log = createLogger({ level, write: (line) => written.push(line), now: () => 0 });
  return { log, written };
}

test('a line is one JSON object with its event and fields', () => {
  const { log, written } = lines('debug');
  log.with({ peer: 3 }).warn('link-down', { why: 'a\nb', refused: true });
  expect(written).toEqual([
    '{"time":"1970-01-01T00:00:00.000Z","level":"warn","event":"link-down","peer":3,' +
      '"why":"a\\nb","refused":true}\n',
  ]);
});

test.each<[LogLevel, string[]]>([
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
  ['silent', []],
])('at level %s these are written: %j', (level, expected) => {
  const { log, written } = lines(level);
  log.debug('e');
  log.info('e');
  log.warn('e');
  log.error('e');
  expect(written.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(expected);
});

test('levels are told from other words', () => {
  expect([isLogLevel('info'), isLogLevel('INFO'), isLogLevel('')]).toEqual([true, false, false]);
});
