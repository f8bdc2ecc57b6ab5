/**
 * Runs when electron-builder has laid out the app: removes what a runtime that was made for
 * development brings along, its default app, which would start in place of ours.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

/** @param {import('electron-builder').AfterPackContext} context */
export default async function afterPack(context) {
  const resources = context.packager.getResourcesDir(context.appOutDir);
  for (const name of ['app', 'default_app.asar']) {
    await rm(join(resources, name), { recursive: true, force: true });
  }
}
