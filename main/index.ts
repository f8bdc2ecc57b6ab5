/**
 * Electron's entry: wiring only. What must happen before Electron is ready happens here at once; the
 * rest in `boot`. Nothing here waits at the top level: in a package that would keep Electron from
 * ever becoming ready.
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { app, dialog, nativeTheme, type BrowserWindow } from 'electron';
import { isInviteLink, readCommandLine, type CommandLine } from './app/command-line.ts';
import { endOnBugs } from './app/crash.ts';
import { prefillFrom, takeFirstStep } from './app/first-step.ts';
import { openGroups, type Groups } from './app/groups.ts';
import { createHandlers } from './app/handlers.ts';
import { sendEvent, serveRequests } from './app/ipc-server.ts';
import { followLinks, leaveOnClose, switchGroup } from './app/lifecycle.ts';
import { openLogFile } from './app/log-file.ts';
import { setMenu } from './app/menu.ts';
import {
  denyNetwork,
  denyPermissions,
  enableSandbox,
  registerPageScheme,
  servePage,
} from './app/security.ts';
import { Session } from './app/session.ts';
import { openWindow } from './app/window.ts';
import { makePrivateFolder } from './folders.ts';
import { createLogger, type Logger } from './log.ts';
import { openPeer } from './peer/peer.ts';

const dist = dirname(dirname(fileURLToPath(import.meta.url)));
/** The window waits this long for the last group before it shows that it is opening, milliseconds. */
const patienceMs = 1_000;

let log: Logger = createLogger({ level: 'info' });
let logFile: string | null = null;

endOnBugs(
  () => log,
  () => logFile,
);
registerPageScheme();
enableSandbox();
const line = readCommandLine(process.argv.slice(1));
start(line);

/** Takes the data folder, or hands over to the app that has it. */
function start(line: CommandLine): void {
  const root = line.data === null ? app.getPath('userData') : resolve(line.data);
  let groups: Groups;
  try {
    makePrivateFolder(root);
    app.setPath('userData', root);
    app.setPath('sessionData', join(root, 'browser'));
    // The lock is a file of the data folder: one app for each.
    if (!app.requestSingleInstanceLock({ link: line.link })) {
      process.stderr.write(`${root} is open in another Lockstep window, which is now in front.\n`);
      app.exit(0);
      return;
    }
    ({ log, file: logFile } = openLogFile(root, process.env['LOCKSTEP_LOG_LEVEL'] ?? 'info'));
    groups = openGroups(root, log);
  } catch (error) {
    dialog.showErrorBox(
      'Lockstep cannot use its data folder',
      `${root}\n\n${(error as Error).message}\n\nMake it writable, or start with --data FOLDER.`,
    );
    app.exit(1);
    return;
  }
  const links: string[] = [];
  const early = (event: { preventDefault: () => void }, url: string): void => {
    event.preventDefault();
    links.push(url);
  };
  app.on('open-url', early);
  void app.whenReady().then(() => {
    app.off('open-url', early);
    const link = links.find(isInviteLink) ?? line.link;
    boot({ ...line, link }, root, groups);
  });
}

/** Builds everything and shows the window. */
function boot(line: CommandLine, root: string, groups: Groups): void {
  log.info('started', { version: app.getVersion(), electron: process.versions.electron });
  nativeTheme.themeSource = groups.settings().theme;
  servePage(join(dist, 'renderer'), log);
  denyPermissions();
  denyNetwork(log);
  if (app.isPackaged) app.setAsDefaultProtocolClient('lockstep');

  let window: BrowserWindow | null = null;
  const session = new Session({
    openPeer,
    groups,
    log,
    version: app.getVersion(),
    prefill: prefillFrom(line),
    send: ({ name, payload }) => {
      if (window !== null) sendEvent(window, name, payload);
    },
  });
  const first = takeFirstStep(session, groups, line);
  const decided = Promise.race([
    first,
    new Promise<void>((resolve) => setTimeout(resolve, patienceMs)),
  ]);
  serveRequests(createHandlers({ session, groups, log, decided }), log);
  const preload = join(dist, 'preload', 'index.cjs');
  const opened = openWindow({ groups, preload, icon: developmentIcon(), log });
  window = opened;
  leaveOnClose(opened, session, groups);
  followLinks(opened, session);
  setMenu({
    data: root,
    developer: !app.isPackaged,
    switchGroup: () => void switchGroup(opened, session),
  });
}

/** A packaged app has its icon from the system; a clone brings it along. */
function developmentIcon(): string | null {
  const icon = join(dirname(dist), 'build', 'icon.png');
  return !app.isPackaged && existsSync(icon) ? icon : null;
}
