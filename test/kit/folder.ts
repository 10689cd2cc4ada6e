import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders: string[] = [];

/**
 * Creates a folder for the tests of this process. It is deleted when the process exits, and not in a hook: a server that writes while a hook
 * deletes its folder makes the hook fail. Node then runs no further hook, such as the one that stops the server.
 */
export function newFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `belfry-${name}-`));
  if (folders.length === 0) process.once('exit', () => folders.forEach(remove));
  folders.push(folder);
  return folder;
}

function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  } catch (error) {
    console.error(`the folder of a test remains: ${error instanceof Error ? error.message : String(error)}`);
  }
}
