/** `belfry trail serve-tiles` in its own process, as operators run it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface TileProcess {
  readonly url: string;
  /** Returns all that the process printed. */
  written(): string;
  /** Stops the process. Resolves to its exit status. */
  stop(): Promise<number | null>;
}

/** Serves the log of a database on a free port. Rejects with its output if it exits. */
export async function startTiles(database: string): Promise<TileProcess> {
  const args = ['trail', 'serve-tiles', '--database', database, '--listen', '127.0.0.1:0'];
  const child = spawn(process.execPath, [join(ROOT, 'src', 'main.ts'), ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  async function stop(): Promise<number | null> {
    if (child.exitCode !== null) return child.exitCode;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    return ((await exit) as [number | null])[0];
  }
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      const found = /serving transparency logs on (\S+)\n/.exec(text);
      if (found) resolve(found[1] as string);
    });
    child.once('exit', () => reject(new Error(text)));
  });
  return { url, written: () => text, stop };
}
