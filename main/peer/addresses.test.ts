/** Addresses as people type them and as peers tell them. */
import { describe, expect, test } from 'vitest';
import { formatAddress, isOwn, parseAddress, parseAddressList, toldAddress } from './addresses.ts';

describe('an address', () => {
  test.each([
    ['127.0.0.1:6001', null, '127.0.0.1', 6001],
    ['1:127.0.0.1:6001', 1, '127.0.0.1', 6001],
    ['2147483647:pi.local:1', 2_147_483_647, 'pi.local', 1],
    ['[::1]:65535', null, '::1', 65_535],
    ['3:[fe80::1]:7', 3, 'fe80::1', 7],
    [' localhost:80 ', null, 'localhost', 80],
  ])('%s is read', (text, id, host, port) => {
    expect(parseAddress(text)).toEqual({ ok: true, value: { id, host, port } });
  });

  test.each([
    '',
    '6001',
    'host',
    'host:',
    ':6001',
    '1:6001',
    'host:0',
    'host:65536',
    '0:host:1',
    '2147483648:host:1',
    '::1:6001',
    '[nonsense]:1',
    '[::1]',
    '1.2.3:4',
    '1.2.3.4.5:6',
    'a b:1',
    '-a:1',
    'http://host:1',
  ])('%j is refused with a reason', (text) => {
    const parsed = parseAddress(text);
    expect(parsed.ok ? '' : parsed.error).toContain(JSON.stringify(text).slice(0, -1));
  });

  test('is written as it is read', () => {
    expect(formatAddress({ host: '::1', port: 1 })).toBe('[::1]:1');
    expect(formatAddress({ host: 'h', port: 1 })).toBe('h:1');
  });
});

describe('what others are told', () => {
  const machine = ['192.168.1.5', 'fd00::5'];
  test.each([
    ['127.0.0.1', '127.0.0.1:7'],
    ['::1', '[::1]:7'],
    ['0.0.0.0', '192.168.1.5:7'],
    ['::', '192.168.1.5:7,[fd00::5]:7'],
  ])('by a peer on %s', (host, told) => {
    expect(toldAddress({ host, port: 7 }, machine)).toBe(told);
  });

  test('is loopback on a machine without a network', () => {
    expect(toldAddress({ host: '0.0.0.0', port: 7 }, [])).toBe('127.0.0.1:7');
  });

  test('is cut to what fits into a members list', () => {
    const many = Array.from({ length: 100 }, (_, i) => `10.0.0.${i}`);
    expect(toldAddress({ host: '::', port: 12_345 }, many).length).toBeLessThanOrEqual(400);
  });

  test('is read back without what cannot be read', () => {
    expect(parseAddressList('a:1,,[::1]:2,nonsense')).toEqual([
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
    ]);
  });
});

test.each([
  ['127.0.0.1', '127.0.0.1', 7, true],
  ['localhost', '127.0.0.1', 7, true],
  ['127.0.0.1', '127.0.0.1', 8, false],
  ['127.0.0.2', '127.0.0.1', 7, false],
  ['10.0.0.1', '0.0.0.0', 7, true],
  ['127.0.0.1', '0.0.0.0', 7, true],
  ['10.0.0.2', '0.0.0.0', 7, false],
])('dialling %s reaches a listener on %s (port %i): %s', (host, own, port, reaches) => {
  expect(isOwn({ host, port }, { host: own, port: 7 }, ['10.0.0.1'])).toBe(reaches);
});
