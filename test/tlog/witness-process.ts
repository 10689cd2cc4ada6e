/** A witness that runs in its own process with its own data folder, as operators run it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type NoteKey, parseVkey } from '#tlog/note-key.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A running witness. */
export interface WitnessProcess {
  readonly url: string;
  readonly key: NoteKey;
  /** Ends the process with a signal. Resolves to the exit status, which is null after SIGKILL. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
  written(): string;
}

/** Starts a witness on a free port, and ends it after the tests of the file. Rejects with its output if it exits. */
export async function startWitness(folder: string, name = 'w.example/1'): Promise<WitnessProcess> {
  const args = ['witness', 'start', '--data', folder, '--name', name, '--listen', '127.0.0.1:0'];
  const child = spawn(process.execPath, [join(ROOT, 'src', 'main.ts'), ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => await ended(child, signal);
  after(() => end('SIGTERM'));
  const [url, vkey] = await new Promise<[string, string]>((resolve, reject) => {
    child.stdout.on('data', () => {
      const found = /listening on (\S+)\n.*public key of the witness is (\S+)\n/.exec(text);
      if (found) resolve([found[1] as string, found[2] as string]);
    });
    child.once('exit', () => reject(new Error(text)));
  });
  return { url, key: parseVkey(vkey), end, written: () => text };
}

async function ended(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = once(child, 'exit');
  child.kill(signal);
  return ((await exit) as [number | null])[0];
}
