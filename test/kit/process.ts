import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newFolder } from './folder.ts';
import { profileKeys } from './keys.ts';
import { replayEnded, replayedAtEnd } from './replay.ts';

/** A server that runs in its own process, as users run it. */
export interface ServerProcess {
  readonly endpoint: string;
  readonly httpsEndpoint: string;
  readonly dataFolder: string;
  readonly pid: number;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Returns everything that the process has written to stdout and stderr. */
  written(): string;
  /** Sends SIGTERM, and continues a process that SIGSTOP has stopped. Resolves to the exit status, which is null after SIGKILL. */
  stop(): Promise<number | null>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(ROOT, 'src', 'main.ts');
/** The program `belfry`. */
export const BELFRY = join(ROOT, 'bin', 'belfry.mjs');

const stops: (() => Promise<unknown>)[] = [];
// A hook that a test registers runs at the end of that test, so this module registers one for the file. Its server processes run until then.
after(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await replayEnded();
});

/** Outcome of a command. */
export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `belfry …` as the operator does. The command gets no `BELFRY_…` variables except those in `environment`. */
export async function belfry(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const options = { env: { ...ownEnvironment(), ...environment }, cwd: ROOT };
  return await new Promise((resolve) => {
    execFile(process.execPath, [BELFRY, ...args], options, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** Runs `belfry start` until it exits. Returns its output and exit status. */
export async function startThatEnds(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { written, exited } = spawned(args, environment);
  const status = await exited;
  return { status, written: written() };
}

/**
 * Runs `belfry start` until the server listens, and then stops the server. Returns the output and the exit status.
 * `under` is a command that runs the server, such as `setpriv` with its options.
 */
export async function startAndStop(args: readonly string[], under: readonly string[] = []) {
  const { child, written, exited } = spawned(args, {}, under);
  const stopOnce = () => {
    if (/listening on /.test(written())) child.kill('SIGTERM');
  };
  child.stdout.on('data', stopOnce);
  const status = await exited;
  return { status, written: written() };
}

/**
 * Starts a server process, and stops it after the tests of the file. By default, its ports are free ones and the data folder is new. `under` is a command
 * that runs the server. `database` names the database to replay after the tests (`replay.ts`), if the setting of the server names a proxy.
 */
export async function startServerProcess(
  environment: Readonly<Record<string, string>> = {},
  dataFolder = newFolder('process'),
  under: readonly string[] = [],
  database?: string,
): Promise<ServerProcess> {
  const [http = '127.0.0.1:0', https = '127.0.0.1:0'] = [environment['BELFRY_HTTP'], environment['BELFRY_HTTPS']];
  const args = ['--data', dataFolder, '--http', http, '--https', https];
  const { child, written, exited } = spawned(args, environment, under, database);
  const stop = () => {
    child.kill('SIGTERM');
    child.kill('SIGCONT');
    return exited;
  };
  stops.push(stop);
  const [endpoint, httpsEndpoint] = await new Promise<[string, string]>((resolve, reject) => {
    const readEndpoints = () => {
      const found = /listening on (\S+) and (\S+)/.exec(written());
      if (found) resolve([found[1] as string, found[2] as string]);
    };
    child.stdout.on('data', readEndpoints);
    child.once('exit', () => reject(new Error(`belfry start exited: ${written()}`)));
  });
  return {
    endpoint,
    httpsEndpoint,
    dataFolder,
    pid: child.pid as number,
    get credentials() {
      return profileKeys(dataFolder);
    },
    written,
    stop,
  };
}

/** Returns the environment of this process without `BELFRY_…` and `AWS_…` variables and `NODE_TEST_CONTEXT`. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:BELFRY|AWS)_|^NODE_TEST_CONTEXT$/.test(name)));
}

/** Returns the database of a server, as `readSettings` does. That function is not used, because its modules load for longer than a replay takes. */
function databaseOf(args: readonly string[], environment: Readonly<Record<string, string>>): string {
  const flag = (name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
  return flag('--database') ?? environment['BELFRY_DATABASE'] ?? `file:${flag('--data')}`;
}

/** Starts `belfry start`. If the server listens, its database is replayed after the tests: `database`, or that of its settings. */
function spawned(args: readonly string[], environment: Readonly<Record<string, string>>, under: readonly string[] = [], database?: string) {
  const [program, ...all] = [...under, process.execPath, MAIN, 'start', ...args] as [string, ...string[]];
  const child = spawn(program, all, {
    env: { ...ownEnvironment(), BELFRY_METRICS: 'off', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A test process that exits without its hooks leaves no server behind.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const onListening = () => {
    if (!/listening on /.test(text)) return;
    child.stdout.off('data', onListening);
    void exited.then(replayedAtEnd(database ?? databaseOf(args, environment)));
  };
  child.stdout.on('data', onListening);
  return { child, written: () => text, exited };
}
