/**
 * The native menu: every command with its shortcut, in the words and places that each system expects.
 * Commands of the page itself stay in the page.
 */
import { app, Menu, shell, type MenuItemConstructorOptions } from 'electron';

/** What the menu's own commands need. */
export interface MenuOptions {
  /** Folder of everything this app keeps. */
  readonly data: string;
  /** Whether the developer tools are offered: not in a packaged app. */
  readonly developer: boolean;
  /** Leaves the open group for the card that lists all of them. */
  readonly switchGroup: () => void;
}

/** Sets the application menu. */
export function setMenu(options: MenuOptions): void {
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(options, process.platform)));
}

/** The menu as data. */
export function menuTemplate(
  { data, developer, switchGroup }: MenuOptions,
  platform: NodeJS.Platform,
): MenuItemConstructorOptions[] {
  const mac = platform === 'darwin';
  const openData: MenuItemConstructorOptions = {
    label: 'Show Data Folder',
    click: () => void shell.openPath(data),
  };
  const otherGroup: MenuItemConstructorOptions = {
    label: 'Switch Group…',
    accelerator: 'CmdOrCtrl+O',
    click: switchGroup,
  };
  const fileMenu: MenuItemConstructorOptions = {
    label: '&File',
    submenu: [
      otherGroup,
      openData,
      { type: 'separator' },
      mac ? { role: 'close' } : { role: 'quit' },
    ],
  };
  const viewMenu: MenuItemConstructorOptions = {
    label: '&View',
    submenu: [
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      { type: 'separator' },
      { role: 'togglefullscreen' },
      ...(developer ? developerItems : []),
    ],
  };
  const helpMenu: MenuItemConstructorOptions = {
    role: 'help',
    submenu: [{ label: 'About Lockstep', click: () => app.showAboutPanel() }],
  };
  return [
    ...(mac ? [{ role: 'appMenu' } as const] : []),
    fileMenu,
    { role: 'editMenu' },
    viewMenu,
    { role: 'windowMenu' },
    helpMenu,
  ];
}

const developerItems: readonly MenuItemConstructorOptions[] = [
  { type: 'separator' },
  { role: 'reload' },
  { role: 'toggleDevTools' },
];
