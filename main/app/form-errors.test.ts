import { expect, test } from 'vitest';
import type { FatalCode } from '../../shared/model.ts';
import { formErrorFor, isEnding } from './form-errors.ts';

const fatal = (code: FatalCode) => ({ code, message: 'words', fatal: true });
const bySeed = { byInvite: false, known: false };
const byInvite = { byInvite: true, known: false };

test.each([
  ['PORT_IN_USE', bySeed, 'port'],
  ['ID_TAKEN', bySeed, 'id'],
  ['WRONG_KEY', bySeed, 'key'],
  ['WRONG_KEY', byInvite, 'invite'],
  ['WRONG_GROUP', bySeed, 'seed'],
  ['VERSION', byInvite, 'invite'],
  ['BAD_OPTION', bySeed, null],
  ['WRONG_KEY', { byInvite: false, known: true }, null],
] as const)('%s with %j stands at %s', (code, asked, field) => {
  expect(formErrorFor(fatal(code), asked, null)).toEqual({ field, code, message: 'words' });
});

test('a free port is offered for a port in use, and for nothing else', () => {
  expect(formErrorFor(fatal('PORT_IN_USE'), bySeed, 6007)).toHaveProperty('freePort', 6007);
  expect(formErrorFor(fatal('ID_TAKEN'), bySeed, 6007)).not.toHaveProperty('freePort');
});

test('only what no field can mend ends the group', () => {
  const codes: readonly FatalCode[] = ['PORT_IN_USE', 'ID_TAKEN', 'CORRUPT', 'DATA_IN_USE', 'DISK'];
  expect(codes.filter((code) => isEnding(fatal(code)))).toEqual(['CORRUPT', 'DATA_IN_USE', 'DISK']);
});
