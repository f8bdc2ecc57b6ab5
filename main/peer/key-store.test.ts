/** Group keys on disk: kept, private, and never half written. */
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createGroup, random } from './identity.ts';
import { openKeyStore, userFolder } from './key-store.ts';

let folder = '';
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'lockstep-keys-')), 'deep', 'keys');
});
afterEach(() => rm(join(folder, '..', '..'), { recursive: true }));

describe('the key store', () => {
  test('gives back each group’s key, also to the next process', async () => {
    const [one, two] = [createGroup(), createGroup()];
    const store = openKeyStore(folder);
    expect(await store.put(one)).toEqual({ ok: true, value: null });
    expect(await store.put(two)).toEqual({ ok: true, value: null });
    const again = openKeyStore(folder);
    expect(await again.keyFor(one.id)).toEqual(one.key);
    expect(await again.keyFor(two.id)).toEqual(two.key);
  });

  test('has none for a group it does not know, or an id that is none', async () => {
    const store = openKeyStore(folder);
    expect(await store.keyFor(createGroup().id)).toBeNull();
    expect(await store.keyFor(new Uint8Array(0))).toBeNull();
  });

  test('replaces a key and leaves no drafts', async () => {
    const store = openKeyStore(folder);
    const group = createGroup();
    await store.put(group);
    const changed = { id: group.id, key: random(32) };
    await Promise.all([store.put(changed), store.put(changed)]);
    expect(await store.keyFor(group.id)).toEqual(changed.key);
    expect(await readdir(folder)).toHaveLength(1);
  });

  test.skipIf(process.platform === 'win32')('is readable by its user alone', async () => {
    await openKeyStore(folder).put(createGroup());
    const [file] = await readdir(folder);
    expect((await stat(join(folder, file ?? ''))).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  test('takes a damaged file for none', async () => {
    const group = createGroup();
    const store = openKeyStore(folder);
    await store.put(group);
    await writeFile(join(folder, (await readdir(folder))[0] ?? ''), 'short');
    expect(await store.keyFor(group.id)).toBeNull();
  });

  test('says why it cannot keep a key', async () => {
    const group = createGroup();
    await openKeyStore(folder).put(group);
    const file = join(folder, (await readdir(folder))[0] ?? '');
    const kept = await openKeyStore(file).put(group);
    expect(kept.ok ? '' : kept.error).toContain(file);
  });

  test.runIf(process.platform === 'linux')('gives up on a folder that cannot be made', async () => {
    const kept = await openKeyStore('/proc/nowhere/keys').put(createGroup());
    expect(kept.ok ? '' : kept.error).toContain('/proc/nowhere');
  });
});

test.each<[NodeJS.Platform, Record<string, string>, string]>([
  ['linux', { LOCKSTEP_HOME: '/own' }, '/own'],
  ['linux', { XDG_DATA_HOME: '/data' }, '/data/lockstep'],
  ['linux', { XDG_DATA_HOME: 'relative' }, join(homedir(), '.local/share/lockstep')],
  ['linux', {}, join(homedir(), '.local/share/lockstep')],
  ['darwin', {}, join(homedir(), 'Library/Application Support/Lockstep')],
  ['win32', { LOCALAPPDATA: '/local' }, join('/local', 'Lockstep')],
])('on %s with %j the user’s folder is %s', (platform, env, expected) => {
  expect(userFolder(env, platform)).toBe(expected);
});
