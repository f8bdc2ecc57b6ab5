import { EventEmitter } from 'node:events';
import type { BrowserWindow } from 'electron';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLogger } from '../log.ts';
import { reloadAfterCrash } from './reload.ts';

let reloads: number;
let destroyed: boolean;
let page: EventEmitter;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  reloads = 0;
  destroyed = false;
  page = Object.assign(new EventEmitter(), {
    reload: () => {
      reloads += 1;
    },
  });
  const window = { webContents: page, isDestroyed: () => destroyed };
  reloadAfterCrash(window as unknown as BrowserWindow, createLogger({ level: 'silent' }));
});

afterEach(() => {
  vi.useRealTimers();
});

function die(reason = 'crashed'): void {
  page.emit('render-process-gone', {}, { reason });
}

test('a page that died is loaded again, but not one that dies all the time', () => {
  for (let i = 0; i < 5; i++) die();
  expect(reloads).toBe(3);
});

test('a page that dies now and then is always loaded again', () => {
  for (let i = 0; i < 5; i++) {
    die();
    vi.setSystemTime(Date.now() + 30_000);
  }
  expect(reloads).toBe(5);
});

test('a page that was closed, or whose window is gone, is left alone', () => {
  die('clean-exit');
  destroyed = true;
  die();
  expect(reloads).toBe(0);
});
