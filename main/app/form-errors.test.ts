import { expect, test } from 'vitest';
import type { FatalCode, NodeError } from '../../shared/model.ts';
import { type Asked, formErrorFor, isEnding, noticeFor } from './form-errors.ts';

const ada = { id: 5, name: 'Ada', host: '10.9.9.9', port: 6001 };
const bySeed: Asked = { byInvite: false, withKey: false, known: false };
const byKey: Asked = { ...bySeed, withKey: true };
const byInvite: Asked = { ...bySeed, byInvite: true };
const known: Asked = { ...bySeed, known: true };

function fatal(code: FatalCode, message = 'words of the node'): NodeError {
  return { code, message, fatal: true };
}

test.each([
  [fatal('PORT_IN_USE'), bySeed, 'port', '6001'],
  [fatal('ID_TAKEN'), bySeed, 'id', 'id 5'],
  [fatal('WRONG_KEY'), bySeed, 'key', 'does not know the key'],
  [fatal('WRONG_KEY'), byKey, 'key', 'not the key'],
  [fatal('WRONG_KEY'), byInvite, 'invite', 'Ask for a new one'],
  [fatal('WRONG_GROUP'), bySeed, 'seed', 'Another group'],
  [fatal('VERSION'), byInvite, 'invite', 'version'],
  [
    fatal('BAD_OPTION', 'cannot listen on 10.9.9.9:6001, as host and port ask: … (EADDRNOTAVAIL)'),
    bySeed,
    'host',
    '10.9.9.9',
  ],
  [
    fatal('BAD_OPTION', 'cannot listen on 10.9.9.9:80, as host and port ask: … (EACCES)'),
    bySeed,
    'port',
    'above 1023',
  ],
  [fatal('BAD_OPTION', 'the group key is not 32 bytes'), byKey, 'key', 'The group key is not'],
  [fatal('BAD_OPTION', '"1.2.3:6001" has no valid host'), bySeed, 'seed', 'has no valid host'],
  [fatal('BAD_OPTION', 'the key in the invite link is damaged'), byInvite, 'invite', 'damaged'],
  [fatal('BAD_OPTION', 'something else'), bySeed, null, 'Something else.'],
  [fatal('WRONG_KEY'), known, null, 'key'],
] as const)('%o with %o stands at %s and says %s', (error, asked, field, words) => {
  const { message, ...rest } = formErrorFor(error, ada, asked, null);
  expect(rest).toEqual({ field, code: error.code });
  expect(message).toContain(words);
});

test('a free port is offered for a port in use, and for nothing else', () => {
  expect(formErrorFor(fatal('PORT_IN_USE'), ada, bySeed, 6007)).toHaveProperty('freePort', 6007);
  expect(formErrorFor(fatal('ID_TAKEN'), ada, bySeed, 6007)).not.toHaveProperty('freePort');
});

test('only what no field can mend ends the group', () => {
  const codes: readonly FatalCode[] = ['PORT_IN_USE', 'ID_TAKEN', 'CORRUPT', 'DATA_IN_USE', 'DISK'];
  expect(codes.filter((code) => isEnding(fatal(code)))).toEqual(['CORRUPT', 'DATA_IN_USE', 'DISK']);
});

test('a notice leaves the code of the system out', () => {
  const message = 'host:6001 does not answer (ECONNREFUSED); still trying.';
  expect(noticeFor({ code: 'UNREACHABLE', message, fatal: false })).toBe(
    'host:6001 does not answer; still trying.',
  );
});
